"""Checks of the machine itself: Python, system, processor, memory, disk. Pure but for the last."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from bot.doctor.finding import Finding, fail, ok, warn
from bot.doctor.host import NEWEST_PYTHON, OLDEST_PYTHON, TESTED_PYTHON, HostFacts, why_no_embedded_engine

GIB = 1 << 30
#: The embedded engine with its model, its KV cache and vLLM itself.
MEMORY_NEEDED_BYTES = 4 * GIB
MEMORY_COMFORT_BYTES = 6 * GIB
DISK_LOW_BYTES = 2 * GIB
DISK_FULL_BYTES = GIB // 4


def check_machine(host: HostFacts, *, embedded_engine: bool) -> Iterator[Finding]:
    """Check everything that a machine's facts decide."""
    yield check_python(host)
    yield check_system(host, embedded_engine=embedded_engine)
    yield check_cpus(host)
    yield check_memory(host, embedded_engine=embedded_engine)


def check_python(host: HostFacts) -> Finding:
    """Compare this Python with the tested ones."""
    version = ".".join(map(str, host.python))
    release = host.python[:2]
    if release in TESTED_PYTHON:
        return ok("python", version)
    if OLDEST_PYTHON <= release <= NEWEST_PYTHON:
        return warn(
            "python",
            f"{version}, on which Aside is untested",
            "If anything is odd, use Python 3.11: make setup PYTHON=python3.11",
        )
    return fail(
        "python", f"{version}, but 3.11 is needed", "Install Python 3.11, then: make setup PYTHON=python3.11"
    )


def check_system(host: HostFacts, *, embedded_engine: bool) -> Finding:
    """Tell whether the embedded engine runs here."""
    name = f"{host.system} {host.machine}"
    if host.glibc is not None:
        name += f", glibc {host.glibc[0]}.{host.glibc[1]}"
    lacking = why_no_embedded_engine(host)
    if not lacking:
        return ok("system", f"{name}, AVX2")
    if not embedded_engine:
        return ok("system", f"{name}; the engine runs elsewhere")
    return fail(
        "system",
        f"{name}: the embedded engine needs {lacking}",
        "Set ASIDE_ENGINE_URL to an engine that runs elsewhere",
    )


def check_cpus(host: HostFacts) -> Finding:
    """Count processors, and name the features that make the embedded engine fast."""
    fast = sorted(host.cpu_flags & {"avx2", "avx512f", "avx512_bf16", "amx_bf16"})
    what = f"{host.cpus} processor{'s' if host.cpus > 1 else ''}" + (f", {', '.join(fast)}" if fast else "")
    if host.cpus > 1:
        return ok("cpu", what)
    return warn("cpu", what, "The embedded engine and everything else share it: expect slow replies")


def check_memory(host: HostFacts, *, embedded_engine: bool) -> Finding:
    """Compare memory with what the embedded engine takes."""
    if not host.memory_bytes:
        return warn("memory", "how much there is cannot be told", "The embedded engine takes about 4 GiB")
    what = f"{host.memory_bytes / GIB:.1f} GiB"
    if not embedded_engine or host.memory_bytes >= MEMORY_COMFORT_BYTES:
        return ok("memory", what)
    mend = "Close other programs, or set ASIDE_ENGINE_URL to an engine that runs elsewhere"
    if host.memory_bytes >= MEMORY_NEEDED_BYTES:
        return warn("memory", f"{what}, and the embedded engine takes about 4 GiB", mend)
    return fail("memory", f"{what}, but the embedded engine takes about 4 GiB", mend)


def check_disk(path: Path) -> Finding:
    """Look at the free space where the data directory is, or will be."""
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    return judge_disk(path, free)


def judge_disk(path: Path, free_bytes: int) -> Finding:
    """Judge the free space for a data directory, in bytes."""
    what = f"{free_bytes / GIB:.1f} GiB free for {path}"
    mend = "Free some space, or choose another place with --data-dir or ASIDE_DATA_DIR"
    if free_bytes < DISK_FULL_BYTES:
        return fail("disk", what, mend)
    if free_bytes < DISK_LOW_BYTES:
        return warn("disk", what, mend)
    return ok("disk", what)
