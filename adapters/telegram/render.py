"""Write content for Telegram: every block readable on a phone, its marks as entities. Pure.

A link comes out live, so that `links.only_known` belongs before this; an address that stands in a text comes out as
code (`entities.py` says why). Previews are for the caller to turn off, on edits too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from adapters.content import (
    Block,
    CodeBlock,
    Content,
    Heading,
    Inline,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Table,
)
from adapters.links import NO_LINKS, only_known
from adapters.runs import Mark, Run, RunKind, runs_of, sound
from adapters.split import split_markdown
from adapters.table_grid import grid, shown_cells, told
from adapters.telegram.entities import Rendered, assemble, unlinked, utf16_length
from adapters.telegram.pieces import Piece, Style, in_lines

_BULLETS = ("•", "◦", "▪")
_RULE = "\N{EM DASH}" * 3
_WEB = ("https://", "http://")


def render(content: Content) -> Rendered:
    """Write a message: its text and entities. Pure; never raises."""
    return assemble(_Page(count(1)).blocks(content.blocks, _Place()))


def render_plain(content: Content) -> Rendered:
    """Write a message without entities, for the day Telegram refuses them: the addresses in it are not live either."""
    pieces = _Page(count(1)).blocks(only_known(content, NO_LINKS).blocks, _Place())
    return Rendered(unlinked("".join(piece.text for piece in pieces).strip()))


def split(markdown: str, limit: int) -> list[str]:
    """Cut Markdown into texts that each render within `limit` UTF-16 units, whatever of their links is live. Pure."""
    return split_markdown(markdown, longest, utf16_length, limit)


def longest(content: Content) -> str:
    """Write the text of a message with every link's address in it, which is as long as it can become."""
    return render(only_known(content, NO_LINKS)).text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where blocks stand."""

    #: What begins each of their lines but the first.
    indent: str = ""
    quote: int = 0
    #: How deep in lists.
    depth: int = 0


class _Page:
    """Writes one message's blocks as pieces."""

    def __init__(self, numbers: Iterator[int]) -> None:
        #: Tells code, links and quotes that touch apart.
        self._numbers = numbers

    def blocks(self, blocks: tuple[Block, ...], place: _Place) -> list[Piece]:
        pieces: list[Piece] = []
        for number, block in enumerate(blocks):
            if number:
                pieces.append(Piece(self._gap(block, place), Style(quote=place.quote)))
            pieces += self._block(block, place)
        return pieces

    def _gap(self, block: Block, place: _Place) -> str:
        """Part a block from the one above it; within an item they stand close."""
        # Code begins at the edge, or its first line would stand to the right of the others.
        is_at_edge = isinstance(block, CodeBlock) or (isinstance(block, Quote) and not place.quote)
        indent = "" if is_at_edge else place.indent
        return "\n" + indent if place.depth else "\n" + place.indent.rstrip() + "\n" + indent

    def _block(self, block: Block, place: _Place) -> list[Piece]:
        match block:
            case Paragraph():
                return self._inlines(block.inlines, place)
            case Heading():
                return self._inlines(block.inlines, place, frozenset({Mark.BOLD}))
            case CodeBlock():
                return self._code(block.text, block.lang, place)
            case Rule():
                return [Piece(_RULE, Style(quote=place.quote))]
            case _:
                return self._container(block, place)

    def _container(self, block: Quote | ListBlock | Table, place: _Place) -> list[Piece]:
        match block:
            case Quote() if place.quote:
                # Quotes do not nest: the inner one keeps its sign.
                inner = replace(place, indent=place.indent + "> ", depth=0)
                return [Piece("> ", Style(quote=place.quote)), *self.blocks(block.blocks, inner)]
            case Quote():
                return self.blocks(block.blocks, _Place(quote=next(self._numbers)))
            case ListBlock():
                return self._list(block, place)
            case Table():
                return self._table(block, place)

    def _table(self, table: Table, place: _Place) -> list[Piece]:
        lines = grid(table, shown_cells(table))
        return self.blocks(told(table), place) if lines is None else self._code(lines, "", place)

    def _list(self, block: ListBlock, place: _Place) -> list[Piece]:
        pieces: list[Piece] = []
        for number, item in enumerate(block.items, start=block.start or 0):
            bullet = _BULLETS[min(place.depth, len(_BULLETS) - 1)]
            mark = f"{bullet} " if block.start is None else f"{number}. "
            inner = replace(place, indent=place.indent + " " * len(mark), depth=place.depth + 1)
            before = "\n" + place.indent if pieces else ""
            pieces += [Piece(before + mark, Style(quote=place.quote)), *self.blocks(item, inner)]
        return pieces

    def _code(self, text: str, lang: str, place: _Place) -> list[Piece]:
        language = "".join(sign for sign in lang if sign.isalnum() or sign in "+-_#.")[:32]
        return [Piece(sound(text), Style(pre=language, quote=place.quote, number=next(self._numbers)))]

    def _inlines(
        self, inlines: tuple[Inline, ...], place: _Place, marks: frozenset[Mark] = frozenset()
    ) -> list[Piece]:
        pieces = [piece for run in runs_of(inlines, marks) for piece in self._run(run, place)]
        return in_lines(pieces, place.indent)

    def _run(self, run: Run, place: _Place) -> list[Piece]:
        style = Style(marks=run.marks, quote=place.quote)
        match run.kind:
            case RunKind.TEXT:
                return [Piece(run.text, style)]
            case RunKind.CODE:
                return [Piece(run.text, Style(is_code=True, quote=place.quote, number=next(self._numbers)))]
            case RunKind.LINK if run.url.lower().startswith(_WEB):
                return [Piece(run.text, replace(style, url=run.url, number=next(self._numbers)))]
            case RunKind.LINK:
                # Telegram has links to the web only; a mail address is shown as what it is.
                address = run.url.removeprefix("mailto:")
                return [
                    Piece(run.text if run.text in (run.url, address) else f"{run.text} ({address})", style)
                ]
