"""On which machines the embedded servers run."""

import platform
from pathlib import Path


def embedded_servers_run_here() -> bool:
    """Tell whether this is Linux on x86-64 with AVX2: what Valkey's and vLLM's CPU builds are made for."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return False
    try:
        return " avx2 " in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
