"""A lease is held by the last confirmation and our own clock, whatever the schedule is doing."""

import asyncio

import pytest

from bot.errors import ScheduleUnavailable
from bot.turns.lease import Lease, LeaseLost
from bot.turns.scheduler.base import Take
from bot.turns.scheduler.memory import MemoryScheduler
from tests.fixtures.clocks import ManualClock

LEASE_MS = 10_000


async def renew_often(lease: Lease) -> None:
    for _ in range(10):
        await lease.renew()


class Unreliable(MemoryScheduler):
    """Cannot be reached while told so, and lets time pass within a call."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.clock = clock
        self.gone = False
        self.takes_s = 0.0

    async def keep(self, take: Take, lease_ms: int) -> bool:
        if self.gone:
            raise ScheduleUnavailable("no connection")
        kept = await super().keep(take, lease_ms)
        self.clock.advance(self.takes_s)
        return kept


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def scheduler(clock: ManualClock) -> Unreliable:
    return Unreliable(clock)


@pytest.fixture
async def lease(clock: ManualClock, scheduler: Unreliable) -> Lease:
    await scheduler.begin_epoch()
    await scheduler.put("chat")
    take = await scheduler.take(LEASE_MS)
    assert take is not None
    return Lease(scheduler, take, lease_ms=LEASE_MS, clock=clock)


async def test_our_clock_ends_a_lease_before_the_schedule_does(
    lease: Lease, scheduler: Unreliable, clock: ManualClock
) -> None:
    clock.advance(8.9)
    assert lease.held
    clock.advance(0.2)
    assert not lease.held
    with pytest.raises(LeaseLost):
        lease.require()
    assert await scheduler.keep(lease.take, LEASE_MS), "the schedule would still have kept it"


async def test_a_confirmation_counts_from_when_it_was_asked(
    lease: Lease, scheduler: Unreliable, clock: ManualClock
) -> None:
    clock.advance(5)
    scheduler.takes_s = 4.0
    await lease.confirm()
    clock.advance(4.9)
    assert lease.held
    clock.advance(0.2)
    assert not lease.held


async def test_a_schedule_out_of_reach_leaves_what_was_confirmed(
    lease: Lease, scheduler: Unreliable, clock: ManualClock
) -> None:
    scheduler.gone = True
    await lease.confirm()
    clock.advance(9.5)
    with pytest.raises(LeaseLost):
        await lease.confirm()


async def test_a_no_is_final(lease: Lease, scheduler: Unreliable) -> None:
    scheduler.erase()
    with pytest.raises(LeaseLost):
        await lease.confirm()
    assert not lease.held


async def test_a_renewal_never_sleeps_past_the_end_of_the_lease(
    lease: Lease, scheduler: Unreliable, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    scheduler.gone = True
    with pytest.raises(LeaseLost):
        await renew_often(lease)
    assert sum(slept) == pytest.approx(9.0)


async def test_a_lease_whose_holder_came_too_late_ran_out(lease: Lease, clock: ManualClock) -> None:
    assert not lease.ran_out
    clock.advance(9.5)
    assert lease.ran_out


async def test_a_lease_that_another_got_for_its_holder_came_too_late_ran_out(
    lease: Lease, scheduler: Unreliable, clock: ManualClock
) -> None:
    clock.advance(20)
    assert await scheduler.take(LEASE_MS), "nobody took it over"
    with pytest.raises(LeaseLost):
        await lease.confirm()
    assert lease.ran_out


async def test_a_lease_that_another_has_did_not_run_out(
    lease: Lease, scheduler: Unreliable, clock: ManualClock
) -> None:
    scheduler.erase()
    with pytest.raises(LeaseLost):
        await lease.confirm()
    clock.advance(20)
    assert not lease.ran_out


async def test_a_lease_that_ends_while_the_schedule_is_away_did_not_run_out(
    lease: Lease, scheduler: Unreliable, clock: ManualClock
) -> None:
    scheduler.gone = True
    await lease.confirm()
    clock.advance(20)
    assert not lease.ran_out
