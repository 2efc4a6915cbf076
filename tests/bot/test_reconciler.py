"""Whatever the schedule forgot or never heard is put again, holds before puts, puts before the epoch."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from bot.clock import SystemClock
from bot.errors import ScheduleErased, ScheduleUnavailable, StoreUnavailable
from bot.store.database import Database
from bot.turns.journal import Journal
from bot.turns.journal.rows import chats
from bot.turns.reconciler import Reconciler
from bot.turns.scheduler.memory import MemoryScheduler
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance


class WatchedScheduler(MemoryScheduler):
    """Writes down what it is asked, fails while told to, and rings when an epoch begins."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.asked: list[str] = []
        self.down = False
        self.rounds = asyncio.Semaphore(0)
        self.refused = asyncio.Semaphore(0)

    def _note(self, what: str) -> None:
        if self.down:
            self.refused.release()
            raise ScheduleUnavailable("Redis cannot be reached")
        self.asked.append(what)

    async def put_many(self, chats) -> None:
        self._note(f"put {len(chats)}")
        await super().put_many(chats)

    async def hold(self, chat_id: str) -> None:
        self._note("hold")
        await super().hold(chat_id)

    async def begin_epoch(self) -> str:
        self._note("epoch")
        epoch = await super().begin_epoch()
        self.rounds.release()
        return epoch


@pytest.fixture
def scheduler(clock: ManualClock) -> WatchedScheduler:
    return WatchedScheduler(clock)


@pytest.fixture
def reconciler(journal: Journal, scheduler: WatchedScheduler, clock: ManualClock) -> Reconciler:
    return Reconciler(journal, scheduler, clock)


@contextlib.asynccontextmanager
async def running(reconciler: Reconciler) -> AsyncIterator[None]:
    task = asyncio.create_task(reconciler.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_every_unfinished_chat_is_put_and_no_other(
    journal: Journal, scheduler: WatchedScheduler, reconciler: Reconciler
) -> None:
    await journal.accept([acceptance(conversation=name) for name in ("a", "b", "done")])
    done = await journal.chat_by_conversation("fake", "main", "done")
    await journal.cancel(await journal.claim(done.id, 1, "e"), None)
    assert await reconciler.put_all() == 2
    taken = {(await scheduler.take(1000)).chat_id for _ in range(2)}
    assert done.id not in taken
    assert await scheduler.take(1000) is None


async def test_holds_come_before_puts_and_the_epoch_last(
    journal: Journal, database: Database, scheduler: WatchedScheduler, reconciler: Reconciler
) -> None:
    await journal.accept([acceptance()])
    async with database.write() as connection:
        await connection.execute(update(chats).values(held=True))
    await reconciler.put_all()
    assert scheduler.asked == ["hold", "put 1", "epoch"]
    assert await scheduler.take(1000) is None


async def test_more_chats_than_a_page_are_all_put(
    journal: Journal, scheduler: WatchedScheduler, reconciler: Reconciler
) -> None:
    await journal.accept([acceptance(conversation=str(n)) for n in range(501)])
    assert await reconciler.put_all() == 501
    assert scheduler.asked == ["put 500", "put 1", "epoch"]


async def test_a_chat_that_was_never_put_is_put_after_a_second(
    journal: Journal, reconciler: Reconciler, clock: ManualClock
) -> None:
    await journal.accept([acceptance()])
    assert await reconciler.put_unclaimed() == 0
    clock.advance(1)
    assert await reconciler.put_unclaimed() == 1


async def test_an_erased_schedule_is_filled_at_once(
    journal: Journal, scheduler: WatchedScheduler, clock: ManualClock
) -> None:
    """Neither the half minute nor the second passes on this clock: only the word of the erasure helps."""
    await journal.accept([acceptance()])
    reconciler = Reconciler(journal, scheduler, clock, look_every_s=60)
    async with running(reconciler):
        await scheduler.rounds.acquire()
        scheduler.erase()
        with pytest.raises(ScheduleErased):
            await scheduler.take(1000)
        reconciler.schedule_erased()
        await scheduler.rounds.acquire()
        assert await scheduler.take(1000) is not None


async def test_everything_is_put_again_regularly(
    journal: Journal, scheduler: WatchedScheduler, clock: ManualClock
) -> None:
    async with running(Reconciler(journal, scheduler, clock, every_s=30, look_every_s=0.001)):
        await scheduler.rounds.acquire()
        assert scheduler.rounds.locked()
        clock.advance(30)
        await scheduler.rounds.acquire()


async def test_an_outage_is_waited_out_and_told_once(
    journal: Journal, scheduler: WatchedScheduler, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot.turns.reconciler")
    await journal.accept([acceptance()])
    scheduler.down = True
    async with running(Reconciler(journal, scheduler, clock, look_every_s=0.001)):
        for _ in range(3):
            await scheduler.refused.acquire()
        scheduler.down = False
        await scheduler.rounds.acquire()
        await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records] == [
        "chats cannot be put again now: Redis cannot be reached",
        "chats can be put again",
    ]
    assert await scheduler.take(1000) is not None


async def test_a_lost_database_is_waited_out(
    scheduler: WatchedScheduler, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing, tried = journal.held_chats, asyncio.Semaphore(0)

    async def lost() -> list[str]:
        tried.release()
        raise StoreUnavailable("the connection to the database was lost")

    monkeypatch.setattr(journal, "held_chats", lost)
    async with running(Reconciler(journal, scheduler, SystemClock(), look_every_s=0.001)):
        await tried.acquire()
        await tried.acquire()
        monkeypatch.setattr(journal, "held_chats", standing)
        await scheduler.rounds.acquire()


async def test_a_first_start_says_nothing_of_an_erasure_and_a_later_one_does(
    journal: Journal, scheduler: WatchedScheduler, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await journal.accept([acceptance()])
    reconciler = Reconciler(journal, scheduler, clock, look_every_s=0.001)
    reconciler.schedule_erased()
    async with running(reconciler):
        await scheduler.rounds.acquire()
        await asyncio.sleep(0)
        assert "erased" not in caplog.text
        scheduler.erase()
        reconciler.schedule_erased()
        await scheduler.rounds.acquire()
        await asyncio.sleep(0)
    assert caplog.text.count("the schedule had been erased, 1 chats were put again") == 1
