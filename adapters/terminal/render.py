"""Write content for a terminal: the characters, their marks still readable, and nothing a terminal would obey.

Marks stay (`**bold**`, fences), so that a reply that grows only ever gets longer. A table's columns come to stand under
each other when it is complete: every row could widen them.
"""

import re

from adapters.content import Bold, Code, Content, Inline, Italic, Link, Strike, Table, Text
from adapters.markdown import parse_without_tables
from adapters.markdown_source import Layout, ticks_around
from adapters.terminal.tables import write_table

#: Control characters but tab and line feed, and the marks that turn the direction of what follows.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def render(content: Content) -> str:
    """Write a message as lines of text. Pure."""
    return printable(Layout(_inlines, _table).lay_out(content.blocks))


def render_growing(markdown: str) -> str:
    """Write a reply that is still being written. Pure; never raises."""
    return render(parse_without_tables(markdown))


def printable(text: str) -> str:
    """Take out what would move the cursor, change colours, ring, or reorder the line."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n"))


def _table(table: Table) -> str:
    return write_table(table, lambda cell: printable(_inlines(cell)))


def _inlines(inlines: tuple[Inline, ...]) -> str:
    return "".join(_inline(inline) for inline in inlines)


def _inline(inline: Inline) -> str:
    match inline:
        case Bold():
            return f"**{_inlines(inline.children)}**"
        case Italic():
            return f"*{_inlines(inline.children)}*"
        case Strike():
            return f"~~{_inlines(inline.children)}~~"
        case Code():
            return ticks_around(inline.text)
        case Link():
            return inline.url if inline.text == inline.url else f"{inline.text} ({inline.url})"
        case Text():
            return inline.text
