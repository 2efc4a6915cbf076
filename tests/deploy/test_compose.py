"""docker-compose.yml is what the Compose Specification allows, and keeps every promise of its first lines."""

import copy
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.settings import load_settings
from bot.settings.model import catalogue
from deploy.make_secrets import KEYS, VAULT_KEY
from engine.launch import _ALWAYS
from engine.listen import Listen
from engine.profile import Profile
from tests.fixtures.compose import ROOT, ComposeFile

COMPOSE = ComposeFile.read()
SCHEMA = json.loads((Path(__file__).parent / "schema" / "compose-spec.json").read_text())
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
OURS = ("gateway", "worker", "migrate")
ENGINES = {"vllm-cpu": "embedded", "vllm-gpu": "scout-1xh200"}
SECRETS = Path("/run/secrets")

every_service = pytest.mark.parametrize("name", COMPOSE.services)


def seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def options(command: list[str]) -> dict[str, str]:
    """Read `--name=value` and `--name value` alike; an option without a value has an empty one."""
    words = [word for argument in command for word in argument.split("=", 1)]
    places = [place for place, word in enumerate(words) if word.startswith("--")]
    ends = [*places[1:], len(words)]
    return {words[place]: " ".join(words[place + 1 : end]) for place, end in zip(places, ends, strict=True)}


def test_it_is_what_the_compose_specification_allows() -> None:
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(COMPOSE.content)] == []


@pytest.mark.parametrize(
    "mistake",
    [{"port": ["8470:8470"]}, {"depends_on": {"postgres": {"condition": "healthy"}}}, {"read_only": [True]}],
    ids=["unknown key", "unknown condition", "wrong type"],
)
def test_the_schema_sees_mistakes(mistake: dict[str, object]) -> None:
    wrong = copy.deepcopy(COMPOSE.content)
    wrong["services"]["gateway"] |= mistake
    assert not Draft202012Validator(SCHEMA).is_valid(wrong)


def test_only_loopback_is_published_and_only_by_the_gateway() -> None:
    published = {name: service["ports"] for name, service in COMPOSE.services.items() if "ports" in service}
    assert published == {"gateway": ["127.0.0.1:8470:8470", "127.0.0.1:8471:8471"]}


@every_service
def test_nobody_is_root_or_can_become_it(name: str) -> None:
    service = COMPOSE.services[name]
    user = service["user"].partition(":")[0]
    assert user.isdigit()
    assert int(user) > 0
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "pid", "ipc", "devices", "userns_mode", "group_add"}
    assert service.get("network_mode", "none") == "none"


@every_service
def test_the_file_system_is_read_only_and_nothing_is_run_from_memory_but_what_vllm_compiles(
    name: str,
) -> None:
    service = COMPOSE.services[name]
    assert service["read_only"] is True
    for mount in service.get("tmpfs", []):
        _, _, how = mount.partition(":")
        flags = set(how.split(","))
        compiles = name in (*ENGINES, "model")
        assert flags >= {"nosuid", "nodev", "exec" if compiles else "noexec"}
        assert any(flag.startswith("size=") for flag in flags)


@every_service
def test_nothing_of_the_host_can_be_written_but_the_keys_by_the_gateway(name: str) -> None:
    for mount in COMPOSE.services[name].get("volumes", []):
        if isinstance(mount, str):
            assert mount.partition(":")[0] in COMPOSE.content["volumes"]
        else:
            changes_keys = (name, mount["target"]) == ("gateway", "/keys")
            assert mount.get("read_only", False) is not changes_keys
            # A missing folder is told, not made as root's.
            assert mount["bind"] == {"create_host_path": False}


def test_every_secret_is_a_file_that_make_secrets_makes() -> None:
    text = (ROOT / "deploy" / "make_secrets.py").read_text()
    for name, secret in COMPOSE.content["secrets"].items():
        assert secret == {"file": f"./var/secrets/{name}"}
        assert f'"{name}"' in text


@every_service
def test_secrets_come_as_files_that_are_mounted_and_never_as_values(name: str) -> None:
    service = COMPOSE.services[name]
    mounted = {str(SECRETS / secret) for secret in service.get("secrets", [])}
    environment = service.get("environment", {})
    files = {value for value in environment.values() if str(value).startswith(str(SECRETS))}
    named = files | set(re.findall(rf"{SECRETS}/\w+", json.dumps([service.get("entrypoint"), service])))
    if name == "postgres":  # its script reads one more
        named |= set(re.findall(rf"{SECRETS}/\w+", (ROOT / "deploy" / "postgres-roles.sh").read_text()))
    assert named == mounted
    files.add("/keys/vault.key")
    assert all(
        value in files for key, value in environment.items() if re.search("PASSWORD|KEY|SECRET|TOKEN", key)
    )
    assert not any(re.search(r"://[^/@]*:[^/@]*@", str(value)) for value in environment.values())


@every_service
def test_what_runs_on_is_watched_and_restarted_and_what_ends_is_neither(name: str) -> None:
    service = COMPOSE.services[name]
    if COMPOSE.runs_on(name):
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert service["healthcheck"].keys() >= {"interval", "timeout", "retries", "start_period"}
    else:
        assert service["healthcheck"] == {"disable": True}


@every_service
def test_images_are_pinned(name: str) -> None:
    service = COMPOSE.services[name]
    image, _, tag = service["image"].rpartition(":")
    if "build" in service:
        assert tag == VERSION
    else:
        assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z]+[\d.]*)?", tag), f"{image} is pinned to {tag!r}"


@every_service
def test_memory_and_processes_are_limited_and_processors_where_vllm_does_not_bind_them(name: str) -> None:
    limits = COMPOSE.services[name]["deploy"]["resources"]["limits"]
    assert limits.keys() >= {"memory", "pids"}
    assert ("cpus" in limits) == (name not in ENGINES)
    # Docker refuses a limit above the processors that there are; two is the least this is for.
    assert float(limits.get("cpus", 1)) <= 2


@every_service
def test_the_log_does_not_fill_the_disk(name: str) -> None:
    assert COMPOSE.services[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@every_service
def test_waiting_for_another_service_waits_for_what_it_can_become(name: str) -> None:
    for other, how in COMPOSE.services[name].get("depends_on", {}).items():
        wanted = "service_healthy" if COMPOSE.runs_on(other) else "service_completed_successfully"
        assert how["condition"] == wanted
        # Nobody waits for what a profile can leave out, but within that profile.
        assert set(COMPOSE.services[other].get("profiles", [])) <= set(
            COMPOSE.services[name].get("profiles", [])
        )


@pytest.mark.parametrize("name", ["gateway", "worker"])
def test_a_role_waits_for_the_schema_and_for_both_stores(name: str) -> None:
    assert COMPOSE.services[name]["depends_on"].keys() == {"migrate", "postgres", "valkey"}


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    known = {one.variable for one in catalogue()} | {
        f"{one.variable}_FILE" for one in catalogue() if one.secret
    }
    assert set(COMPOSE.services[name]["environment"]) - known == set()


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_a_role_are_accepted_as_they_are(name: str, tmp_path: Path) -> None:
    environ = COMPOSE.services[name]["environment"]
    for secret in COMPOSE.services[name]["secrets"]:
        (tmp_path / secret).write_text(f"the {secret}")
    environ = {key: value.replace(str(SECRETS), str(tmp_path)) for key, value in environ.items()}
    settings = load_settings(environ=environ).settings
    assert settings.database_url == "postgresql+asyncpg://aside:the%20postgres_password@postgres:5432/aside"
    assert settings.data_dir == Path("/var/lib/aside")
    if name != "migrate":
        assert settings.redis_url == "redis://:the%20valkey_password@valkey:6379/0"
        assert settings.engine.api_key.get_secret_value() == "the engine_api_key"
        assert settings.vault_key_file == Path("/keys/vault.key")


def test_gateway_and_worker_see_the_folder_of_the_keys_that_make_secrets_makes() -> None:
    for name in ("gateway", "worker"):
        (mount,) = COMPOSE.services[name]["volumes"]
        assert (mount["source"], mount["target"]) == (f"./var/secrets/{KEYS}", "/keys")
        assert COMPOSE.services[name]["environment"]["ASIDE_VAULT_KEY_FILE"] == str(
            Path("/keys") / Path(VAULT_KEY).name
        )


def test_gateway_and_worker_differ_in_where_they_listen_only() -> None:
    gateway, worker = (COMPOSE.services[name]["environment"] for name in ("gateway", "worker"))
    assert worker.items() <= gateway.items()
    more = gateway.keys() - worker.keys()
    assert all(variable.startswith(("ASIDE_GATEWAY_", "ASIDE_WEBCHAT_")) for variable in more)


def test_what_is_not_the_gateway_has_no_way_out() -> None:
    inside = {name for name, network in COMPOSE.content["networks"].items() if network.get("internal")}
    assert inside == {"data", "engine"}
    for name, service in COMPOSE.services.items():
        assert set(service.get("networks", [])) <= inside or name == "gateway"
    reach_engine = {
        name for name, service in COMPOSE.services.items() if "engine" in service.get("networks", [])
    }
    assert reach_engine == {"gateway", "worker", *ENGINES}


def test_each_profile_has_one_engine_under_the_name_that_the_roles_call() -> None:
    by_profile = {
        profile: name
        for name, service in COMPOSE.services.items()
        if name in ENGINES and service["networks"] == {"engine": {"aliases": ["vllm"]}}
        for profile in service["profiles"]
    }
    assert by_profile == {"cpu": "vllm-cpu", "gpu": "vllm-gpu"}
    assert COMPOSE.services["worker"]["environment"]["ASIDE_ENGINE_URL"] == "http://vllm:8000"
    without = {name for name, service in COMPOSE.services.items() if "profiles" not in service}
    assert without == {"gateway", "worker", "migrate", "valkey", "postgres"}


@pytest.mark.parametrize(("service", "profile"), ENGINES.items())
def test_vllm_is_started_as_the_profile_says(service: str, profile: str) -> None:
    bundled = Profile.bundled(profile)
    given = options(COMPOSE.services[service]["command"])
    model = Path(given["--model"])
    wanted = options(list(bundled.arguments(model_dir=model, listen=Listen.on_port())))
    assert (given.pop("--host"), given.pop("--port")) == ("0.0.0.0", "8000")  # noqa: S104 - in its own network
    del wanted["--host"], wanted["--port"]
    assert given == wanted
    assert COMPOSE.services[service]["environment"].items() >= {**bundled.environment, **_ALWAYS}.items()
    targets = [
        mount.split(":")[1] if isinstance(mount, str) else mount["target"]
        for mount in COMPOSE.services[service]["volumes"]
    ]
    assert any(model.is_relative_to(target) for target in targets)


@pytest.mark.parametrize("service", ENGINES)
def test_vllm_gets_its_key_from_the_file_and_its_arguments_as_they_stand(
    service: str, tmp_path: Path
) -> None:
    (tmp_path / "engine_api_key").write_text("the key\n")
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$VLLM_API_KEY" "$@"\n')
    python.chmod(0o755)
    declared = COMPOSE.services[service]
    started = [word.replace(str(SECRETS), str(tmp_path)) for word in declared["entrypoint"]]
    said = subprocess.run(
        [*started, *declared["command"]],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert said == ["the key", "-m", "vllm.entrypoints.openai.api_server", *declared["command"]]


@pytest.mark.parametrize(("service", "profile"), ENGINES.items())
def test_vllm_is_given_the_time_to_end_that_it_takes(service: str, profile: str) -> None:
    grace_s = seconds(COMPOSE.services[service]["stop_grace_period"])
    assert grace_s > Profile.bundled(profile).shutdown_timeout_s


def test_a_worker_is_given_the_time_to_drain() -> None:
    drain_s = load_settings(environ={}).settings.worker.drain_s
    assert seconds(COMPOSE.services["worker"]["stop_grace_period"]) > drain_s


def test_the_model_that_is_made_is_the_one_that_is_served() -> None:
    made = COMPOSE.services["model"]["command"]
    assert made == ["--out", options(COMPOSE.services["vllm-cpu"]["command"])["--model"]]


def test_what_env_can_hold_is_listed_in_the_first_lines_and_is_no_setting() -> None:
    head = COMPOSE.text.partition("\nname:")[0]
    assert {name for name in COMPOSE.variables if name not in head} == set()
    assert not any(name.startswith("ASIDE_") for name in COMPOSE.variables)
