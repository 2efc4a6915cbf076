"""What of an adapter is pure: what reads whatever comes in, and what writes and cuts whatever a model says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis.strategies import SearchStrategy

from adapters.content import Content
from adapters.errors import MalformedEvent
from adapters.links import KnownLinks


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """One reader of what comes in."""

    name: str
    #: What may come in, and things that look much like it.
    given: SearchStrategy[Any]
    #: Reads it to events.
    read: Callable[[Any], Iterable[object]]
    #: The adapter's modules that it goes through.
    covers: frozenset[str]
    #: What it may raise: nothing else.
    refuses: tuple[type[Exception], ...] = (MalformedEvent,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """One way in which an adapter writes what is sent."""

    name: str
    #: Writes a message, with the links that may be live.
    write: Callable[[Content, KnownLinks], str]
    #: Cuts Markdown into parts of at most so much by `measure`.
    cut: Callable[[str, int], list[str]]
    measure: Callable[[str], int]
    #: The shortest limit that has room for every mark.
    least: int = 80
    #: Signs that are written as others, to read them back.
    reads: Callable[[str], str] = str
