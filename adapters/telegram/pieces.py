"""Pieces of text with their looks, before they become entities. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from adapters.runs import Mark, dead_spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How some characters look."""

    marks: frozenset[Mark] = frozenset()
    is_code: bool = False
    #: The language of a block of code, which may be empty; None outside of one.
    pre: str | None = None
    #: Where a live link leads.
    url: str = ""
    #: The number of the quote they stand in; 0 outside.
    quote: int = 0
    #: Tells code and links that touch apart.
    number: int = 0

    @property
    def is_settled(self) -> bool:
        """Tell whether Telegram makes no link or mention of it by itself."""
        return self.is_code or self.pre is not None or bool(self.url)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of one look."""

    text: str
    style: Style = Style()


def placed(pieces: Sequence[Piece]) -> Iterator[tuple[int, int, Style]]:
    """Tell where each piece begins and ends, in code points."""
    at = 0
    for piece in pieces:
        yield at, at + len(piece.text), piece.style
        at += len(piece.text)


def stripped(pieces: Sequence[Piece]) -> list[Piece]:
    """Take away what Telegram would cut off: white space at both ends, but for a first line of code's own indent."""
    left = [piece for piece in pieces if piece.text]
    while left and left[0].style.pre is None and not (text := left[0].text.lstrip()):
        del left[0]
    if left and left[0].style.pre is None:
        left[0] = Piece(text, left[0].style)
    while left and not (text := left[-1].text.rstrip()):
        del left[-1]
    if left:
        left[-1] = Piece(text, left[-1].style)
    return left


def with_dead_as_code(pieces: Sequence[Piece]) -> list[Piece]:
    """Show as code what Telegram would otherwise make a link or a mention of."""
    text = "".join(piece.text for piece in pieces)
    spans = list(placed(pieces))
    dead = dead_spans(text, [(start, end) for start, end, style in spans if style.is_settled])
    borders = sorted({0, len(text), *(at for span in dead for at in span), *(start for start, _, _ in spans)})
    made: list[Piece] = []
    number = at_dead = 0
    for start, end in pairwise(borders):
        while spans[number][1] <= start:
            number += 1
        while at_dead < len(dead) and dead[at_dead][1] <= start:
            at_dead += 1
        style = spans[number][2]
        if at_dead < len(dead) and dead[at_dead][0] <= start:
            style = Style(is_code=True, quote=style.quote)
        made.append(Piece(text[start:end], style))
    return made


def in_lines(pieces: Sequence[Piece], indent: str) -> list[Piece]:
    """Begin every line but the first with an indent that has no look of its own."""
    made: list[Piece] = []
    for piece in pieces:
        for number, line in enumerate(piece.text.split("\n")):
            if number:
                made.append(Piece("\n" + indent, Style(quote=piece.style.quote)))
            made.append(replace(piece, text=line))
    return [piece for piece in made if piece.text]
