"""What a typed line means: a message, a reply to a numbered one, or leaving. Pure."""

import re
from dataclasses import dataclass

_REPLY = re.compile(r"(?:/reply\s+|>\s*)(?P<number>\d{1,15})(?:\s+(?P<text>.*))?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Something to say, in reply to a number if there is one."""

    text: str
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """The person wants to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """The line cannot be carried out; a sentence says how it could."""

    text: str


Typed = Words | Leave | Hint | None


def understand(line: str) -> Typed:
    """Read a typed line; None for an empty one."""
    bare = line.strip()
    if not bare:
        return None
    if bare in ("/quit", "/exit"):
        return Leave()
    if reply := _REPLY.match(bare):
        text = (reply["text"] or "").strip()
        return Words(text=text, number=int(reply["number"])) if text else Hint(text=_HOW_TO_REPLY)
    if bare.split()[0] == "/reply":
        return Hint(text=_HOW_TO_REPLY)
    return Words(text=line.rstrip("\n"))


_HOW_TO_REPLY = "To reply, write /reply NUMBER TEXT or >NUMBER TEXT, as in: >12 and in French?"
