"""A table where there are no tables: columns under each other where they fit on a phone, else told row by row. Pure."""

from collections.abc import Sequence

from adapters.content import (
    Align,
    Block,
    Bold,
    Cell,
    Content,
    Inline,
    ListBlock,
    Paragraph,
    Table,
    Text,
    inline_text,
)
from adapters.links import NO_LINKS, only_known
from adapters.runs import runs_of
from adapters.width import width_of

#: Characters of equal width that stand beside each other on a narrow phone.
WIDEST = 34
_NARROWEST = 3


def grid(table: Table, cells: Sequence[Sequence[str]]) -> str | None:
    """Lay a table's cells (the header first) out in columns of equally wide characters; None where that is too wide."""
    rows = [[cell.strip() for cell in row] for row in cells]
    if any("\n" in cell for row in rows for cell in row):
        return None
    widths = [max(_NARROWEST, *map(width_of, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + 3 * (len(widths) - 1) > WIDEST:
        return None
    header, *body = (_line(row, widths, table.aligns) for row in rows)
    return "\n".join([header, "-+-".join("-" * width for width in widths), *body])


def shown_cells(table: Table) -> list[list[str]]:
    """Write a table's cells (the header first) as bare text; code shows no link, so addresses are written out."""
    (bare,) = only_known(Content((table,)), NO_LINKS).blocks
    assert isinstance(bare, Table)
    return [["".join(run.text for run in runs_of(cell)) for cell in row] for row in (bare.header, *bare.rows)]


def told(table: Table) -> tuple[Block, ...]:
    """Tell a table row by row, each of its cells behind its column's title."""
    if not table.rows:
        return (ListBlock(tuple((Paragraph((Bold(title),)),) for title in table.header)),)
    items = []
    for row in table.rows:
        cells = [_told_cell(title, cell) for title, cell in zip(table.header, row, strict=True)]
        items.append((Paragraph(_joined([cell for cell in cells if cell])),))
    return (ListBlock(tuple(items)),)


def _told_cell(title: Cell, cell: Cell) -> tuple[Inline, ...]:
    if not inline_text(title).strip():
        return cell
    return (Bold(title), Text(": "), *cell) if inline_text(cell).strip() else (Bold(title),)


def _joined(cells: list[tuple[Inline, ...]]) -> tuple[Inline, ...]:
    joined: list[Inline] = []
    for cell in cells:
        joined += [Text("\n"), *cell] if joined else cell
    return tuple(joined)


def _line(row: Sequence[str], widths: Sequence[int], aligns: Sequence[Align]) -> str:
    return " | ".join(map(_padded, row, widths, aligns)).rstrip()


def _padded(text: str, width: int, align: Align) -> str:
    room = width - width_of(text)
    left = {Align.RIGHT: room, Align.CENTER: room // 2}.get(align, 0)
    return " " * left + text + " " * (room - left)
