"""Laying text out in the rows of a terminal, by how wide characters are drawn. Pure."""

from adapters.width import columns_of


def wrap(text: str, columns: int) -> list[str]:
    """Break text into rows of at most `columns`, between words where there are some; at least one row."""
    rows: list[str] = []
    for line in text.replace("\t", "    ").split("\n"):
        rows.extend(_wrapped(line, max(columns, 2)))
    return rows


def tail(text: str, columns: int) -> str:
    """Return the end of a text that fits into so many columns."""
    start, room = len(text), columns
    while start and (room := room - columns_of(text[start - 1])) >= 0:
        start -= 1
    return text[start:]


def _wrapped(line: str, columns: int) -> list[str]:
    rows: list[str] = []
    start = used = 0
    space = -1
    at = 0
    while at < len(line):
        used += columns_of(line[at])
        if used > columns:
            end = space if space > start else at
            rows.append(line[start:end])
            start = end + 1 if space > start else at
            at, used, space = start, 0, -1
            continue
        if line[at] == " ":
            space = at
        at += 1
    return [*rows, line[start:]]
