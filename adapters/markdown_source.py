"""Write `Content` as Markdown that reads back as the same content, and lay blocks out for whoever writes text lines."""

import re
from collections.abc import Callable

from adapters.content import (
    Block,
    Bold,
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
)

InlineWriter = Callable[[tuple[Inline, ...]], str]

_SPECIAL = re.compile(r"([\\`*_\[])")
_LINE_START = re.compile(
    r"^( *\d{1,9}(?=[.)](?:\s|$))| *(?=#{1,6}(?:\s|$)|>|[-+](?:\s|$)|~{3,}))", re.MULTILINE
)


def to_markdown(content: Content) -> str:
    """Write Markdown; `markdown.parse` reads it back. Pure."""
    return lay_out(content, _inlines)


def lay_out(content: Content, inlines: InlineWriter) -> str:
    """Write blocks as lines (`#`, fences, `-`, `1.`, `>`), with a blank line between them. Pure."""
    return "\n\n".join(_block(block, inlines) for block in content.blocks)


def _block(block: Block, inlines: InlineWriter) -> str:
    match block:
        case Paragraph():
            return inlines(block.inlines)
        case Heading():
            title = re.sub(r"(?:\A|(?<=\s))(#+)\Z", r"\\\1", inlines(block.inlines).replace("\n", " "))
            return f"{'#' * block.level} {title}".rstrip()
        case CodeBlock():
            fence = fence_for(block.text)
            return f"{fence}{block.lang}\n{block.text}\n{fence}"
        case Quote():
            return _prefixed(lay_out(Content(block.blocks), inlines), "> ", "> ")
        case ListBlock():
            return "\n".join(_items(block, inlines))


def _items(block: ListBlock, inlines: InlineWriter) -> list[str]:
    items = []
    for number, blocks in enumerate(block.items, start=block.start or 0):
        mark = "- " if block.start is None else f"{number}. "
        items.append(_prefixed(_item(blocks, inlines), mark, " " * len(mark)).rstrip(" "))
    return items


def _item(blocks: tuple[Block, ...], inlines: InlineWriter) -> str:
    """Write an item's blocks close together where they still read as different blocks."""
    text = ""
    for number, block in enumerate(blocks):
        close = isinstance(block, CodeBlock) or (isinstance(block, ListBlock) and block.start is None)
        text += ("" if number == 0 else "\n" if close else "\n\n") + _block(block, inlines)
    return text


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
        case Code():
            return ticks_around(inline.text)
        case Link():
            return f"[{_escaped(inline.text)}]({inline.url})"
        case _:
            return _escaped(inline.text)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
