"""Decides which stages are needed on this machine, and says so before anything is done."""

from collections.abc import Sequence
from enum import StrEnum

from aside_install.errors import InstallError
from aside_install.sizes import MB, megabytes
from aside_install.stages import ENGINE_PYTHON, Stage
from bot.doctor.host import HostFacts, why_no_embedded_engine


class Target(StrEnum):
    """What a person can ask for."""

    #: The environment that runs Aside.
    APP = "app"
    #: The same with everything that tests and checks need.
    DEV = "dev"
    #: The environment that runs the embedded engine.
    ENGINE = "engine"
    #: The embedded model.
    MODEL = "model"


#: What only the embedded engine needs.
EMBEDDED = (Target.ENGINE, Target.MODEL)


def why_no_engine(host: HostFacts, *, has_engine_python: bool) -> str:
    """Say what the embedded engine's installation lacks here; an empty text where it can be made."""
    lacking = why_no_embedded_engine(host)
    if not lacking and not has_engine_python:
        return f"Python {ENGINE_PYTHON}, and there is no python{ENGINE_PYTHON} on the PATH"
    return lacking


def choose(targets: Sequence[Target], *, engine_url: str, lacking: str) -> tuple[list[Target], str]:
    """Drop the embedded engine where one elsewhere replaces it; give what stays, and a sentence about it.

    Raises `InstallError` where it is wanted, cannot run and nothing replaces it.
    """
    if not any(target in EMBEDDED for target in targets):
        return list(targets), ""
    rest = [target for target in targets if target not in EMBEDDED]
    if engine_url:
        return rest, "The embedded engine is left out: engine.url names one that runs elsewhere."
    if lacking:
        raise InstallError(
            f"The embedded engine cannot run here: it needs {lacking}. Set ASIDE_ENGINE_URL to an engine "
            "that runs elsewhere, such as http://gpu-server:8000/v1, and everything else runs here."
        )
    return list(targets), ""


def announcement(stages: Sequence[Stage], place: str, free_bytes: int) -> str:
    """Say what will be made, how much is downloaded, how much disk it takes and about how long it lasts."""
    width = max(len(stage.title) for stage in stages)
    lines = [f"To be made below {place}:"]
    for stage in stages:
        download = f"{stage.size.download_mb} MB download" if stage.size.download_mb else "no download"
        disk = f"{megabytes(stage.size.disk_mb * MB)} of disk"
        lines.append(f"  {stage.title:<{width}}  {download:>15}  {disk:>14}  about {stage.size.duration}")
    download_bytes = sum(stage.size.download_mb for stage in stages) * MB
    disk_bytes = sum(stage.size.disk_mb for stage in stages) * MB
    lines.append(
        f"In all {megabytes(download_bytes)} of download and {megabytes(disk_bytes)} of disk "
        f"({megabytes(needed_bytes(stages))} while it installs); {megabytes(free_bytes)} are free."
    )
    return "\n".join(lines)


def needed_bytes(stages: Sequence[Stage]) -> int:
    """Add up the most disk that the stages take at once, in bytes."""
    return sum(stage.size.peak_bytes for stage in stages)
