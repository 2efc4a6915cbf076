"""A seeded talk of several people about nothing much, in which now and then somebody says what must be kept."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.long_chat import said_by
from bot.turns.model import Said

PEOPLE = ("Ann", "Bob", "Cid", "Dana")
THINGS = ("ward", "boiler", "bus", "rota", "kitchen", "roof", "pump", "door")
FILLER = (
    "so",
    "then",
    "we",
    "could",
    "perhaps",
    "look",
    "at",
    "the",
    "list",
    "again",
    "tomorrow",
    "ok",
    "fine",
)
#: Begins what is to be remembered.
NOTE = "Please remember:"
_BEGINS = datetime(2026, 10, 1, 14, 5, tzinfo=UTC)
#: No fact is said so near the end that nobody asks for it a hundred turns later.
_LAST = 100


@dataclass(frozen=True, slots=True)
class Fact:
    """Who said what, at which turn."""

    turn: int
    who: str
    what: str


class Talk:
    """What is said and answered, turn by turn; the same for the same seed."""

    def __init__(self, seed: int, *, turns: int, facts: int) -> None:
        """Choose who says which facts at which turns, the first of them at the very beginning."""
        self._chance = random.Random(seed)
        at = [0, *sorted(self._chance.sample(range(1, turns - _LAST), facts - 1))]
        self.turns = turns
        self.facts = {
            turn: Fact(turn, self._chance.choice(PEOPLE), self._what(thing))
            for turn, thing in zip(at, THINGS, strict=False)
        }

    def said(self, turn: int) -> Said:
        """Return what is said at a turn."""
        if (fact := self.facts.get(turn)) is not None:
            return said_by(fact.who, f"{NOTE} {fact.what}", said_at(turn))
        return said_by(self._chance.choice(PEOPLE), self._filler(60), said_at(turn))

    def reply(self) -> str:
        """Return an answer that says nothing."""
        return self._filler(80)

    def _what(self, thing: str) -> str:
        return f"the {thing} code is {self._chance.randrange(1000, 9999)}"

    def _filler(self, most: int) -> str:
        return " ".join(self._chance.choices(FILLER, k=self._chance.randrange(3, most)))


def said_at(turn: int) -> datetime:
    """Tell when a turn is said: one an hour."""
    return _BEGINS + timedelta(hours=turn)


def is_known(prompt: str, fact: Fact) -> bool:
    """Tell whether a prompt holds what was said."""
    return fact.what in prompt


def is_told(prompt: str, fact: Fact) -> bool:
    """Tell whether one line of a prompt holds who said it, when, and what."""
    when = f"{said_at(fact.turn):%Y-%m-%d %H:%M}"
    return any(fact.what in line and fact.who in line and when in line for line in prompt.split("\n"))
