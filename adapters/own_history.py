"""The history that an adapter keeps itself, being its own platform: how it is forgotten."""

from datetime import datetime
from typing import Protocol


class OwnHistory(Protocol):
    """What was said in an adapter's conversations, kept in its own store.

    Every call may be repeated and raises `RecordsUnavailable` with nothing forgotten. When it returns nothing of it
    can be read any more, neither by who comes later nor by who looks on; a conversation that is not there is fine.
    """

    async def forget_all(self, conversation: str, before: datetime) -> None:
        """Forget what was said in a conversation before an instant, and what was answered to it."""
        ...

    async def forget_person(self, conversation: str, person: str, before: datetime) -> None:
        """Forget what a person said in a conversation before an instant, and what was answered to it.

        What others said stays.
        """
        ...

    async def forget_older(self, conversation: str, instant: datetime) -> int:
        """Forget everything that was said in one conversation before an instant; how many records that were."""
        ...

    async def forget_before(self, instant: datetime) -> int:
        """Forget everything that was said before an instant, in all conversations; how many records that were."""
        ...
