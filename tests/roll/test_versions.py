"""A new version beside the old one, as processes: what the old one cannot read it skips, and nobody notices."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.deployment import ROOT, Deployment, Terminal, at_terminal, free_port
from tests.fixtures.eventually import eventually
from tests.fixtures.held_engine import REPLY, HeldEngine, held_engine
from tests.fixtures.introduced import answer_of
from tests.fixtures.valkey import RealServer

PATIENCE_S = 60.0


@dataclass(kw_only=True)
class Rollout:
    """Old and new processes on one record, one Valkey and one engine in the test's hands."""

    deployment: Deployment
    engine: HeldEngine
    record: Path

    async def gateway(self, newer: str = "") -> None:
        """Start the gateway and wait until people can connect."""
        await self.deployment.until_reachable(self.start("gateway", newer))

    def start(self, role: str, newer: str = "") -> "subprocess.Popen[bytes]":
        """Start a role of this version, or of the next, whose formats `newer` names."""
        if not newer:
            return self.deployment.start(role)
        self.deployment.data_dir.mkdir(exist_ok=True)
        with (self.deployment.data_dir / f"{role}.out").open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.roll.newer", role, "--data-dir", str(self.deployment.data_dir)],
                env=self.deployment.environ() | {"NEWER": newer},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self.deployment.processes.append(process)
        return process

    async def stopped(self, process: "subprocess.Popen[bytes]") -> None:
        """Stop a process as a rollout does."""
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            assert await asyncio.to_thread(process.wait) == 0

    async def begun(self, requests: int) -> None:
        """Wait until the engine was asked so often."""
        async with asyncio.timeout(PATIENCE_S):
            await self.engine.until(lambda: len(self.engine.requests) >= requests)

    def turn(self) -> tuple[str, int, bool, bool]:
        """Read the one turn there is: state, attempts, whether it was ever claimed, whether somebody has it."""
        with closing(sqlite3.connect(self.record)) as record:
            row = record.execute("SELECT state, attempts, fence IS NOT NULL, held FROM turns").fetchone()
        return row[0], row[1], bool(row[2]), bool(row[3])

    def log(self, role: str) -> str:
        """Read what the processes of a role logged."""
        return (self.deployment.data_dir / "logs" / f"{role}.log").read_text()


@pytest.fixture
async def rollout(
    own_valkey: RealServer, make_database: Callable[[str], Awaitable[str]]
) -> AsyncIterator[Rollout]:
    """A data directory with a short path, and a migrated record."""
    url = await make_database("sqlite")
    with tempfile.TemporaryDirectory(prefix="aside-") as folder:
        async with held_engine() as (engine, engine_url):
            deployment = Deployment(
                data_dir=Path(folder) / "var",
                env={
                    "ASIDE_ENGINE_URL": engine_url,
                    "ASIDE_DATABASE_URL": url,
                    "ASIDE_REDIS_URL": own_valkey.url,
                    "ASIDE_GATEWAY_PORT": str(free_port()),
                    "ASIDE_WEBCHAT_ENABLED": "false",
                    "ASIDE_WORKER_LEASE_S": "3",
                    "ASIDE_LOG_LEVEL": "info",
                },
            )
            try:
                yield Rollout(
                    deployment=deployment, engine=engine, record=Path(url.removeprefix("sqlite:///"))
                )
            finally:
                await asyncio.to_thread(deployment.end)


async def say(terminal: Terminal, text: str) -> str:
    """Say something to the assistant."""
    return await terminal.say(f"@assistant {text}")


async def test_an_old_worker_leaves_what_a_newer_gateway_wrote_to_a_newer_worker(rollout: Rollout) -> None:
    """It claims, puts down, charges nothing, and goes on; the newer worker answers."""
    rollout.engine.go_on()
    await rollout.gateway(newer="said")
    rollout.start("worker")
    async with at_terminal(rollout.deployment, "ann", "team") as ann:
        asked = await say(ann, "what time is it?")
        await eventually(lambda: _was_put_down(rollout))
        newer = rollout.start("worker", newer="said")
        assert answer_of((await ann.reply_to(asked)).text) == REPLY
        assert rollout.turn()[1] == 0
        assert newer.poll() is None
    assert "what time is it?" in rollout.engine.prompts()[0]
    assert "is left to a newer version" in rollout.log("worker")


async def _was_put_down(rollout: Rollout) -> bool:
    state, attempts, claimed, held = rollout.turn()
    return claimed and not held and (state, attempts) == ("waiting", 0)


async def test_an_old_gateway_shows_nothing_of_a_newer_workers_stream_but_its_reply(rollout: Rollout) -> None:
    await rollout.gateway()
    rollout.start("worker", newer="live")
    async with at_terminal(rollout.deployment, "ann", "team") as ann:
        asked = await say(ann, "what time is it?")
        await rollout.begun(1)
        await eventually(lambda: _dropped(rollout, "gateway", "a live snapshot was dropped"))
        rollout.engine.go_on()
        assert answer_of((await ann.reply_to(asked)).text) == REPLY


async def test_an_old_worker_that_misses_a_newer_stop_signal_stops_all_the_same(rollout: Rollout) -> None:
    await rollout.gateway(newer="live")
    rollout.start("worker")
    async with at_terminal(rollout.deployment, "ann", "team") as ann:
        asked = await say(ann, "what time is it?")
        await rollout.begun(1)
        await ann.streaming(asked)
        await ann.stop()
        assert "stopped" in (await ann.reply_to(asked)).text
    assert "a stop signal was dropped" in rollout.log("worker")


async def test_each_version_remembers_what_the_other_answered(rollout: Rollout) -> None:
    """A context that the other wrote is at worst a miss, never a failure and never forgotten."""
    rollout.engine.go_on()
    await rollout.gateway()
    async with at_terminal(rollout.deployment, "ann", "team") as ann:
        for number, newer in enumerate(("context", "", "context"), start=1):
            worker = rollout.start("worker", newer=newer)
            reply = await ann.reply_to(await say(ann, f"question {number}"))
            assert answer_of(reply.text) == REPLY
            await rollout.stopped(worker)
    assert all(f"question {number}" in rollout.engine.prompts()[-1] for number in (1, 2, 3))
    assert "the cached context of chat" in rollout.log("worker")


async def _dropped(rollout: Rollout, role: str, words: str) -> bool:
    return words in rollout.log(role)
