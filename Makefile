# Aside's commands for people who build and run it. `make` alone lists them.

PYTHON ?= $(or $(shell command -v python3.11 2>/dev/null),python3)
# As `aside` finds it: ASIDE_DATA_DIR, aside.toml, else var.
ifndef DATA_DIR
DATA_DIR := $(or $(shell $(PYTHON) deploy/install.py --print-data-dir 2>/dev/null),var)
endif
NAME ?= $(or $(USER),me)

INSTALL = $(PYTHON) deploy/install.py --data-dir "$(DATA_DIR)"
BIN = "$(DATA_DIR)/env/app/bin"
ASIDE = $(BIN)/aside
# As many at a time as there are cores, up to four: each starts servers of its own.
JOBS ?= logical
PYTEST = $(BIN)/pytest -n $(JOBS) --maxprocesses 4 --dist loadscope --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run chat setup secrets test chaos test-redis check simulate lock clean

help:
	@echo "make run              install what is missing, then run everything; Ctrl-C stops it"
	@echo "make chat NAME=ada    talk to it from another terminal; CHAT=team enters a group"
	@echo "make setup            install the environments and nothing else"
	@echo "make secrets          make the passwords and keys that docker-compose.yml names"
	@echo "make test             install what tests need, then run all of them"
	@echo "make test-redis       those that talk to Valkey once more, on Debian's Redis 7.0"
	@echo "make chaos            break everything at random for TURNS=20000 turns from SEED=n, on DATABASE=postgresql or sqlite, with PLATFORMS=all"
	@echo "make check            lint, formatting, types, import arrows and all tests"
	@echo "make simulate         the turn protocol in virtual time (SEEDS=100000, FIRST=0); a failure comes as a short schedule"
	@echo "make lock             pin again what pyproject.toml asks for (UPGRADE=1 for newer releases)"
	@echo "make clean            remove environments, models and caches; data and keys stay"
	@echo
	@echo "PYTHON=python3.11 names the Python, DATA_DIR=/with/space the place for everything, JOBS=1 how many tests run at a time."

run:
	@$(INSTALL) app engine model
	@$(ASIDE) migrate --data-dir "$(DATA_DIR)"
	@exec $(ASIDE) up --data-dir "$(DATA_DIR)"

chat:
	@$(INSTALL) app
	@exec $(ASIDE) chat --data-dir "$(DATA_DIR)" --as "$(NAME)" $(if $(CHAT),--chat "$(CHAT)")

setup:
	@$(INSTALL) app engine

secrets:
	@$(PYTHON) deploy/make_secrets.py

test:
	@$(INSTALL) dev engine model --for-tests
	@exec $(PYTEST)

test-redis:
	@$(INSTALL) dev engine model --for-tests
	@exec $(PYTEST) --redis=debian

# Every component killed at random; ends with a verdict from what people see.
chaos:
	@$(INSTALL) dev
	@exec $(BIN)/python -m tests.chaos --turns $(or $(TURNS),20000) $(if $(SEED),--seed $(SEED)) $(if $(DATABASE),--database $(DATABASE)) $(if $(PLATFORMS),--platforms $(PLATFORMS))

check:
	@$(INSTALL) dev engine model --for-tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST)

simulate:
	@$(INSTALL) dev
	@exec $(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),20000) --first $(or $(FIRST),0)

lock:
	@$(PYTHON) deploy/lock.py $(if $(UPGRADE),--upgrade)

clean:
	rm -rf "$(DATA_DIR)/env" "$(DATA_DIR)/models"
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -not -path "./.git/*" -prune -exec rm -rf {} +
