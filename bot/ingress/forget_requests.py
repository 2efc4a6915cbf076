"""Wishes to be forgotten, carried out at once: they wait for no worker, and for no line."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from adapters.base import ConversationKind, Inbound, Person
from bot.chat.forgetting import Forgetter
from bot.skills.forget import Wish, done, read_wish, refusal
from bot.turns.journal.forgetting import Forgotten
from bot.turns.model import Chat


class Chats(Protocol):
    """Where chats are found."""

    async def chat_by_conversation(self, adapter: str, account: str, conversation: str) -> Chat | None:
        """Find a chat by where it is; None where the assistant was never addressed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Heeded:
    """What became of a wish."""

    #: What the chat is told.
    sentence: str
    #: Chats in which others' turns may have to be begun anew.
    chats: tuple[Chat, ...] = ()


class ForgetRequests:
    """Carries wishes out. Every call raises `StoreUnavailable`, and may raise `VaultError`."""

    def __init__(
        self,
        forgetter: Forgetter,
        chats: Chats,
        *,
        epoch_hours: int,
        own_histories: Collection[str] = (),
    ) -> None:
        """Keep whom to ask; `own_histories` are the adapters whose messages are kept by us alone."""
        self._own_histories = frozenset(own_histories)
        self._forgetter = forgetter
        self._chats = chats
        self._epoch_hours = epoch_hours

    async def heed(self, event: Inbound, text: str) -> Heeded | None:
        """Carry a wish out, or say why not; None where it was carried out before and only delivered once more."""
        if await self._forgetter.knows(event.adapter, event.account, event.event_key):
            return None
        wish = read_wish(text)
        if (why := refusal(wish, event)) is not None:
            return Heeded(sentence=why)
        forgotten = await self._forget(wish, event)
        told = done(
            wish,
            event,
            turns=sum(one.turns for one in forgotten),
            chats=len(forgotten),
            epoch_hours=self._epoch_hours,
            own_history=event.adapter in self._own_histories,
        )
        return Heeded(sentence=told, chats=tuple(one.chat for one in forgotten))

    async def _forget(self, wish: Wish, event: Inbound) -> list[Forgotten]:
        sender, names = event.sender.id, {event.sender.name}
        if wish is Wish.ME and event.conversation.kind is ConversationKind.DIRECT:
            here = event.conversation.ref
            return await self._forgetter.everywhere(
                event.adapter, event.account, sender, names, asked_in=here
            )
        chat = await self._chats.chat_by_conversation(event.adapter, event.account, event.conversation.ref)
        if chat is None:
            return []
        if wish is Wish.CHAT:
            return [await self._forgetter.chat(chat.id)]
        return [await self._forgetter.person(chat, sender, names)]


def of_nobody(event: Inbound) -> Inbound:
    """Take out of a wish who had it: the record keeps only that it came."""
    return replace(event, sender=Person(id="", name=""), text="", quoted=None)
