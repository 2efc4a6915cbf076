"""A fake platform as a process of its own, for tests and drivers."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.base import LiveOutput
from adapters.registry import PlatformClass
from tests.platforms.client import PlatformClient
from tests.platforms.cloud_settings import CloudSettings

ROOT = Path(__file__).parents[2]
_LISTENING = "listening on "


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A running fake platform."""

    settings: CloudSettings
    client: PlatformClient
    pid: int

    @property
    def name(self) -> str:
        """The name its adapter has."""
        return self.settings.name

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.settings.url

    def hook(self, gateway: str) -> str:
        """Say where a gateway takes this platform's events."""
        return f"{gateway}/hooks/{self.name}"


@asynccontextmanager
async def running_cloud(
    folder: Path,
    platform_class: PlatformClass | str,
    *,
    live: LiveOutput | str = LiveOutput.EDIT,
    name: str = "",
    secret: str = "secret",  # noqa: S107 - it guards nothing
    seed: int = 0,
    text_limit: int = 4000,
    patience_s: float = 600.0,
    live_min_interval_s: float = 0.25,
) -> AsyncIterator[Cloud]:
    """Start a platform whose record is `folder/NAME.db`; end it when the context is left."""
    platform_class, live = PlatformClass(platform_class), LiveOutput(live)
    name = name or f"cloud_{platform_class.value.lower()}"
    options = {
        "--class": platform_class.value,
        "--live": live.value,
        "--record": str(folder / f"{name}.db"),
        "--secret": secret,
        "--seed": str(seed),
        "--text-limit": str(text_limit),
        "--patience": str(patience_s),
    }
    argv = [
        sys.executable,
        "-m",
        "tests.platforms.server",
        *(word for pair in options.items() for word in pair),
    ]
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - one short moment
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        url = await asyncio.to_thread(_address, process)
        settings = CloudSettings(
            name=name,
            url=url,
            platform_class=platform_class,
            live=live,
            secret=secret,
            text_limit=text_limit,
            live_min_interval_s=live_min_interval_s,
        )
        async with PlatformClient(url) as client:
            yield Cloud(settings=settings, client=client, pid=process.pid)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
        assert process.stdout is not None
        process.stdout.close()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(_LISTENING), "the platform did not start: see its log"
    return line.removeprefix(_LISTENING).strip()
