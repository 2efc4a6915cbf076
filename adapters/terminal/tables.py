"""Write a table for a terminal: columns under each other, or cell by cell where they would not fit side by side."""

from adapters.content import Align, Table
from adapters.markdown_source import InlineWriter, table_lines
from adapters.width import width_of

#: A table wider than this many columns is told cell by cell: rows that wrap cannot be read as rows.
WIDEST = 76
_NARROWEST = 3


def write_table(table: Table, inlines: InlineWriter) -> str:
    """Write a table as lines. Pure."""
    rows = [[inlines(cell).strip() for cell in row] for row in (table.header, *table.rows)]
    widths = [max(_NARROWEST, *map(width_of, column)) for column in zip(*rows, strict=True)]
    in_lines = any("\n" in cell for row in rows for cell in row)
    if in_lines or sum(widths) + 3 * len(widths) + 1 > WIDEST:
        return _told(rows)
    aligned = [
        [_padded(cell, width, align) for cell, width, align in zip(row, widths, table.aligns, strict=True)]
        for row in rows
    ]
    return table_lines(aligned, [_dashes(*column) for column in zip(widths, table.aligns, strict=True)])


def _padded(text: str, width: int, align: Align) -> str:
    room = width - width_of(text)
    left = {Align.RIGHT: room, Align.CENTER: room // 2}.get(align, 0)
    return " " * left + text + " " * (room - left)


def _dashes(width: int, align: Align) -> str:
    """Draw the line below a header, one wider than its column on both sides."""
    left = ":" if align in (Align.LEFT, Align.CENTER) else "-"
    right = ":" if align in (Align.RIGHT, Align.CENTER) else "-"
    return left + "-" * width + right


def _told(rows: list[list[str]]) -> str:
    """Write each row as an item, each of its cells on a line behind its column's title."""
    header, *body = rows
    if not body:
        return "\n".join(f"- {title}" for title in header)
    return "\n".join(
        _item([f"{title}: {cell}" if title else cell for title, cell in zip(header, row, strict=True)])
        for row in body
    )


def _item(cells: list[str]) -> str:
    return "- " + "\n".join(cells).replace("\n", "\n  ")
