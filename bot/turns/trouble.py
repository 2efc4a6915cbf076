"""What every failure of an attempt means: whose fault it is, whether it counts, and when to try again."""

import logging
import random
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from adapters.errors import AdapterError, AuthFailed, Moved, RetryAfter, Unreachable
from bot.clock import Clock
from bot.errors import (
    AsideError,
    ContextUnavailable,
    KeyMissing,
    PlatformMissing,
    ScheduleUnavailable,
    StoreUnavailable,
    WrittenByNewer,
)
from bot.telemetry.events import AttemptFailed, Hooks, emit
from bot.turns.delays import Delays
from bot.turns.journal import Journal
from bot.turns.live_reply import LiveReply
from bot.turns.model import Turn
from bot.turns.moves import moved_to
from engine.errors import EngineError, EngineNotReady, EngineOverloaded

logger = logging.getLogger(__name__)

#: Nothing here gets better by itself.
NEED_AN_OPERATOR = (AuthFailed, KeyMissing, PlatformMissing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do with a turn after an error."""

    #: Whether the turn is charged an attempt.
    counts: bool
    #: Seconds until its chat may be taken again.
    delay_s: float


def judge(error: Exception, attempts: int, delays: Delays) -> Verdict:
    """Decide by the error's class alone; pure.

    An ambiguous send counts: each one may show a message once more, so their number must have an end.
    """
    match error:
        case RetryAfter():
            return Verdict(counts=False, delay_s=min(error.seconds, delays.longest_wait_s))
        case _ if isinstance(error, NEED_AN_OPERATOR):
            return Verdict(counts=False, delay_s=delays.operator_s)
        case (
            Unreachable()
            | StoreUnavailable()
            | ScheduleUnavailable()
            | ContextUnavailable()
            | WrittenByNewer()
        ):
            return Verdict(counts=False, delay_s=delays.not_now_s)
        case EngineError() if not error.counts_as_attempt:
            return Verdict(counts=False, delay_s=delays.not_now_s)
        case _:
            backoff_s = delays.backoff_s
            return Verdict(counts=True, delay_s=backoff_s[min(attempts, len(backoff_s) - 1)])


class Trouble:
    """Writes down what became of a failed attempt."""

    def __init__(self, journal: Journal, clock: Clock, delays: Delays, hooks: Hooks = ()) -> None:
        self._journal = journal
        self._clock = clock
        self._delays = delays
        self._hooks = hooks

    @contextmanager
    def explained(self, live: LiveReply) -> Iterator[None]:
        """Tell the person why nothing comes yet, when the engine is the reason."""
        try:
            yield
        except (EngineNotReady, EngineOverloaded) as error:
            live.warming(str(error))
            raise

    async def settle(self, turn: Turn, error: Exception) -> float:
        """Release or charge the turn and return the seconds to wait. Raises `Fenced`, `StoreUnavailable`."""
        if isinstance(error, Moved):
            # The event that tells of it may be late: the next attempt finds the new reference.
            await self._journal.move(moved_to(turn.chat, error))
        verdict = judge(error, turn.attempts, self._delays)
        delay_s = verdict.delay_s * random.uniform(1.0, 1.2)  # noqa: S311 - jitter, not a secret
        failed = AttemptFailed(turn_id=turn.id, error=type(error).__name__, counted=verdict.counts)
        emit(self._hooks, failed)
        if verdict.counts:
            logger.warning("attempt %d of turn %s failed: %s", turn.attempts + 1, turn.id, describe(error))
            await self._journal.fail(turn, describe(error), self._clock.now() + timedelta(seconds=delay_s))
        else:
            if isinstance(error, NEED_AN_OPERATOR):
                logger.error("turn %s waits for an operator: %s", turn.id, describe(error))
            await self._journal.release(turn, type(error).__name__)
        return delay_s


def describe(error: Exception) -> str:
    """Name an error for the record: its class, and its sentence where that is ours."""
    if isinstance(error, EngineError | AdapterError | AsideError):
        return f"{type(error).__name__}: {error}"
    # A foreign error's text may quote content; where it broke does not.
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    frame = frames[-1]
    return f"{type(error).__name__} in {frame.name}, {Path(frame.filename).name} line {frame.lineno}"
