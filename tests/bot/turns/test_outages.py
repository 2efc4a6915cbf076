"""The database or the platform goes away in the middle of a turn and comes back: nothing lost, nothing charged."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Idempotency, LiveOutput
from bot.bootstrap import make_worker
from bot.errors import PlatformMissing
from bot.telemetry.events import AttemptFailed
from bot.turns.outage import ScheduleOutage
from bot.turns.tasks import end
from engine.base import ChatRequest
from engine.scripted import ScriptedEngine
from tests.fixtures.clocks import ManualClock
from tests.fixtures.freezing import Freezer
from tests.fixtures.rig import PATIENCE_S, Rig, loopback, open_rig, saying

POINTS = (
    "before journal claim",
    "before journal placeholder_posted",
    "before journal store_reply",
    "before journal start_part",
    "before journal part_sent",
    "before journal finish",
)


class Locked:
    """The record's write lock, held by another process's connection."""

    def __init__(self, rig: Rig) -> None:
        self._connection = sqlite3.connect(rig.core.settings.data.database, isolation_level=None)

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self._connection.rollback()
        self._connection.close()


@pytest.mark.parametrize("point", POINTS)
async def test_a_locked_database_at_any_step_loses_nothing_and_shows_nothing_twice(
    tmp_path: Path, point: str
) -> None:
    platform = loopback(Idempotency.NONE, LiveOutput.EDIT)
    async with open_rig(tmp_path, platform=platform, busy_timeout_s=0.02) as rig:
        freezer = Freezer(point)
        worker, _ = make_worker(freezer.core(rig.core), saying("noon it is"), embedded=False)
        rig.run(worker.run())
        await rig.say("what time is it?")
        async with asyncio.timeout(PATIENCE_S):
            await freezer.frozen.wait()
        with Locked(rig):
            freezer.thaw(slept_s=0.0)
            await asyncio.sleep(0.2)
        assert await rig.texts(1) == ["noon it is"]
        assert not any(event.counted for event in rig.told(AttemptFailed))


async def test_a_stop_is_heard_from_the_record_when_the_signal_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_rig(tmp_path, lease_s=1.0) as rig:

        async def lost(turn_id: str) -> None:
            return

        async def pace(request: ChatRequest, n: int) -> None:
            if n == 2:
                await asyncio.Event().wait()

        monkeypatch.setattr(rig.core.shared.bus, "signal_stop", lost)
        rig.start_worker(ScriptedEngine(lambda request: "one two three", pace=pace))
        await rig.say("count")
        await rig.until(lambda: bool(rig.loopback.texts("room")))
        await rig.say("/stop")
        [text] = await rig.texts(1)
        assert "stopped" in text


async def test_a_stop_while_the_reply_is_being_sent_changes_nothing(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        rig.loopback.faults.hold()
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        await rig.loopback.faults.waiting.wait()
        await rig.say("/stop")
        rig.loopback.faults.release()
        assert await rig.texts(1) == ["noon"]


async def test_a_turn_of_a_platform_that_is_not_enabled_waits_uncharged(tmp_path: Path) -> None:
    async with open_rig(tmp_path) as rig:
        platforms = rig.core.platforms
        await rig.say("what time is it?")
        rig.core = replace(rig.core, platforms={})
        worker = rig.start_worker(saying("noon"))
        await rig.until(lambda: len(rig.told(AttemptFailed)) >= 2)
        assert {(event.error, event.counted) for event in rig.told(AttemptFailed)} == {
            (PlatformMissing.__name__, False)
        }
        await end({worker})
        rig.core = replace(rig.core, platforms=platforms)
        rig.start_worker(saying("noon"))
        assert await rig.texts(1) == ["noon"]


async def test_a_drain_during_the_stream_leaves_no_task_behind(tmp_path: Path) -> None:
    async with open_rig(tmp_path, drain_s=0.0) as rig:
        before = asyncio.all_tasks()
        started = asyncio.Event()

        async def pace(request: ChatRequest, n: int) -> None:
            if n == 2:
                started.set()
                await asyncio.Event().wait()

        engine = ScriptedEngine(lambda request: "one two three", pace=pace)
        rig.start_worker(engine)
        await rig.say("count")
        await started.wait()
        await end(rig.tasks)
        assert engine.running == 0
        assert {task for task in asyncio.all_tasks() if not task.done()} <= before


def test_one_outage_of_the_schedule_is_told_once_by_all_who_meet_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage = ScheduleOutage(ManualClock())
    caplog.set_level("INFO")
    outage.ended()
    for _ in range(3):
        outage.began(OSError("x"))
    for _ in range(2):
        outage.ended()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
