"""Check for a GPU. None is needed; one makes larger models possible."""

import shutil
import subprocess
from pathlib import Path

from bot.doctor.finding import Finding, ok, warn

DRIVER_VERSION = Path("/proc/driver/nvidia/version")
TIMEOUT_S = 10.0


def check_gpu() -> Finding:
    """Ask NVIDIA's own tool which GPUs there are."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return judge_gpu(driver=DRIVER_VERSION.exists(), listing=None)
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        # The tool was found on this machine's own PATH, and its arguments are ours.
        answer = subprocess.run(query, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)  # noqa: S603 - a fixed command
    except (OSError, subprocess.SubprocessError):
        return judge_gpu(driver=True, listing=None)
    return judge_gpu(driver=True, listing=answer.stdout)


def judge_gpu(*, driver: bool, listing: str | None) -> Finding:
    """Judge what NVIDIA's tool listed, one GPU a line; None where it could not be asked."""
    names = [line.strip() for line in (listing or "").splitlines() if line.strip()]
    if names:
        return ok("gpu", "; ".join(names))
    if driver:
        return warn(
            "gpu", "a driver is here, but `nvidia-smi` lists no GPU", "Mend the driver to use a GPU model"
        )
    return ok("gpu", "none; the embedded model runs on the processor")
