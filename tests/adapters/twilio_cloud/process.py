"""The cloud as a process of its own, for tests and drivers."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.adapters.twilio_cloud.remote import RemoteCloud

ROOT = Path(__file__).parents[3]
_LISTENING = "listening on "


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCloud:
    """A cloud in another process."""

    remote: RemoteCloud
    pid: int

    @property
    def url(self) -> str:
        """Where the API is."""
        return self.remote.url


@asynccontextmanager
async def running_twilio(folder: Path, *, name: str = "twilio", seed: int = 0) -> AsyncIterator[RunningCloud]:
    """Start a cloud whose record is `folder/NAME.db`; end it when the context is left."""
    record = ["--record", str(folder / f"{name}.db")]
    argv = [sys.executable, "-m", "tests.adapters.twilio_cloud.server", *record, "--seed", str(seed)]
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - one short moment
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        url = await asyncio.to_thread(_address, process)
        async with RemoteCloud(url) as remote:
            yield RunningCloud(remote=remote, pid=process.pid)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
        assert process.stdout is not None
        process.stdout.close()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(_LISTENING), "the cloud did not start: see its log"
    return line.removeprefix(_LISTENING).strip()
