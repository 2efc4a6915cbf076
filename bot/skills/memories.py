"""`/memories`: what a chat asked to have remembered, and deleting of it."""

import re
from dataclasses import dataclass
from enum import StrEnum

from adapters.base import ConversationKind
from bot.chat.card import card_of
from bot.skills import remember_texts as texts
from bot.skills.remember import Known
from bot.turns.journal.remembering import Remembered
from bot.turns.live_reply import LiveReply
from bot.turns.model import Chat, Memory, MemoryChange, Reply, Turn
from bot.turns.stopping import Stop

_WORDS = re.compile(r"[^\s.,;:!?#]+")


class Wish(StrEnum):
    """What a `/memories` asks for."""

    #: What is remembered.
    LIST = "list"
    #: That some of it goes.
    DELETE = "delete"
    #: That all of it goes.
    DELETE_ALL = "delete all"
    #: Something there is not.
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A `/memories`, read."""

    wish: Wish
    #: With `DELETE`.
    numbers: frozenset[int] = frozenset()


def read(text: str) -> Asked:
    """Read a `/memories` with what stands behind it. Pure."""
    words = [word.casefold() for word in _WORDS.findall(text)[1:]]
    match words:
        case []:
            return Asked(wish=Wish.LIST)
        case ["delete" | "forget", "all"]:
            return Asked(wish=Wish.DELETE_ALL)
        # No number that is given out has more digits, and int() may refuse very long ones.
        case ["delete" | "forget", *numbers] if numbers and all(_is_number(number) for number in numbers):
            return Asked(wish=Wish.DELETE, numbers=frozenset(int(number) for number in numbers))
        case _:
            return Asked(wish=Wish.UNCLEAR)


class Memories:
    """The skill; what it deletes goes together with the reply that says so."""

    def __init__(self, known: Known) -> None:
        """Keep what reads a chat's memories."""
        self._known = known

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply:
        """List them, or delete some, or say why not; kept out of the chat's context."""
        last, chat = turn.said[-1], turn.chat
        asked, known = read(last.text), await self._known(chat)
        in_group = chat.kind is not ConversationKind.DIRECT
        match asked.wish:
            case Wish.LIST:
                return _said(texts.overview(known.memories, in_group=in_group))
            case Wish.UNCLEAR:
                return _said(texts.UNCLEAR)
            case Wish.DELETE_ALL if in_group and last.by_admin is False:
                return _said(texts.ADMINS_ONLY)
            case Wish.DELETE_ALL:
                return _without(chat, known, list(known.memories))
        gone = [one for one in known.memories if one.number in asked.numbers]
        missing = asked.numbers - {one.number for one in gone}
        return _said(texts.missing(sorted(missing))) if missing else _without(chat, known, gone)


def _without(chat: Chat, known: Remembered, gone: list[Memory]) -> Reply:
    if not gone:
        return _said(texts.overview((), in_group=chat.kind is not ConversationKind.DIRECT))
    card = card_of((one for one in known.memories if one not in gone), chat.kind)
    change = MemoryChange(drops=tuple(one.id for one in gone), card=card)
    return Reply(text=texts.deleted([one.number for one in gone]), parts=(), prompt=None, memories=change)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= 9  # noqa: PLR2004 - digits


def _said(text: str) -> Reply:
    return Reply(text=text, parts=(), prompt=None)
