"""Whether a Python environment holds a vLLM for GPUs. The CPU build is a distribution of another name."""

import re
import subprocess
from pathlib import Path

from engine.errors import LaunchError

#: The first release whose arguments the profiles are written for.
LEAST_VLLM = (0, 32)
_ASK = "from importlib.metadata import version; print(version('vllm'))"
_ASK_S = 60.0


def how_to_make(environment: Path) -> str:
    """Say how to get an environment with vLLM for GPUs, as commands in the project's folder."""
    return f"`python3 -m venv {environment}` and `{environment}/bin/pip install '.[engine-gpu]'` make it"


def require_gpu_vllm(python: Path) -> None:
    """Ask an environment's interpreter for its vLLM; raise `LaunchError` where there is none or it is too old."""
    found = _installed(python)
    release = re.match(r"(\d+)\.(\d+)", found)
    if release is None:
        raise LaunchError(
            f"the Python environment of {python} has no vLLM for GPUs: `{python} -m pip install '.[engine-gpu]'` "
            "in the project's folder installs it; or name another with ASIDE_ENGINE_PYTHON"
        )
    if (int(release[1]), int(release[2])) < LEAST_VLLM:
        least = ".".join(map(str, LEAST_VLLM))
        raise LaunchError(
            f"the Python environment of {python} has vLLM {found}, and the profiles are for {least} or newer: "
            f"`{python} -m pip install --upgrade '.[engine-gpu]'` in the project's folder installs that"
        )


def _installed(python: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - the operator's own interpreter, asked for a version
            [str(python), "-I", "-c", _ASK], capture_output=True, text=True, timeout=_ASK_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
