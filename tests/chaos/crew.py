"""The processes of a deployment: started, killed, frozen, rolled, and started again whenever they end."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: What a process may take to end in order before it is killed.
_PATIENCE_S = 30.0
_MOST_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a process runs."""

    name: str
    module: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    out: Path


@dataclass(slots=True)
class Member:
    """One place in the crew, whoever fills it at the moment."""

    part: Part
    pid: int | None = None
    frozen: bool = False
    started: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    #: Whether its next end was wanted.
    expected: bool = False
    started_at_s: float = 0.0


class Crew:
    """Keeps processes alive that others kill; enter `working` to have the nursery that starts them."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._members: dict[str, Member] = {}
        self._nursery: asyncio.subprocess.Process | None = None
        self._keeps = True
        #: Ends that nobody asked for: a role that gave up, say because its database was away when it started.
        self.gave_up = 0

    @asynccontextmanager
    async def working(self) -> AsyncIterator["Crew"]:
        """Have a nursery; on leaving, everybody it started is gone."""
        nursery = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.nursery"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        self._nursery = nursery
        assert nursery.stdout is not None
        await nursery.stdout.readline()
        listening = asyncio.create_task(self._listen(nursery.stdout))
        try:
            yield self
        finally:
            self._keeps = False
            for member in self._members.values():
                self._signal(member, signal.SIGKILL)
            assert nursery.stdin is not None
            nursery.stdin.close()
            await nursery.wait()
            await listening

    def names(self) -> list[str]:
        """Name those that live and are not frozen."""
        return [name for name, member in self._members.items() if member.pid and not member.frozen]

    async def start(self, part: Part) -> None:
        """Start a process and keep it alive from now on."""
        member = self._members[part.name] = Member(part)
        self._fork(member)
        await member.started.wait()

    def kill(self, name: str) -> None:
        """Kill one; another takes its place."""
        member = self._members[name]
        member.expected = True
        self._signal(member, signal.SIGKILL)

    async def freeze(self, name: str, seconds: float) -> None:
        """Stop one for a while, unless it has gone meanwhile."""
        member = self._members[name]
        pid = member.pid
        self._signal(member, signal.SIGSTOP)
        member.frozen = True
        try:
            await asyncio.sleep(seconds)
        finally:
            member.frozen = False
            if pid is not None and member.pid == pid:
                self._signal(member, signal.SIGCONT)

    async def roll(self, name: str) -> bool:
        """End one in order and wait for the next; False when it had to be killed."""
        member = self._members[name]
        member.expected = True
        member.ended.clear()
        self._signal(member, signal.SIGTERM)
        in_order = True
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await member.ended.wait()
        except TimeoutError:
            in_order = False
            self._signal(member, signal.SIGKILL)
            await member.ended.wait()
        await member.started.wait()
        return in_order

    def _fork(self, member: Member) -> None:
        assert self._nursery is not None
        assert self._nursery.stdin is not None
        part = member.part
        order = {"name": part.name, "module": part.module, "argv": part.argv, "env": dict(part.env)}
        self._nursery.stdin.write(json.dumps(order | {"out": str(part.out)}).encode() + b"\n")

    async def _listen(self, news: asyncio.StreamReader) -> None:
        while line := await news.readline():
            self._heard(json.loads(line))

    def _heard(self, news: dict[str, Any]) -> None:
        member = self._members[news["name"]]
        if "status" not in news:
            member.pid = news["pid"]
            member.started_at_s = time.monotonic()
            member.started.set()
            return
        member.pid = None
        member.started.clear()
        member.ended.set()
        if not self._keeps:
            return
        pause_s = random.uniform(0.0, _MOST_PAUSE_S)
        if not member.expected:
            self.gave_up += 1
            lived_s = time.monotonic() - member.started_at_s
            self._tell(
                f"{news['name']} ended by itself after {lived_s:.1f} s with status {news['status']}: "
                f"see {member.part.out}"
            )
            pause_s += 1.0
        member.expected = False
        asyncio.get_running_loop().call_later(pause_s, self._again, member)

    def _again(self, member: Member) -> None:
        if self._keeps:
            self._fork(member)

    def _signal(self, member: Member, number: signal.Signals) -> None:
        if member.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(member.pid, number)
