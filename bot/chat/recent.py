"""What was said before a question to nobody in particular, as it stands in the user's message. Pure."""

from collections.abc import Callable, Sequence

from bot.chat.plain import cleaned
from bot.chat.speakers import shown_name
from bot.turns.model import Said


def recent_text(recent: Sequence[Said], most: int, count: Callable[[str], int]) -> str:
    """Render the newest of some messages, oldest first, in at most `most` tokens; empty where there is no room.

    They are data about what goes on, never a question: the person's own words follow in a mark of their own.
    """
    lines: list[str] = []
    room = most - count(_framed([]))
    for said in reversed(recent):
        name = said.called or shown_name(said.sender_name)
        line = f"‹recent from {name}› {cleaned(said.text)}\n"
        room -= count(line)
        if room < 0:
            break
        lines.append(line)
    return _framed(lines[::-1]) if lines else ""


def _framed(lines: Sequence[str]) -> str:
    return "".join(lines) + "‹end of recent messages›\n"
