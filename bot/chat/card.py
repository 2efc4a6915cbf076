"""A chat's card: what it asked to have remembered, as its prompts hold it; one line each, and never a rule. Pure."""

from collections.abc import Callable, Iterable

from adapters.base import ConversationKind
from bot.chat.plain import cleaned
from bot.chat.speakers import NAMELESS
from bot.turns.model import Memory

#: A name as prompts show it, with a number behind it where several bear it.
_NAME_CHARS = 48
#: What could be taken for the end of a name: in a group the first colon of a line is ours.
_NO_COLONS = str.maketrans(
    dict.fromkeys(":\uff1a\ufe55\ufe13\ua789\u2236\u02d0\u02f8\u05c3\u0703\u1803", " ")
)


def one_line(text: str) -> str:
    """Put a text on one line, so that nobody can make it look like two."""
    # Cleaned before: what that makes a line end must not come back.
    return " ".join(cleaned(text).split())


def card_of(memories: Iterable[Memory], kind: ConversationKind) -> str:
    """Render a card, in the order given; in a group each line begins with who asked. What is damaged is left out.

    The same for the same input: it stands in front of the log, where every change costs the engine the whole chat.
    """
    return "\n".join(
        _line(text, memory, kind) for memory in memories if (text := memory.text and one_line(memory.text))
    )


def fitting_card(card: str, most: int, count: Callable[[str], int]) -> str:
    """Leave out the oldest lines of a card until it takes at most `most` tokens.

    Whole lines go: with its middle cut out, two people's lines could become one.
    """
    while card and count(card) > most:
        card = card.partition("\n")[2]
    return card


def _line(text: str, memory: Memory, kind: ConversationKind) -> str:
    if kind is ConversationKind.DIRECT:
        return f"- {text}"
    name = one_line(memory.sender_name.translate(_NO_COLONS))[:_NAME_CHARS].strip()
    return f"- {name or NAMELESS}: {text}"
