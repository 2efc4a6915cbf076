"""The arithmetic of pacing: no window holds too much, nobody waits longer than needed, the first are never starved."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import RetryAfter
from adapters.pacing import GRACE_US, Bucket, PacingKeys, PacingScope, Priority
from adapters.pacing_memory import SWEEP_ABOVE, MemoryPacer
from tests.fixtures.clocks import ManualClock

KEYS = PacingKeys(adapter="telegram", account="bot", conversation="family")
STEP_S = 2e-6


@st.composite
def buckets(draw):
    count = draw(st.integers(1, 30))
    return Bucket(
        scope=draw(st.sampled_from(list(PacingScope))),
        count=count,
        per_s=draw(st.sampled_from([0.5, 1.0, 3.7, 60.0])),
        burst=draw(st.integers(1, count)),
    )


PRIORITY = st.sampled_from(list(Priority))
#: Calls: how long after the one before, as a share of the first bucket's window, and of which priority.
CALLS = st.lists(st.tuples(st.sampled_from([0.0, 0.001, 0.03, 0.2, 1.1]), PRIORITY), max_size=60)


class Paced:
    """A pacer under a clock moved by hand."""

    def __init__(self, *held):
        self.clock = ManualClock()
        self.pacer = MemoryPacer(self.clock.monotonic)
        self.buckets = held

    def wait_s(self, priority, keys=KEYS):
        taking = self.pacer.take(keys, self.buckets, priority)
        try:
            taking.send(None)  # it never waits for anything: no event loop is needed
        except StopIteration:
            return 0.0
        except RetryAfter as error:
            return error.seconds
        raise AssertionError("it waited")


@settings(max_examples=150, deadline=None)
@given(st.lists(buckets(), min_size=1, max_size=3, unique_by=lambda bucket: bucket.scope), CALLS)
def test_no_window_ever_holds_more_than_its_bucket(held, calls):
    paced = Paced(*held)
    granted = []
    for share, priority in calls:
        paced.clock.advance(share * held[0].per_s)
        if not paced.wait_s(priority):
            granted.append(paced.clock.monotonic())
    for bucket in held:
        for start in granted:
            # A microsecond less than the window: instants are rounded to whole ones.
            inside = [at for at in granted if start <= at < start + bucket.per_s - 1e-6]
            assert len(inside) <= bucket.count


@settings(max_examples=150, deadline=None)
@given(buckets(), CALLS, PRIORITY)
def test_who_waits_as_told_goes_then_and_no_sooner(bucket, calls, priority):
    paced = Paced(bucket)
    for share, earlier in calls:
        paced.clock.advance(share * bucket.per_s)
        paced.wait_s(earlier)
    wait_s = paced.wait_s(priority)
    if wait_s > STEP_S:
        paced.clock.advance(wait_s - STEP_S)
        assert paced.wait_s(priority) > 0
        paced.clock.advance(STEP_S)
    else:
        paced.clock.advance(wait_s)
    assert not wait_s or paced.wait_s(priority) == 0


@settings(max_examples=100, deadline=None)
@given(buckets(), st.integers(1, 5))
def test_a_final_text_is_never_starved(bucket, eager):
    """However many edits and signs are tried at every moment, it goes when it was told that it would."""
    paced = Paced(bucket)
    while not paced.wait_s(Priority.EDIT):
        pass
    while not (wait_s := paced.wait_s(Priority.FINAL)):
        pass
    for _ in range(10):
        paced.clock.advance(wait_s / 10)
        for _ in range(eager):
            for priority in (Priority.TYPING, Priority.EDIT, Priority.FIRST):
                paced.wait_s(priority)
    paced.clock.advance(STEP_S)
    assert paced.wait_s(Priority.FINAL) == 0


@settings(max_examples=100, deadline=None)
@given(buckets())
def test_the_lower_ones_are_not_held_back_for_ever(bucket):
    """Told to wait, and with nobody else there, the last of all goes when a full burst is paid for."""
    paced = Paced(bucket)
    for priority in (Priority.FINAL, Priority.FIRST, Priority.EDIT):
        while not paced.wait_s(priority):
            pass
    paced.clock.advance(paced.wait_s(Priority.TYPING) + STEP_S)
    assert paced.wait_s(Priority.TYPING) == 0
    most_us = bucket.burst * bucket.interval_us + 3 * GRACE_US
    assert paced.clock.monotonic() - 1000 <= most_us / 1e6 + 2 * STEP_S


@given(buckets())
def test_higher_priorities_have_at_least_the_room_of_lower_ones(bucket):
    slacks = [bucket.slack_us(priority) for priority in Priority]
    assert slacks == sorted(slacks, reverse=True)


@pytest.mark.parametrize(
    ("count", "per_s", "burst"),
    [(0, 1, 1), (1, 0, 1), (1, -1, 1), (3, 1, 4), (3, 1, 0)],
    ids=["no calls", "no window", "negative", "burst above count", "no burst"],
)
def test_numbers_that_make_no_bucket_are_refused(count, per_s, burst):
    with pytest.raises(ValueError, match="no bucket"):
        Bucket(scope=PacingScope.ACCOUNT, count=count, per_s=per_s, burst=burst)


def test_a_steady_pace_reaches_what_the_bucket_allows():
    paced = Paced(Bucket(scope=PacingScope.ACCOUNT, count=30, per_s=1))
    granted = 0
    while paced.clock.monotonic() < 1010:
        if wait_s := paced.wait_s(Priority.FINAL):
            paced.clock.advance(wait_s)
        else:
            granted += 1
    assert granted >= 299


def test_chats_that_went_quiet_are_forgotten():
    paced = Paced(Bucket(scope=PacingScope.CONVERSATION, count=1, per_s=1))

    async def fill():
        for number in range(SWEEP_ABOVE * 3):
            keys = PacingKeys(adapter="a", account="b", conversation=str(number))
            await paced.pacer.take(keys, paced.buckets, Priority.FINAL)
            paced.clock.advance(0.01)

    asyncio.run(fill())
    assert len(paced.pacer._buckets) <= SWEEP_ABOVE


def test_sweeping_forgets_no_call_that_counts():
    paced = Paced(Bucket(scope=PacingScope.CONVERSATION, count=1, per_s=60))
    paced.wait_s(Priority.FINAL)
    paced.pacer._sweep_above = 1
    assert paced.wait_s(Priority.FINAL) > 0
