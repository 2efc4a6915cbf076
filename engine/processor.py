"""What the processor here can do. Standard library only: the installer reads it too."""

from collections.abc import Set as AbstractSet
from pathlib import Path

#: Features by which a processor computes in bfloat16 itself; without any, its libraries convert back and forth.
_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16"})


def cpu_flags() -> frozenset[str]:
    """Read the features of the processors here; empty where this system does not tell."""
    try:
        return parse_cpu_flags(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return frozenset()


def parse_cpu_flags(cpuinfo: str) -> frozenset[str]:
    """Read the first processor's features from the text of `/proc/cpuinfo`."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def computes_bfloat16(flags: AbstractSet[str]) -> bool:
    """Tell whether a processor with these features computes in bfloat16 itself."""
    return bool(_BFLOAT16 & flags)
