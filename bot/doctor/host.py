"""Facts about this machine that decide what runs on it. Standard library only: the installer reads them."""

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.processor import cpu_flags

#: Python releases that the test suite runs on.
TESTED_PYTHON = ((3, 11),)
#: The first and the last Python the lock files are made for.
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
#: What the embedded engine's wheels were built against (manylinux_2_28).
OLDEST_GLIBC = (2, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The machine as a program meets it."""

    python: tuple[int, int, int]
    #: `Linux`, `Darwin`, ...
    system: str
    #: `x86_64`, `aarch64`, ...
    machine: str
    #: The GNU C library's version, or None where it is another one.
    glibc: tuple[int, int] | None
    cpu_flags: frozenset[str]
    #: Processors this process may use.
    cpus: int
    #: Memory this process may use, in bytes; 0 where unknown.
    memory_bytes: int


def read_host() -> HostFacts:
    """Look at this machine."""
    return HostFacts(
        python=(sys.version_info.major, sys.version_info.minor, sys.version_info.micro),
        system=platform.system(),
        machine=platform.machine(),
        glibc=_glibc(),
        cpu_flags=cpu_flags(),
        cpus=_cpus(),
        memory_bytes=_memory_bytes(),
    )


def why_no_embedded_engine(host: HostFacts) -> str:
    """Say what the embedded engine lacks on a machine, to end 'it needs ...'; an empty text where it runs."""
    if host.system != "Linux":
        return f"Linux, and this is {host.system or 'an unknown system'}"
    if host.machine not in ("x86_64", "AMD64"):
        return f"an x86-64 processor, and this is {host.machine or 'an unknown one'}"
    if host.glibc is None:
        return "the GNU C library (glibc) 2.28 or newer, and this system has another C library"
    if host.glibc < OLDEST_GLIBC:
        return f"glibc 2.28 or newer, and this system has {host.glibc[0]}.{host.glibc[1]}"
    if "avx2" not in host.cpu_flags:
        return "a processor with AVX2, and this one has none"
    return ""


def parse_glibc(version: str) -> tuple[int, int] | None:
    """Read `glibc 2.36`, as `confstr` says it; None for anything else."""
    name, _, number = version.partition(" ")
    major, _, minor = number.partition(".")
    minor = minor.partition(".")[0]
    if name != "glibc" or not (major.isdigit() and minor.isdigit()):
        return None
    return int(major), int(minor)


def _glibc() -> tuple[int, int] | None:
    try:
        return parse_glibc(os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (AttributeError, ValueError, OSError):
        return None


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int:
    try:
        installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    # A container's own limit (control group version 2) may be below what the machine has.
    limit = _text(Path("/sys/fs/cgroup/memory.max")).strip()
    return min(installed, int(limit)) if limit.isdigit() else installed


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
