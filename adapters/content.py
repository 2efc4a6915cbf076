"""What a message says, free of any platform's markup: a small tree that every adapter renders.

There is deliberately no node for a mention, an image or a card: whatever a model writes, the tree cannot ping a
person, load a picture or ask for a link preview. A `Link` is a text with an address; whoever renders it turns previews
off where the platform has them.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Text:
    """Characters as they are; may hold line breaks."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A few characters of code within a line."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A text and the web or mail address behind it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Bold:
    """Strong emphasis."""

    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Italic:
    """Light emphasis."""

    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Strike:
    """Words that no longer hold."""

    children: "tuple[Inline, ...]"


Inline = Text | Code | Link | Bold | Italic | Strike


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A title of level 1 to 6."""

    level: int
    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Lines of code, without a line break at the end; `lang` may be empty."""

    lang: str
    text: str


@dataclass(frozen=True, slots=True)
class ListBlock:
    """Items, each of them blocks; numbered from `start` where there is one, with bullets where it is None."""

    items: "tuple[tuple[Block, ...], ...]"
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """Blocks somebody else said."""

    blocks: "tuple[Block, ...]"


class Align(StrEnum):
    """Where a table's column puts its text."""

    #: As the reader's writing direction has it.
    NONE = ""
    #: At the left edge.
    LEFT = "left"
    #: In the middle.
    CENTER = "center"
    #: At the right edge.
    RIGHT = "right"


#: The inlines of one cell of a table.
Cell = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows, each with one cell for each of `aligns`."""

    aligns: tuple[Align, ...]
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line between what belongs apart."""


Block = Paragraph | Heading | CodeBlock | ListBlock | Quote | Table | Rule


@dataclass(frozen=True, slots=True)
class Content:
    """A whole message."""

    blocks: tuple[Block, ...]


def plain(text: str) -> Content:
    """Make a message of characters that mean nothing but themselves."""
    return Content((Paragraph((Text(text),)),)) if text else Content(())


def inline_text(inlines: tuple[Inline, ...]) -> str:
    """Return the characters of some inlines without their markup; a link's address is not among them."""
    return "".join(
        inline_text(inline.children) if isinstance(inline, Bold | Italic | Strike) else inline.text
        for inline in inlines
    )
