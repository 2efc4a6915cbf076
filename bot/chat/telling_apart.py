"""Calling the people of a chat so that no two are called the same, nor one like the assistant. Pure.

A platform lets everybody choose a name. The first who speaks under one is called by it alone, the next who bears such
a name gets a number; the chat keeps who has which, so that a name means the same person in every prompt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from adapters.base import ConversationKind
from bot.chat.speakers import likeness, numbered, one_called, shown_name
from bot.turns.model import Said, Turn

#: Names that people could take for the assistant, or a model for something else than a person.
_NOBODYS = ("assistant", "developer", "ipython", "model", "system", "tool", "user", "you", "of you")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearers:
    """Who bears the names of a turn, in its chat."""

    #: The number of each speaker among the bearers of such names, from 1, by the speaker's id and the likeness.
    numbers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    #: All numbers that were given, by the likeness.
    given: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def reserved_names(assistant: str) -> frozenset[str]:
    """Return the likenesses that nobody bears as the first: the assistant's own, and those of roles."""
    return frozenset(likeness(shown_name(name)) for name in (assistant, *_NOBODYS))


def speakers(turn: Turn) -> set[tuple[str, str]]:
    """Return who speaks in a group's turn, overheard messages included: ids, each with a name's likeness."""
    if turn.chat.kind is ConversationKind.DIRECT:
        return set()
    return {(said.sender_id, likeness(shown_name(said.sender_name))) for said in _messages(turn)}


def quoted_names(turn: Turn) -> set[str]:
    """Return the likenesses of the names that a turn quotes."""
    return {likeness(shown_name(said.quoted_author)) for said in turn.said if _quotes_somebody(said)}


def told_apart(turn: Turn, bearers: Bearers, reserved: frozenset[str]) -> Turn:
    """Return the turn with what its prompt shall call everybody."""
    called = _Called(bearers, reserved)
    return replace(
        turn,
        said=tuple(called.in_message(said) for said in turn.said),
        recent=tuple(called.in_message(said) for said in turn.recent),
    )


class _Called:
    def __init__(self, bearers: Bearers, reserved: frozenset[str]) -> None:
        self._bearers = bearers
        self._reserved = reserved

    def in_message(self, said: Said) -> Said:
        quoted = self._quoted(said.quoted_author) if _quotes_somebody(said) else ""
        return replace(said, called=self._speaker(said), quoted_called=quoted)

    def _speaker(self, said: Said) -> str:
        name = shown_name(said.sender_name)
        alike = likeness(name)
        return self._numbered(name, alike, self._bearers.numbers.get((said.sender_id, alike), 1))

    def _quoted(self, author: str) -> str:
        """Name whom a message quotes: of that person nothing is known but the name."""
        name = shown_name(author)
        alike = likeness(name)
        given = self._bearers.given.get(alike, (1,))
        if alike in self._reserved or len(given) > 1:
            return one_called(name)
        return self._numbered(name, alike, given[0])

    def _numbered(self, name: str, alike: str, number: int) -> str:
        return numbered(name, number + (alike in self._reserved))


def _messages(turn: Turn) -> Iterable[Said]:
    return (*turn.recent, *turn.said)


def _quotes_somebody(said: Said) -> bool:
    return bool(said.quoted_text) and not said.quoted_by_assistant
