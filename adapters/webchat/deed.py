"""What a connection can be asked to do: the deeds by name, and what each counts as."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.webchat.desk import Desk
from adapters.webchat.frames import Ask
from adapters.webchat.limits import Kind
from adapters.webchat.pump import Pump


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, on which connection."""

    person: str
    pump: Pump
    #: Where the page is for them: https://chat.example.org.
    origin: str


Do = Callable[[Desk, Caller, Ask], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that can be asked for."""

    do: Do
    counts_as: Kind = Kind.OTHER
    #: Whether it keeps its place among other deeds of the connection.
    in_order: bool = True
