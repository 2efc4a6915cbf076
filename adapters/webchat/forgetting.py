"""Forgetting what was said in a room: rooms and their members stay."""

from datetime import datetime

from adapters.webchat.ids import feedback_stream
from adapters.webchat.inside import Inside
from adapters.webchat.redacting import ratings_without, without

_PAGE = 200


class Forgetting(Inside):
    """What was said goes, out of the store and out of what is at hand."""

    async def forget_said(self, room: str, person: str | None, before: datetime) -> None:
        """Forget what a person (None: anybody) said in a room up to an instant. Safe to repeat, and to be killed in."""
        left = await self._log.redact(room, lambda log: without(log, person, before))
        ratings = ratings_without(await self._rated(room), person, left)
        await self._records.redact(feedback_stream(room), dict.fromkeys(ratings))

    async def _rated(self, room: str) -> list[str]:
        keys: list[str] = []
        position = 0
        await self._records.drop_damaged(feedback_stream(room))
        while page := await self._records.after(feedback_stream(room), position, _PAGE):
            keys += [record.key for record in page]
            position = page[-1].position
        return keys
