"""Write content for a terminal: the characters, their marks still readable, and nothing a terminal would obey.

Marks stay (`**bold**`, fences), so that a reply that grows only ever gets longer.
"""

import re

from adapters.content import Bold, Code, Content, Inline, Italic, Link, Text
from adapters.markdown import parse
from adapters.markdown_source import lay_out, ticks_around

#: Control characters but tab and line feed, and the marks that turn the direction of what follows.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def render(content: Content) -> str:
    """Write a message as lines of text. Pure."""
    return printable(lay_out(content, _inlines))


def render_growing(markdown: str) -> str:
    """Write a reply that is still being written. Pure; never raises."""
    return render(parse(markdown))


def printable(text: str) -> str:
    """Take out what would move the cursor, change colours, ring, or reorder the line."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n"))


def _inlines(inlines: tuple[Inline, ...]) -> str:
    return "".join(_inline(inline) for inline in inlines)


def _inline(inline: Inline) -> str:
    match inline:
        case Bold():
            return f"**{_inlines(inline.children)}**"
        case Italic():
            return f"*{_inlines(inline.children)}*"
        case Code():
            return ticks_around(inline.text)
        case Link():
            return inline.url if inline.text == inline.url else f"{inline.text} ({inline.url})"
        case Text():
            return inline.text
