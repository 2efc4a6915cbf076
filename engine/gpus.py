"""Which GPUs this process may use, and whether a profile can run on them."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import LaunchError
from engine.profile import Profile

_QUERY = ("--query-gpu=index,uuid,memory.total,name", "--format=csv,noheader,nounits")
_ASK_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU as NVIDIA's own tool lists it."""

    index: int
    uuid: str
    memory_mib: int
    name: str


def list_gpus(environ: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Ask NVIDIA's own tool for the GPUs that vLLM will see; none where there is no tool or it fails."""
    tool = shutil.which("nvidia-smi", path=environ.get("PATH"))
    if tool is None:
        return ()
    try:
        answer = subprocess.run(  # noqa: S603 - a fixed command, found on this machine's own PATH
            [tool, *_QUERY], capture_output=True, text=True, timeout=_ASK_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return visible(parse_gpus(answer.stdout), environ.get("CUDA_VISIBLE_DEVICES"))


def parse_gpus(listing: str) -> tuple[Gpu, ...]:
    """Read the tool's lines; those it cannot fill in, as with a lost GPU, are left out."""
    gpus = []
    for line in listing.splitlines():
        index, uuid, memory, name = ([word.strip() for word in line.split(",", 3)] + [""] * 4)[:4]
        if index.isdecimal() and memory.isdecimal():
            gpus.append(Gpu(index=int(index), uuid=uuid, memory_mib=int(memory), name=name))
    return tuple(gpus)


def visible(gpus: Sequence[Gpu], chosen: str | None) -> tuple[Gpu, ...]:
    """Keep those that CUDA_VISIBLE_DEVICES leaves visible: all when unset, none from the first unknown one on."""
    if chosen is None:
        return tuple(gpus)
    kept: list[Gpu] = []
    for word in (part.strip() for part in chosen.split(",")):
        found = [one for one in gpus if word == str(one.index) or (word and one.uuid.startswith(word))]
        if len(found) != 1:
            break
        kept += found
    return tuple(kept)


def require_gpus(profile: Profile, gpus: Sequence[Gpu]) -> None:
    """Raise `LaunchError`, with what there is and what to do, where the profile's GPUs are not all here."""
    needed_mib = profile.gpu_memory_mib or 0
    large = [one for one in gpus if one.memory_mib >= needed_mib]
    if len(large) >= profile.gpus:
        return
    listed = ", ".join(f"{one.name} with {one.memory_mib} MiB" for one in gpus)
    raise LaunchError(
        f"the profile {profile.name} needs {profile.hardware}, and what can be used here is "
        f"{listed or 'no NVIDIA GPU'}: choose another of `aside profiles`, or set ASIDE_ENGINE_URL to an engine "
        "that runs elsewhere"
    )
