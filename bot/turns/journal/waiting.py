"""How many turns wait in all: counted where the cap is near, remembered for a moment where it is far."""

from sqlalchemy import func, select

from bot.clock import Clock
from bot.store.transaction import Transaction
from bot.turns.journal.rows import WAITS, turns

#: Seconds for which a count is good enough while it is far from the cap.
_GOOD_FOR_S = 1.0
_COUNT = select(func.count()).select_from(turns).where(WAITS)


class WaitingTurns:
    """Counting ten thousand rows for every message would cost most where there is least time for it."""

    def __init__(self, clock: Clock, cap: int) -> None:
        self._clock = clock
        self._cap = cap
        self._counted_at_s = 0.0
        self._count: int | None = None

    async def count(self, connection: Transaction, coming: int) -> int:
        """Tell how many wait before `coming` more are accepted; exactly, if they could fill half the cap."""
        if self._count is None or self._is_old() or 2 * (self._count + coming) > self._cap:
            self._count = int((await connection.execute(_COUNT)).scalar_one())
            self._counted_at_s = self._clock.monotonic()
        return self._count

    def accepted(self, count: int) -> None:
        """Remember how many wait behind a commit."""
        self._count = count

    def _is_old(self) -> bool:
        return self._clock.monotonic() - self._counted_at_s > _GOOD_FOR_S
