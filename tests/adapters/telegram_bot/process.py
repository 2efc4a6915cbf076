"""A fake Telegram as a process of its own, for tests and drivers."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.adapters.telegram_bot.rules import TOKEN

ROOT = Path(__file__).parents[3]
_LISTENING = "listening on "


@asynccontextmanager
async def running_telegram(
    record: Path, *, token: str = TOKEN, username: str = "aside_bot", reads_all: bool = False, seed: int = 0
) -> AsyncIterator[tuple[str, int]]:
    """Start a platform over a record; give its URL and process id, and end it when the context is left."""
    options = {"--record": str(record), "--token": token, "--username": username, "--seed": str(seed)}
    argv = [sys.executable, "-m", "tests.adapters.telegram_bot.server"]
    argv += [word for pair in options.items() for word in pair] + ["--reads-all"] * reads_all
    with record.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - one short moment
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        yield await asyncio.to_thread(_address, process), process.pid
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
