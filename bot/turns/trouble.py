"""What every failure of an attempt means: whose fault it is, whether it counts, and when to try again."""

import logging
import random
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from adapters.errors import AdapterError, Ambiguous, AuthFailed, RetryAfter, Unreachable
from bot.clock import Clock
from bot.errors import AsideError, StoreUnavailable
from bot.telemetry.events import AttemptFailed, Hooks, emit
from bot.turns.journal import Journal
from bot.turns.live_reply import LiveReply
from bot.turns.model import Turn
from engine.errors import EngineError, EngineNotReady, EngineOverloaded

logger = logging.getLogger(__name__)

#: Seconds before a turn is tried again whose engine, platform or store is not there now.
NOT_NOW_S = 1.0
#: Seconds before the second and third attempt of a turn that failed by itself.
BACKOFF_S = (1.0, 5.0)
#: Seconds before sending again with credentials that an operator must mend.
CREDENTIALS_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do with a turn after an error."""

    #: Whether the turn is charged an attempt.
    counts: bool
    #: Seconds until its chat may be taken again.
    delay_s: float


def judge(error: Exception, attempts: int) -> Verdict:
    """Decide by the error's class alone; pure."""
    match error:
        case RetryAfter():
            return Verdict(counts=False, delay_s=error.seconds)
        case AuthFailed():
            return Verdict(counts=False, delay_s=CREDENTIALS_S)
        case Unreachable() | Ambiguous() | StoreUnavailable():
            return Verdict(counts=False, delay_s=NOT_NOW_S)
        case EngineError() if not error.counts_as_attempt:
            return Verdict(counts=False, delay_s=NOT_NOW_S)
        case _:
            return Verdict(counts=True, delay_s=BACKOFF_S[min(attempts, len(BACKOFF_S) - 1)])


class Trouble:
    """Writes down what became of a failed attempt."""

    def __init__(self, journal: Journal, clock: Clock, hooks: Hooks = ()) -> None:
        self._journal = journal
        self._clock = clock
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
        verdict = judge(error, turn.attempts)
        delay_s = verdict.delay_s * random.uniform(1.0, 1.2)  # noqa: S311 - jitter, not a secret
        failed = AttemptFailed(turn_id=turn.id, error=type(error).__name__, counted=verdict.counts)
        emit(self._hooks, failed)
        if verdict.counts:
            logger.warning("attempt %d of turn %s failed: %s", turn.attempts + 1, turn.id, describe(error))
            await self._journal.fail(turn, describe(error), self._clock.now() + timedelta(seconds=delay_s))
        else:
            await self._journal.release(turn)
        return delay_s


def describe(error: Exception) -> str:
    """Name an error for the record: its class, and its sentence where that is ours."""
    if isinstance(error, EngineError | AdapterError | AsideError):
        return f"{type(error).__name__}: {error}"
    # A foreign error's text may quote content; where it broke does not.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, {Path(frame.filename).name} line {frame.lineno}"
