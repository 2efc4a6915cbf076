"""Unaddressed messages in this process's memory: for a deployment of one process, for tests and demonstrations."""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from bot.chat.ambient import Heard
from bot.turns.model import Chat

_HOUR_S = 3600.0


class MemoryAmbient:
    """The `AmbientStore` as dictionaries."""

    def __init__(self, monotonic_s: Callable[[], float] = monotonic) -> None:
        self._monotonic_s = monotonic_s
        #: Of each chat the messages by reference, each with when it ends.
        self._chats: dict[str, dict[str, tuple[float, Heard]]] = {}
        self._deaf_until: dict[str, float] = {}

    async def add(self, chat: Chat, heard: Heard) -> None:
        """Remember a message."""
        now_s = self._monotonic_s()
        if now_s < self._deaf_until.get(chat.id, now_s):
            return
        remembered = self._remembered(chat)
        remembered[heard.message] = (now_s + chat.recent_hours * _HOUR_S, heard)
        while len(remembered) > chat.recent_messages:
            del remembered[min(remembered, key=lambda message: remembered[message][1].at)]
        self._chats[chat.id] = remembered

    async def amend(self, chat: Chat, heard: Heard) -> None:
        """Give a message that is remembered another text."""
        remembered = self._remembered(chat)
        if found := remembered.get(heard.message):
            ends_s, before = found
            remembered[heard.message] = (ends_s, replace(heard, at=before.at))

    async def read(self, chat: Chat) -> tuple[Heard, ...]:
        """Return what is remembered, oldest first."""
        return tuple(sorted((heard for _, heard in self._remembered(chat).values()), key=lambda one: one.at))

    async def discard(self, chat: Chat, messages: tuple[str, ...]) -> None:
        """Forget some messages."""
        remembered = self._remembered(chat)
        for message in messages:
            remembered.pop(message, None)

    async def drop(self, chat: Chat, *, deaf_s: float = 0.0) -> None:
        """Forget all of a chat."""
        self._chats.pop(chat.id, None)
        now_s = self._monotonic_s()
        self._deaf_until = {name: until_s for name, until_s in self._deaf_until.items() if until_s > now_s}
        if deaf_s > 0:
            self._deaf_until[chat.id] = now_s + deaf_s

    def _remembered(self, chat: Chat) -> dict[str, tuple[float, Heard]]:
        """Return a chat's messages without those whose hours are over."""
        remembered = self._chats.get(chat.id, {})
        now_s = self._monotonic_s()
        for message in [message for message, (ends_s, _) in remembered.items() if ends_s <= now_s]:
            del remembered[message]
        if not remembered:
            self._chats.pop(chat.id, None)
        return remembered
