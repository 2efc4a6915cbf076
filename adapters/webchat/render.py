"""Write content as the JSON nodes of which the page builds its elements; there is no node for HTML, images or frames.

Blocks: `["p", inline...]`, `["h", level, inline...]`, `["code", lang, text]`, `["ul", [block...]...]`,
`["ol", start, [block...]...]`, `["quote", block...]`, `["table", [align...], row...]` (the first row is the header;
a row is a list of cells, a cell a list of inlines), `["hr"]`. Inlines: a text, or `["b", inline...]`,
`["i", inline...]`, `["s", inline...]`, `["c", text]`, `["a", text, url]`, `["br"]`.
"""

import re
from collections.abc import Mapping

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
    Rule,
    Strike,
    Table,
    Text,
)

#: One node, as `json.dumps` takes it.
Node = str | int | list["Node"]

#: Blocks and inlines nested deeper than this lose their marks, not their text: no page has to build an endless tree.
MAX_DEPTH = 32

_MARKS: Mapping[type, str] = {Bold: "b", Italic: "i", Strike: "s"}
_HALF = re.compile(r"[\ud800-\udfff]")
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f]+\Z", re.IGNORECASE)


def nodes(content: Content) -> list[Node]:
    """Write a message as a list of blocks that `json.dumps` takes. Pure; never raises; of bounded depth."""
    return _blocks(content.blocks, 0)


def _blocks(blocks: tuple[Block, ...], depth: int) -> list[Node]:
    if depth > MAX_DEPTH:
        return [["p", *_lines(_flat(blocks))]]
    return [_block(block, depth) for block in blocks]


def _block(block: Block, depth: int) -> Node:
    match block:
        case Quote():
            return ["quote", *_blocks(block.blocks, depth + 1)]
        case ListBlock():
            items: list[Node] = [_blocks(item, depth + 1) for item in block.items]
            return ["ul", *items] if block.start is None else ["ol", block.start, *items]
        case Table():
            rows: list[Node] = [
                [_inlines(cell, depth) for cell in row] for row in (block.header, *block.rows)
            ]
            return ["table", [align.value for align in block.aligns], *rows]
        case _:
            return _leaf(block, depth)


def _leaf(block: Paragraph | Heading | CodeBlock | Rule, depth: int) -> Node:
    match block:
        case Paragraph():
            return ["p", *_inlines(block.inlines, depth)]
        case Heading():
            return ["h", block.level, *_inlines(block.inlines, depth)]
        case CodeBlock():
            return ["code", _sound(block.lang), _sound(block.text)]
        case Rule():
            return ["hr"]


def _inlines(inlines: tuple[Inline, ...], depth: int) -> list[Node]:
    written: list[Node] = []
    for inline in inlines:
        written += _inline(inline, depth)
    return written


def _inline(inline: Inline, depth: int) -> list[Node]:
    match inline:
        case Text():
            return _lines(inline.text)
        case Code():
            return [["c", _sound(inline.text)]]
        case Link():
            text, url = _sound(inline.text), _sound(inline.url)
            return [["a", text or url, url]] if _ADDRESS.match(url) else _lines(f"{text} ({url})")
        case _ if depth > MAX_DEPTH:
            return _lines(_flat_inlines(inline.children))
        case _:
            return [[_MARKS[type(inline)], *_inlines(inline.children, depth + 1)]]


def _lines(text: str) -> list[Node]:
    """Write a text with its line breaks as nodes; empty texts are left out."""
    written: list[Node] = []
    for number, line in enumerate(_sound(text).split("\n")):
        if number:
            written.append(["br"])
        if line:
            written.append(line)
    return written


def _sound(text: str) -> str:
    """Replace halves of characters, which no UTF-8 can carry, and unify line ends."""
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def _flat(blocks: tuple[Block, ...]) -> str:
    """Gather the text of blocks of any depth, without recursion."""
    texts: list[str] = []
    waiting: list[Block] = list(reversed(blocks))
    while waiting:
        match waiting.pop():
            case Paragraph(inlines) | Heading(_, inlines):
                texts.append(_flat_inlines(inlines))
            case CodeBlock(_, text):
                texts.append(text)
            case Quote(inner):
                waiting += reversed(inner)
            case ListBlock(items):
                waiting += [block for item in reversed(items) for block in reversed(item)]
            case Table(_, header, rows):
                cells = [cell for row in (header, *rows) for cell in row]
                texts.append(" ".join(map(_flat_inlines, cells)))
            case Rule():
                pass
    return "\n".join(texts)


def _flat_inlines(inlines: tuple[Inline, ...]) -> str:
    """Gather the text of inlines of any depth, without recursion; addresses stay."""
    texts: list[str] = []
    waiting: list[Inline] = list(reversed(inlines))
    while waiting:
        match waiting.pop():
            case Link(text, url):
                texts.append(text if text == url else f"{text} ({url})")
            case Text(text) | Code(text):
                texts.append(text)
            case Bold(children) | Italic(children) | Strike(children):
                waiting += reversed(children)
    return "".join(texts)
