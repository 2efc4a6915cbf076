"""`/forget`: what somebody wants forgotten, who may want that, and what they are told. Pure."""

import re
from enum import StrEnum

from adapters.base import ConversationKind, Inbound


class Wish(StrEnum):
    """What shall be forgotten."""

    #: One person: in this chat, or everywhere where it is a direct chat.
    ME = "me"
    #: Everything that was said in this chat.
    CHAT = "chat"
    #: It was not said what.
    UNCLEAR = "unclear"


_ARGUMENT = re.compile(r"/forget(?:@[^\s@]+)?\s+(me|chat)[.!]*\s*", re.IGNORECASE)

HOW = (
    "Write `/forget me` and I forget everything you said to me in this chat, and what I answered; in a direct chat, "
    "also in every other chat where I still keep a question or a wish of yours. "
    "`/forget chat` forgets everything said here. It cannot be undone."
)
ADMINS_ONLY = (
    "Only an admin of this group can have everything here forgotten. "
    "`/forget me` forgets what you said to me."
)
NOTHING_KEPT = "There is nothing here that I could forget."


def read_wish(text: str) -> Wish:
    """Read what shall be forgotten; anything that is not exactly one of the two words is unclear."""
    found = _ARGUMENT.fullmatch(text.strip())
    return Wish(found[1].lower()) if found else Wish.UNCLEAR


def refusal(wish: Wish, event: Inbound) -> str | None:
    """Say why a wish is not carried out; None where it is."""
    if wish is Wish.UNCLEAR:
        return HOW
    in_group = event.conversation.kind is not ConversationKind.DIRECT
    if wish is Wish.CHAT and in_group and event.sender_is_admin is False:
        return ADMINS_ONLY
    return None


def done(
    wish: Wish, event: Inbound, *, turns: int, chats: int, epoch_hours: int, own_history: bool = False
) -> str:
    """Confirm what is forgotten, and say what is left of it for how long.

    With an `own_history` the messages themselves are ours, and go from the chat, too.
    """
    if not chats:
        return NOTHING_KEPT
    shown = [_shown(wish, event)] if own_history else []
    return " ".join((_what(wish, event, chats), _counted(turns), *shown, _copies(epoch_hours)))


def _what(wish: Wish, event: Inbound, chats: int) -> str:
    if wish is Wish.CHAT:
        return "Done: I have forgotten everything that was said to me in this chat."
    if event.conversation.kind is ConversationKind.DIRECT:
        others = chats - 1
        where = f"here and in {others} other chat{'' if others == 1 else 's'}" if others else "here"
        return f"Done: I have forgotten everything you said to me {where}, and what I answered."
    return (
        "Done: I have forgotten everything you said to me in this chat, what I answered, "
        "and where others quoted you."
    )


def _shown(wish: Wish, event: Inbound) -> str:
    if event.conversation.kind is ConversationKind.DIRECT:
        return "The messages themselves disappear here in a moment."
    if wish is Wish.CHAT:
        return "All messages here disappear in a moment, for everybody."
    return "Your messages themselves and the answers to them disappear here in a moment, for everybody."


def _counted(turns: int) -> str:
    return f"({turns} question{'' if turns == 1 else 's'}.)"


def _copies(epoch_hours: int) -> str:
    gone = "Copies in files and caches are gone within a minute; copies in backups cannot be read"
    if not epoch_hours:
        return f"{gone} once the keys are changed."
    return f"{gone} after {'an hour' if epoch_hours == 1 else f'{epoch_hours} hours'} at most."
