"""What each failure means: whether it counts, when it is tried again, and what the record says of it."""

import pytest

from adapters.errors import (
    AdapterError,
    Ambiguous,
    AuthFailed,
    Gone,
    Moved,
    PolicyBlocked,
    Rejected,
    RetryAfter,
    Unreachable,
    WindowClosed,
)
from bot.errors import (
    ContextUnavailable,
    KeyMissing,
    PlatformMissing,
    ScheduleUnavailable,
    SealBroken,
    StoreUnavailable,
    WrittenByNewer,
)
from bot.turns.delays import Delays
from bot.turns.trouble import describe, judge
from engine.errors import (
    Deadline,
    EngineFailed,
    EngineMisbehaved,
    EngineNotReady,
    EngineOverloaded,
    EngineTimedOut,
    PromptTooLong,
    RequestRejected,
)

DELAYS = Delays(not_now_s=1, backoff_s=(2, 3), operator_s=60, longest_wait_s=600)

NOT_ITS_FAULT = [
    (RetryAfter(7), 7),
    (RetryAfter(86_400), 600),
    (Unreachable("x"), 1),
    (StoreUnavailable("x"), 1),
    (ScheduleUnavailable("x"), 1),
    (ContextUnavailable("x"), 1),
    (WrittenByNewer("x"), 1),
    (EngineNotReady("x"), 1),
    (EngineOverloaded("x"), 1),
    (AuthFailed("x"), 60),
    (KeyMissing("k1"), 60),
    (PlatformMissing("x"), 60),
]
ITS_OWN = [
    Ambiguous("x"),
    Moved("there"),
    WindowClosed("x"),
    Gone("x"),
    Rejected("x"),
    PolicyBlocked("x"),
    SealBroken("x"),
    EngineFailed("x"),
    EngineTimedOut(Deadline.STALL, 30),
    EngineMisbehaved("x"),
    PromptTooLong(),
    RequestRejected(400, "x"),
    ValueError("x"),
]


def name(value: object) -> str | None:
    return type(value).__name__ if isinstance(value, Exception) else None


@pytest.mark.parametrize(("error", "delay_s"), NOT_ITS_FAULT, ids=name)
def test_what_is_not_the_turns_fault_costs_no_attempt(error: Exception, delay_s: float) -> None:
    for attempts in (0, 2):
        verdict = judge(error, attempts, DELAYS)
        assert (verdict.counts, verdict.delay_s) == (False, delay_s)


@pytest.mark.parametrize("error", ITS_OWN, ids=name)
def test_everything_else_counts_and_backs_off(error: Exception) -> None:
    verdicts = [judge(error, attempts, DELAYS) for attempts in range(4)]
    assert all(verdict.counts for verdict in verdicts)
    assert [verdict.delay_s for verdict in verdicts] == [2, 3, 3, 3]


def test_every_error_of_a_platform_is_judged_on_purpose() -> None:
    judged = {type(error) for error, _ in NOT_ITS_FAULT} | {type(error) for error in ITS_OWN}
    incoming = {"MalformedEvent", "MediaMislabelled", "MediaTooLarge"}
    assert {
        kind.__name__ for kind in AdapterError.__subclasses__() if kind.__module__ == "adapters.errors"
    } - incoming <= {kind.__name__ for kind in judged}


def test_our_own_errors_are_described_by_their_sentence() -> None:
    assert describe(EngineFailed("the stream broke off")) == "EngineFailed: the stream broke off"


def test_a_foreign_error_is_described_by_its_place_and_never_by_its_text() -> None:
    try:
        int("what Ann wrote")
    except ValueError as error:
        said = describe(error)
    assert "Ann" not in said
    assert said.startswith("ValueError in test_a_foreign_error")


def test_an_error_that_was_never_raised_can_be_described() -> None:
    assert describe(ValueError("what Ann wrote")) == "ValueError"
