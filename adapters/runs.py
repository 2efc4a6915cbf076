"""Inlines as a row of runs, each with its marks: for platforms whose markup is not a tree. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from adapters.addresses import addresses
from adapters.content import Bold, Code, Inline, Italic, Link, Strike, Text

#: Control characters but line feed and tab, halves of characters, and what turns the direction of the text behind it.
_UNSOUND = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
_HALF = re.compile(r"[\ud800-\udfff]")


class Mark(StrEnum):
    """How a run stands out; in the order in which marks hold each other, the outermost first."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"


class RunKind(StrEnum):
    """What a run is."""

    #: Characters; an address among them must not become a link.
    TEXT = "text"
    #: Code within a line.
    CODE = "code"
    #: A live link.
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Some characters that look the same."""

    text: str
    kind: RunKind = RunKind.TEXT
    marks: frozenset[Mark] = frozenset()
    #: Where a link leads.
    url: str = ""


_MARKS: dict[type, Mark] = {Bold: Mark.BOLD, Italic: Mark.ITALIC, Strike: Mark.STRIKE}


def runs_of(inlines: Iterable[Inline], marks: frozenset[Mark] = frozenset()) -> list[Run]:
    """Lay inlines out as runs without empty ones; code has no marks, for no platform shows both."""
    made: list[Run] = []
    for inline in inlines:
        match inline:
            case Text():
                made.append(Run(text=sound(inline.text), marks=marks))
            case Code():
                made.append(Run(text=sound(inline.text), kind=RunKind.CODE))
            case Link():
                text, url = sound(inline.text), sound(inline.url)
                made.append(Run(text=text or url, kind=RunKind.LINK, marks=marks, url=url))
            case Bold() | Italic() | Strike():
                made += runs_of(inline.children, marks | {_MARKS[type(inline)]})
    return [run for run in made if run.text]


def dead_spans(text: str, kept: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Find what a client would make a link or a mention of, outside of the spans that are kept; in order.

    An address that begins in one run and ends in another is one all the same: clients read the text, not the runs.
    """
    dead: list[tuple[int, int]] = []
    live = sorted(kept)
    for address in addresses(text):
        at = address.start
        for start, end in live:
            if end <= at or start >= address.end:
                continue
            if at < start:
                dead.append((at, start))
            at = end
        if at < address.end:
            dead.append((at, address.end))
    return dead


def sound(text: str) -> str:
    """Take out what reorders or breaks a line, and unify line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", _UNSOUND.sub("", text))
