"""A child process that cannot outlive us: not after a crash, not after SIGKILL, and neither can its own children.

Between us and the command stands `guard.py`, which holds one end of a socket pair. When our end closes, because we
said so or because the kernel cleaned up after us, the guard ends the command and everything below it. Linux only.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

_GUARD = Path(__file__).with_name("guard.py")
#: How much longer than its grace a child may take to be gone before waiting for it is pointless.
_SLACK_S = 5.0
_TAIL_BYTES = 64 << 10


class ChildFailed(Exception):
    """A child process could not be started, or its guard vanished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run, and where its output goes."""

    #: For people: "vLLM", "Valkey".
    name: str
    argv: tuple[str, ...]
    #: The whole environment; nothing is added to it.
    env: Mapping[str, str]
    #: Standard output and error; an earlier file is kept as `NAME.1`.
    log: Path
    cwd: Path | None = None
    #: Seconds between SIGTERM and SIGKILL, also when we die.
    grace_s: float = 10.0


class Child:
    """One running command. Enter to start it, leave to end it.

    Entering raises `ChildFailed` with a sentence when the command cannot be executed. Leaving terminates it with its
    grace; a cancellation meanwhile kills it at once.
    """

    def __init__(self, command: Command) -> None:
        """Remember what to run."""
        self._command = command
        self._guard: subprocess.Popen[bytes] | None = None
        self._control: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[int] | None = None
        self._pid = 0

    @property
    def command(self) -> Command:
        """What runs."""
        return self._command

    @property
    def pid(self) -> int:
        """The command's own process id, which also names its session."""
        return self._pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs, else its exit status, or minus the signal that ended it."""
        if self._listener is None or not self._listener.done() or self._listener.cancelled():
            return None
        return self._listener.result()

    async def __aenter__(self) -> Self:
        """Start the command."""
        ours, self._guard = _start_guard(self._command)
        try:
            reader, self._control = await asyncio.open_connection(sock=ours)
            self._pid = await self._first_word(reader)
        except BaseException:
            await self._release()
            raise
        self._listener = asyncio.create_task(self._listen(reader), name=f"listen to {self._command.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the command, whatever it takes."""
        try:
            await self.terminate()
        except BaseException:
            self._ask("kill")
            raise
        finally:
            await self._release()

    async def wait(self) -> int:
        """Wait until the command has ended and return its exit status, or minus the signal. May be called often."""
        assert self._listener is not None, "enter the child first"
        return await asyncio.shield(self._listener)

    async def terminate(self, grace_s: float | None = None) -> int:
        """Send SIGTERM, after the grace SIGKILL to all that is left, and return the exit status."""
        grace_s = self._command.grace_s if grace_s is None else grace_s
        self._ask(f"term {grace_s}")
        return await self._ended_within(grace_s + _SLACK_S)

    async def kill(self) -> int:
        """Send SIGKILL to the command and all below it, and return the exit status."""
        self._ask("kill")
        return await self._ended_within(_SLACK_S)

    def last_lines(self, count: int = 20) -> str:
        """Return the end of the log, for an error message; empty when there is none."""
        return last_lines(self._command.log, count)

    def _ask(self, line: str) -> None:
        if self._control is not None and self.exit_status is None:
            self._control.write(line.encode() + b"\n")

    async def _ended_within(self, seconds: float) -> int:
        try:
            async with asyncio.timeout(seconds):
                return await self.wait()
        except TimeoutError as exc:
            raise ChildFailed(f"{self._command.name} does not end, process {self._pid}") from exc

    async def _first_word(self, reader: asyncio.StreamReader) -> int:
        word, _, rest = (await reader.readline()).decode().strip().partition(" ")
        if word == "pid":
            return int(rest)
        raise ChildFailed(
            f"{self._command.name} cannot be started: {rest or self.last_lines(3) or 'its guard failed'}"
        )

    async def _listen(self, reader: asyncio.StreamReader) -> int:
        """Wait for the guard's last word; a guard that was killed says nothing, and has no status to tell."""
        while line := await reader.readline():
            word, _, rest = line.decode().strip().partition(" ")
            if word == "exit":
                return int(rest)
        return -signal.SIGKILL

    async def _release(self) -> None:
        """Close our end, which ends whatever still runs, and collect the guard."""
        if self._control is not None:
            self._control.close()
            with contextlib.suppress(OSError):
                await self._control.wait_closed()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        if self._guard is not None:
            await asyncio.to_thread(self._guard.wait)


def last_lines(log: Path, count: int) -> str:
    """Return the last lines of a log file, without reading more than its end."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])


def _start_guard(command: Command) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start the guard, in a session no terminal can signal, and return our end of its control."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            return ours, _run_guard(command, theirs)
        except OSError as exc:
            ours.close()
            raise ChildFailed(f"{command.name} cannot be started: {exc}") from exc


def _run_guard(command: Command, control: socket.socket) -> subprocess.Popen[bytes]:
    guard = [sys.executable, "-I", "-S", str(_GUARD), str(control.fileno()), str(command.grace_s)]
    with _open_log(command.log) as log:
        return subprocess.Popen(  # noqa: S603 - the command comes from our own code, never from a message
            [*guard, *command.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(command.env),
            cwd=command.cwd,
            pass_fds=(control.fileno(),),
            start_new_session=True,
        )


def _open_log(path: Path) -> BinaryIO:
    """Begin a log that only we can read, and keep the one before it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(f"{path.name}.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")
