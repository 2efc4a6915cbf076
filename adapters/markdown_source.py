"""Write `Content` as Markdown that reads back as the same content, and lay blocks out for whoever writes lines."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from adapters.content import (
    Align,
    Block,
    Bold,
    Cell,
    Code,
    CodeBlock,
    Content,
    Heading,
    Inline,
    Italic,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Table,
)

InlineWriter = Callable[[tuple[Inline, ...]], str]
TableWriter = Callable[[Table], str]

_SPECIAL = re.compile(r"([\\`*_\[]|~(?=~)|(?<=~)~|<(?=[A-Za-z])|&(?=[#A-Za-z]))")
_LINE_START = re.compile(
    r"^( *\d{1,9}(?=[.)](?:\s|$))| *(?=#{1,6}(?:\s|$)|>|[-+](?:\s|$)|~{3,}|(?:[|:][|: \t]*)?-[-|: \t]*$))",
    re.MULTILINE,
)
_DASHES: Mapping[Align, str] = {
    Align.NONE: "---",
    Align.LEFT: ":--",
    Align.CENTER: ":-:",
    Align.RIGHT: "--:",
}


def to_markdown(content: Content) -> str:
    """Write Markdown; `markdown.parse` reads it back. Pure."""
    return Layout(_inlines, _table).lay_out(content.blocks)


@dataclass(frozen=True, slots=True)
class Layout:
    """How blocks become lines (`#`, fences, `-`, `1.`, `>`), whoever writes what is in them."""

    inlines: InlineWriter
    table: TableWriter

    def lay_out(self, blocks: tuple[Block, ...]) -> str:
        """Write blocks with a blank line between them. Pure."""
        return "\n\n".join(map(self._block, blocks))

    def _block(self, block: Block) -> str:
        match block:
            case Quote():
                return _prefixed(self.lay_out(block.blocks), "> ", "> ")
            case ListBlock():
                return "\n".join(self._items(block))
            case Table():
                return self.table(block)
            case _:
                return self._leaf(block)

    def _leaf(self, block: Paragraph | Heading | CodeBlock | Rule) -> str:
        match block:
            case Paragraph():
                return self.inlines(block.inlines)
            case Heading():
                title = self.inlines(block.inlines).replace("\n", " ")
                title = re.sub(r"(?:\A|(?<=\s))(#+)\Z", r"\\\1", title)
                return f"{'#' * block.level} {title}".rstrip()
            case CodeBlock():
                fence = fence_for(block.text)
                return f"{fence}{block.lang}\n{block.text}\n{fence}"
            case Rule():
                return "---"

    def _items(self, block: ListBlock) -> list[str]:
        items = []
        for number, blocks in enumerate(block.items, start=block.start or 0):
            mark = "- " if block.start is None else f"{number}. "
            items.append(_prefixed(self._item(blocks), mark, " " * len(mark)).rstrip(" "))
        return items

    def _item(self, blocks: tuple[Block, ...]) -> str:
        """Write an item's blocks close together where they still read as different blocks."""
        text = ""
        for number, block in enumerate(blocks):
            close = isinstance(block, CodeBlock) or (isinstance(block, ListBlock) and block.start is None)
            text += ("" if number == 0 else "\n" if close else "\n\n") + self._block(block)
        return text


def table_lines(rows: Iterable[Sequence[str]], dashes: Sequence[str]) -> str:
    """Write a table's rows of cells as lines between bars, with a line of dashes below the first."""
    header, *body = (f"| {' | '.join(cells)} |" for cells in rows)
    return "\n".join([header, f"|{'|'.join(dashes)}|", *body])


def _table(table: Table) -> str:
    rows = [[_cell(cell) for cell in row] for row in (table.header, *table.rows)]
    return table_lines(rows, [_DASHES[align] for align in table.aligns])


def _cell(cell: Cell) -> str:
    """Write a cell so that it stays one: no line break, no bar of its own, no white space at its ends."""
    text = "".join(map(_inline, cell)).replace("|", "\\|")
    return re.sub(r"\s*\n\s*", "<br>", text.strip())


def _prefixed(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join((first if number == 0 else rest) + line for number, line in enumerate(lines))


def fence_for(text: str) -> str:
    """Choose a fence longer than any run of backticks in the code."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)


def ticks_around(text: str) -> str:
    """Write inline code with a run of backticks that the code does not hold."""
    runs = {len(run) for run in re.findall(r"`+", text)}
    ticks = "`" * next(width for width in range(1, len(runs) + 2) if width not in runs)
    pad = " " if text.strip() and (text[0] in "` " or text[-1] in "` ") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _inlines(inlines: tuple[Inline, ...]) -> str:
    return _LINE_START.sub(r"\1\\", "".join(_inline(inline) for inline in inlines))


def _inline(inline: Inline) -> str:
    match inline:
        case Bold():
            return f"**{''.join(map(_inline, inline.children))}**"
        case Italic():
            return f"*{''.join(map(_inline, inline.children))}*"
        case Strike():
            return f"~~{''.join(map(_inline, inline.children))}~~"
        case Code():
            return ticks_around(inline.text)
        case Link():
            return f"[{_escaped(inline.text)}]({_address(inline.url)})"
        case _:
            return _escaped(inline.text)


def _address(url: str) -> str:
    """Write an address so that brackets in it do not end it."""
    text = url.replace("&", "\\&") if "&" in url and ";" in url else url
    return f"<{text}>" if "(" in text or ")" in text else text


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
