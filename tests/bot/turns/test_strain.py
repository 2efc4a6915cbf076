"""A worker that is too slow for its leases does less at once, and more again when that goes well."""

import time
from pathlib import Path

import pytest

from adapters.base import Idempotency
from bot.telemetry.events import LeaseLost
from bot.turns.slots import Slots
from bot.turns.strain import Strain
from engine.base import ChatRequest
from engine.scripted import ScriptedEngine
from tests.fixtures.clocks import ManualClock
from tests.fixtures.rig import loopback, open_rig

LEASE_S = 2.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def slots() -> Slots:
    return Slots(16)


@pytest.fixture
def strain(slots: Slots, clock: ManualClock) -> Strain:
    return Strain(slots, clock, lease_s=LEASE_S)


def test_every_lease_that_ran_out_halves_the_slots_down_to_one(
    slots: Slots, strain: Strain, clock: ManualClock
) -> None:
    limits = []
    for _ in range(6):
        strain.ran_out()
        limits.append(slots.limit)
        clock.advance(LEASE_S)
    assert limits == [8, 4, 2, 1, 1, 1]


def test_the_leases_of_one_stall_count_once(slots: Slots, strain: Strain) -> None:
    for _ in range(16):
        strain.ran_out()
    assert slots.limit == 8


def test_every_turn_that_ends_well_gives_one_slot_back_up_to_all(slots: Slots, strain: Strain) -> None:
    strain.ran_out()
    limits = []
    for _ in range(10):
        strain.ended_well()
        limits.append(slots.limit)
    assert limits == [9, 10, 11, 12, 13, 14, 15, 16, 16, 16]


def test_what_the_engine_can_use_is_never_exceeded(slots: Slots, strain: Strain) -> None:
    slots.resize(6)
    strain.ran_out()
    assert slots.limit == 3
    for _ in range(20):
        strain.ended_well()
    assert slots.limit == 6


async def test_a_worker_that_was_away_for_longer_than_its_lease_takes_less_and_still_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away_s = 0.0

    async def away_once(request: ChatRequest, n: int) -> None:
        nonlocal away_s
        if n:  # with some of the reply said, the process gets no processor for a minute
            away_s = 60.0

    monkeypatch.setattr("bot.clock.SystemClock.monotonic", lambda _clock: time.monotonic() + away_s)
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED), lease_s=30.0, slots=4) as rig:
        await rig.say("what time is it?")
        rig.start_worker(ScriptedEngine(lambda _: "high noon", pace=away_once))
        assert await rig.texts(1) == ["high noon"]
        assert rig.told(LeaseLost)
        assert "it takes 2 of 4 turns at once" in caplog.text
