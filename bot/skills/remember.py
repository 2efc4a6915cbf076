"""`/remember ...` and "remember that ...": one more thing that every later prompt of the chat holds."""

from collections.abc import Awaitable, Callable

from adapters.base import ConversationKind
from bot.chat.budget import Limits, likely_tokens
from bot.chat.card import card_of, one_line
from bot.chat.speakers import shown_name
from bot.skills import remember_texts as texts
from bot.skills.privacy import Days
from bot.skills.remember_words import MOST_CHARS, wish_of
from bot.turns.journal.remembering import Remembered
from bot.turns.live_reply import LiveReply
from bot.turns.model import Chat, Memory, MemoryChange, Reply, Said, Turn
from bot.turns.stopping import Stop

#: Things that one chat may have remembered.
MOST_MEMORIES = 50

#: `Journal.memories`: reads what a chat asked to have remembered. Raises `StoreUnavailable`.
Known = Callable[[Chat], Awaitable[Remembered]]


class Remember:
    """The skill; what it remembers is stored together with the reply that says so, and kept out of the log."""

    def __init__(self, known: Known, days: Days, limits: Callable[[], Awaitable[Limits]]) -> None:
        """Keep what reads a chat's memories, its retention, and how much fits the model's prompts."""
        self._known = known
        self._days = days
        self._limits = limits

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply:
        """Remember it, or say why not. Raises `EngineNotReady`, as the model's window decides what has room."""
        said = turn.said[-1]
        wish = one_line(wish_of(said.text) or "")
        if (why := self._refusal(turn.chat, wish)) is not None:
            return _said(why)
        known = await self._known(turn.chat)
        if (same := _same(known, said, wish)) is not None:
            return _said(texts.known_already(same))
        if len(known.memories) >= MOST_MEMORIES:
            return _said(texts.full(MOST_MEMORIES))
        return await self._remembered(turn, known, wish)

    def _refusal(self, chat: Chat, wish: str) -> str | None:
        if self._days(chat) <= 0:
            return texts.NOTHING_IS_KEPT
        if not wish:
            return texts.HOW
        return texts.too_long(len(wish), MOST_CHARS) if len(wish) > MOST_CHARS else None

    async def _remembered(self, turn: Turn, known: Remembered, wish: str) -> Reply:
        said, chat = turn.said[-1], turn.chat
        new = Memory(
            id=turn.id,
            number=known.next_number,
            text=wish,
            sender_id=said.sender_id,
            sender_name=said.called or shown_name(said.sender_name),
        )
        card = card_of([*known.memories, new], chat.kind)
        if likely_tokens(card) > (await self._limits()).background_tokens:
            return _said(texts.no_room(bool(known.memories)))
        told = texts.remembered(new, in_group=chat.kind is not ConversationKind.DIRECT)
        return Reply(text=told, parts=(), prompt=None, memories=MemoryChange(adds=new, card=card))


def _same(known: Remembered, said: Said, wish: str) -> Memory | None:
    """Find what the same person asked for before: "I am Ann" is something else when Bob says it."""
    return next((one for one in known.memories if (one.sender_id, one.text) == (said.sender_id, wish)), None)


def _said(text: str) -> Reply:
    return Reply(text=text, parts=(), prompt=None)
