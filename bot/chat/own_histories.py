"""Having the adapters' own histories forget what the record has forgotten."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from adapters.own_history import OwnHistory
from adapters.records import RecordsUnavailable
from bot.errors import AsideError, StoreUnavailable, WrittenByNewer
from bot.turns.journal.history_wishes import HistoryWish

logger = logging.getLogger(__name__)


class Wishes(Protocol):
    """Where wishes wait. Every call raises `StoreUnavailable`."""

    async def pending(self, adapters: Collection[str], most: int = 100) -> list[HistoryWish]:
        """Read what waits for some adapters, the oldest first."""
        ...

    async def done(self, wish_id: str) -> None:
        """Cross a wish off."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """What came of the wishes that waited."""

    forgotten: int = 0
    #: Why the first of those that wait still does.
    trouble: AsideError | None = None


class OwnHistories:
    """The histories that this process can have forgotten, by adapter.

    Only who `keeps` them crosses wishes off: a command beside it takes the words out of the store, and what the
    keeper has at hand, and shows on open pages, is for the keeper to drop.
    """

    def __init__(self, wishes: Wishes, histories: Mapping[str, OwnHistory], *, keeps: bool = True) -> None:
        self._wishes = wishes
        self._histories = histories
        self._keeps = keeps

    async def any_pending(self) -> bool:
        """Tell whether something is to be forgotten. Raises `StoreUnavailable`."""
        return bool(self._histories) and bool(await self._wishes.pending(self._histories, most=1))

    async def carry_out(self) -> CarriedOut:
        """Forget what waits. What cannot be forgotten now holds up nothing else. Raises `StoreUnavailable`."""
        if not self._histories:
            return CarriedOut()
        forgotten, trouble = 0, None
        for wish in await self._wishes.pending(self._histories):
            try:
                await self._forget(wish)
            except AsideError as exc:
                trouble = trouble or exc
            else:
                forgotten += 1
        return CarriedOut(forgotten=forgotten, trouble=trouble)

    async def _forget(self, wish: HistoryWish) -> None:
        history = self._histories[wish.adapter]
        try:
            if wish.sender_id is None:
                await history.forget_all(wish.conversation, wish.asked_at)
            else:
                await history.forget_person(wish.conversation, wish.sender_id, wish.asked_at)
        except RecordsUnavailable as exc:
            raise StoreUnavailable(f"the store of {wish.adapter} is not available") from exc
        except ValueError as exc:
            raise WrittenByNewer(f"a record of {wish.adapter} was written by another version") from exc
        if self._keeps:
            await self._wishes.done(wish.id)
        logger.info("the history of %s has forgotten what wish %s named", wish.adapter, wish.id)
