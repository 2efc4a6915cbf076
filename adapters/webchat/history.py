"""The web chat's own history, as the core has it forgotten: out of the store, and off the open pages."""

from collections.abc import Callable
from datetime import datetime

from adapters.webchat.house import House


def _nobody(_room: str) -> None:
    """Nobody looks on."""


class RoomHistory:
    """An `OwnHistory` over the house; `changed` has whoever looks on at a room begin anew."""

    def __init__(self, house: House, changed: Callable[[str], None] = _nobody) -> None:
        self._house = house
        self._changed = changed

    async def forget_all(self, conversation: str, before: datetime) -> None:
        """Forget what was said in a room before an instant, and what was answered to it."""
        await self._forget(conversation, None, before)

    async def forget_person(self, conversation: str, person: str, before: datetime) -> None:
        """Forget what a person said in a room before an instant, and what was answered to it."""
        await self._forget(conversation, person, before)

    async def forget_older(self, conversation: str, instant: datetime) -> int:
        """Forget everything that was said in a room before an instant; how many records that were."""
        return await self._house.sweep_room(conversation, instant)

    async def forget_before(self, instant: datetime) -> int:
        """Forget everything that was said before an instant, in all rooms; how many records that were."""
        return await self._house.sweep(instant)

    async def _forget(self, conversation: str, person: str | None, before: datetime) -> None:
        await self._house.forget_said(conversation, person, before)
        self._changed(conversation)
