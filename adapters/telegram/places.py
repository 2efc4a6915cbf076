"""Where messages stand, and the opaque references by which the core names that. Pure.

A conversation is a chat (`-1001`), one topic of it (`-1001/7`), what one person asks of a guest in one chat
(`g/-1001/42`), or one message that somebody sent by an inline query (`i/AbC`). A guest's chat is no chat of the bot's
even where its number is the same, and two people's own chats may come under one number: so the person who asks is part
of a guest's conversation. Nothing says in which chat an inline message stands: so each is a conversation of its own,
and nothing of one chat can reach another.
"""

from dataclasses import dataclass
from enum import StrEnum

from adapters.errors import Rejected

#: The number of a forum's General topic, which no message may be sent to by number.
GENERAL_TOPIC = 1
#: Supergroups' numbers lie below, basic groups' between this and 0 (https://core.telegram.org/api/bots/ids).
_SUPERGROUPS = -1_000_000_000_000
#: No message's number has so many.
_DIGITS = 20
_BASIC = "b"
_GUEST, _INLINE = "g", "i"
#: What a message's reference begins with, where it is no number.
_QUERY, _INLINE_MESSAGE = "q:", "i:"


class PlaceKind(StrEnum):
    """How the bot is in a place, by what it may do there."""

    #: Between one person and the bot.
    DIRECT = "direct"
    #: A group that the bot is a member of.
    GROUP = "group"
    #: A chat that it is no member of: one message for each mention.
    GUEST = "guest"
    #: A person's own message, which the bot may edit.
    INLINE = "inline"


@dataclass(frozen=True, slots=True)
class Place:
    """One conversation as Telegram has it."""

    kind: PlaceKind
    #: 0 where Telegram does not say.
    chat_id: int = 0
    topic: int | None = None
    #: Who asks a guest.
    asker: int = 0
    inline_message: str = ""

    @property
    def ref(self) -> str:
        """The reference the core knows it by."""
        match self.kind:
            case PlaceKind.GUEST:
                return f"{_GUEST}/{self.chat_id}/{self.asker}"
            case PlaceKind.INLINE:
                return f"{_INLINE}/{self.inline_message}"
            case _:
                return str(self.chat_id) if self.topic is None else f"{self.chat_id}/{self.topic}"

    @property
    def is_ours(self) -> bool:
        """Whether the bot is in the chat, and messages there have numbers."""
        return self.kind in (PlaceKind.DIRECT, PlaceKind.GROUP)


def chat_place(chat_id: int, topic: int | None = None) -> Place:
    """Name a chat of the bot's; people's numbers are positive, groups' are negative."""
    kind = PlaceKind.DIRECT if chat_id > 0 else PlaceKind.GROUP
    return Place(kind, chat_id, None if topic == GENERAL_TOPIC else topic)


def guest_place(chat_id: int, asker: int) -> Place:
    """Name what one person asks of a guest in one chat."""
    return Place(PlaceKind.GUEST, chat_id, asker=asker)


def inline_place(inline_message: str) -> Place:
    """Name a message that somebody sent by an inline query."""
    return Place(PlaceKind.INLINE, inline_message=inline_message)


def place_of(ref: str) -> Place:
    """Read a conversation's reference. Raises `Rejected` for one that is none of ours."""
    head, _, rest = ref.partition("/")
    try:
        if head == _INLINE and rest:
            return inline_place(rest)
        if head == _GUEST:
            chat, _, asker = rest.partition("/")
            return guest_place(int(chat), int(asker))
        return chat_place(int(head), int(rest) if rest else None)
    except ValueError as exc:
        raise Rejected("the conversation is none of Telegram's") from exc


def message_ref(chat_id: int, number: int) -> str:
    """Name a message in a chat of ours.

    A basic group that becomes a supergroup begins another numbering: its old numbers must not be read as new ones.
    """
    return f"{_BASIC}{number}" if _is_basic(chat_id) else str(number)


def message_number(chat_id: int, ref: str) -> int | None:
    """Read the number of a message in a chat of ours; None for a reference that is none, or another numbering's."""
    number = ref.removeprefix(_BASIC)
    if not (number.isascii() and number.isdigit() and len(number) < _DIGITS):
        return None
    return int(number) if message_ref(chat_id, int(number)) == ref else None


def _is_basic(chat_id: int) -> bool:
    return _SUPERGROUPS < chat_id < 0


def query_ref(guest_query: str) -> str:
    """Name a message that mentioned a guest, by the query that is to be answered."""
    return _QUERY + guest_query


def query_of(ref: str | None) -> str:
    """Read the query of a message that mentioned a guest; empty for any other."""
    return ref.removeprefix(_QUERY) if ref and ref.startswith(_QUERY) else ""


def inline_ref(inline_message: str) -> str:
    """Name a message that is reached by its inline id."""
    return _INLINE_MESSAGE + inline_message


def inline_of(ref: str | None) -> str:
    """Read the inline id of a message; empty for any other."""
    return ref.removeprefix(_INLINE_MESSAGE) if ref and ref.startswith(_INLINE_MESSAGE) else ""
