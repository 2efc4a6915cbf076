"""What people say and what the engine answers, so that everything visible can be told by its marks alone.

A mention carries `#m12x3`: number 12, an answer of three sections. Its answer holds the marks `m12.0/3` to `m12.3/3`,
the first at its very beginning and the last at its very end: whoever sees all of them sees the whole answer.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ASKED = re.compile(r"#m(\d+)x(\d+)( poison)?")
_MARK = re.compile(r"\bm(\d+)\.(\d+)/(\d+)(?!\d)")
#: Long enough that a section of its own fills a good part of a small platform's message.
_FILLER = "The quick brown fox jumps over the lazy dog and comes back the same way, which takes it a while. "
_LONG_CHARS = 700


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One mark of an answer."""

    number: int
    index: int
    sections: int

    def __str__(self) -> str:
        """Write it as the answer does."""
        return f"m{self.number}.{self.index}/{self.sections}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a mention asks for."""

    number: int
    sections: int = 1
    #: The engine breaks off whenever it is asked this.
    poison: bool = False

    def text(self) -> str:
        """Write the mention."""
        return f"#m{self.number}x{self.sections}{' poison' if self.poison else ''} what do you think?"

    def marks(self) -> tuple[Mark, ...]:
        """Name every mark of the answer, in order."""
        return tuple(Mark(self.number, index, self.sections) for index in range(self.sections + 1))

    def answer(self) -> str:
        """Write the answer: a paragraph a section."""
        first, *rest = self.marks()
        filler = _FILLER * (1 if self.sections == 1 else _LONG_CHARS // len(_FILLER))
        return "\n\n".join([f"{first} {filler}{rest[0]}", *(f"{filler}{mark}" for mark in rest[1:])])


def asked(text: str) -> list[Asked]:
    """Read what a text asks for: several mentions may have become one turn."""
    return [
        Asked(number=int(number), sections=int(sections), poison=bool(poison))
        for number, sections, poison in _ASKED.findall(text)
    ]


def answer(wanted: Iterable[Asked]) -> str:
    """Write the answer to a turn."""
    return "\n\n".join(one.answer() for one in wanted) or "Nothing was asked."


def marks(text: str) -> list[Mark]:
    """Read the marks of a text, in order."""
    return [Mark(int(number), int(index), int(sections)) for number, index, sections in _MARK.findall(text)]
