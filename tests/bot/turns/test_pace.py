"""How fast turns are answered: measured in each worker, written down, and added up by every gateway."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.errors import ScheduleUnavailable
from bot.store.database import Database
from bot.store.tables import PaceRow
from bot.telemetry.events import AttemptFailed, TurnFinished, TurnOutcome, TurnTaken
from bot.telemetry.metrics import Metrics
from bot.turns.line import Line, Pace
from bot.turns.line_watch import LineWatch
from bot.turns.pace import MOST_OPEN, PaceMeter
from bot.turns.paces import FRESH_S, KEPT, Paces
from bot.turns.scheduler.memory import MemoryScheduler
from bot.turns.tasks import end
from tests.fixtures.clocks import ManualClock
from tests.fixtures.rig import PATIENCE_S


def taken(turn: str) -> TurnTaken:
    return TurnTaken(turn_id=turn, chat_id="c", token=1, waited_s=0.0)


def finished(turn: str) -> TurnFinished:
    return TurnFinished(turn_id=turn, chat_id="c", outcome=TurnOutcome.SENT, total_s=99.0)


def measured(meter: PaceMeter, clock: ManualClock, turn: str, seconds: float) -> None:
    meter(taken(turn))
    clock.advance(seconds)
    meter(finished(turn))


def test_before_any_turn_ended_there_is_no_mean(clock: ManualClock) -> None:
    meter = PaceMeter(clock)
    meter(taken("a"))
    meter(finished("of another worker"))
    assert meter.turn_s is None


def test_the_first_turns_share_equally(clock: ManualClock) -> None:
    meter = PaceMeter(clock)
    for number, seconds in enumerate((2.0, 4.0, 6.0)):
        measured(meter, clock, f"t{number}", seconds)
    assert meter.turn_s == pytest.approx(4.0)


def test_later_the_newest_count_most(clock: ManualClock) -> None:
    meter = PaceMeter(clock)
    for number in range(50):
        measured(meter, clock, f"slow{number}", 10.0)
    for number in range(40):
        measured(meter, clock, f"fast{number}", 1.0)
    assert meter.turn_s == pytest.approx(1.0, abs=0.2)


def test_a_failed_attempt_is_not_a_turns_time(clock: ManualClock) -> None:
    meter = PaceMeter(clock)
    meter(taken("a"))
    clock.advance(100)
    meter(AttemptFailed(turn_id="a", error="EngineNotReady", counted=False))
    measured(meter, clock, "a", 3.0)
    assert meter.turn_s == 3.0


def test_turns_whose_end_is_never_told_do_not_pile_up(clock: ManualClock) -> None:
    meter = PaceMeter(clock)
    for number in range(MOST_OPEN + 100):
        meter(taken(f"t{number}"))
    assert len(meter._taken_at_s) == MOST_OPEN


@pytest.fixture
def paces(database: Database, clock: ManualClock) -> Paces:
    return Paces(database, clock)


async def test_nobody_at_work_has_no_slots(paces: Paces) -> None:
    assert await paces.known() == Pace(slots=0, turn_s=None)


async def test_workers_add_up(paces: Paces) -> None:
    await paces.report("a", slots=8, turn_s=2.0)
    await paces.report("b", slots=2, turn_s=7.0)
    await paces.report("c", slots=4, turn_s=None)
    known = await paces.known()
    assert (known.slots, known.turn_s) == (14, pytest.approx(3.0))


async def test_the_newest_report_of_a_worker_counts(paces: Paces) -> None:
    await paces.report("a", slots=8, turn_s=None)
    await paces.report("a", slots=3, turn_s=2.0)
    assert await paces.known() == Pace(slots=3, turn_s=2.0)


async def test_a_worker_that_is_gone_leaves_its_mean_and_not_its_slots(
    paces: Paces, clock: ManualClock
) -> None:
    await paces.report("gone", slots=8, turn_s=2.0)
    clock.advance(FRESH_S + 1)
    await paces.report("new", slots=4, turn_s=None)
    assert await paces.known() == Pace(slots=4, turn_s=2.0)


async def test_workers_that_went_long_ago_are_forgotten(
    paces: Paces, database: Database, clock: ManualClock
) -> None:
    await paces.report("gone", slots=8, turn_s=2.0)
    clock.advance((KEPT + timedelta(hours=1)).total_seconds())
    await paces.report("new", slots=4, turn_s=None)
    async with database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(PaceRow))).scalar_one() == 1


@pytest.fixture
async def watched(paces: Paces, clock: ManualClock) -> tuple[LineWatch, Line, MemoryScheduler]:
    scheduler, line = MemoryScheduler(clock), Line()
    await scheduler.begin_epoch()
    await paces.report("a", slots=2, turn_s=4.0)
    return LineWatch(line, scheduler, paces, clock, every_s=0.001), line, scheduler


async def test_the_line_is_what_schedule_and_workers_say(watched) -> None:
    watch, line, scheduler = watched
    await scheduler.put_many({f"chat{number}": 1.0 for number in range(10)})
    await watch.look()
    assert line.predicted_wait_s() == pytest.approx(10.7 * 2)


async def test_while_the_schedule_pauses_nobody_knows_how_long_it_takes(watched) -> None:
    watch, line, scheduler = watched
    await scheduler.put("chat")
    await scheduler.pause()
    await watch.look()
    assert line.predicted_wait_s() is None


async def test_an_outage_is_forgotten_and_looked_at_again(watched, monkeypatch) -> None:
    watch, line, scheduler = watched
    await watch.look()
    looks = []

    async def away() -> None:
        looks.append(line.predicted_wait_s())
        if len(looks) > 1:
            raise RuntimeError("a fault of ours")
        raise ScheduleUnavailable("no connection")

    async def enough(_seconds: float) -> None:
        if len(looks) == 3:
            raise InterruptedError

    monkeypatch.setattr(scheduler, "counts", away)
    monkeypatch.setattr("bot.turns.line_watch.asyncio.sleep", enough)
    with pytest.raises(InterruptedError):
        await watch.run()
    assert looks == [0.0, None, None]


async def test_what_is_predicted_is_told_to_operators(paces: Paces, clock: ManualClock) -> None:
    scheduler, line, metrics = MemoryScheduler(clock), Line(), Metrics()
    await scheduler.begin_epoch()
    await scheduler.put("chat")
    await paces.report("a", slots=2, turn_s=4.0)
    watching = asyncio.ensure_future(LineWatch(line, scheduler, paces, clock, tell=metrics.set_line).run())
    async with asyncio.timeout(PATIENCE_S):
        while b"aside_line_wait_seconds 3.4" not in metrics.exposition():
            await asyncio.sleep(0.001)
    await end({watching})
    metrics.set_line(None)
    assert b"aside_line_wait_seconds NaN" in metrics.exposition()
