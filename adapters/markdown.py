"""Read the Markdown a model writes into `Content`: never fails, in time linear in the text, also for half a reply.

A practical part of CommonMark (https://spec.commonmark.org/0.31.2/): headings, fenced code, lists, quotes, and the
inlines of `markdown_inline`. Everything else (tables, HTML, rules) stays the characters it is. An open fence runs to
the end.
"""

import re
from dataclasses import dataclass

from adapters.content import Block, CodeBlock, Content, Heading, ListBlock, Paragraph, Quote
from adapters.markdown_inline import parse_inlines

#: Lists and quotes deeper than this are read as plain lines, so that no text can exhaust the stack.
MAX_DEPTH = 8

_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)\Z")
_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})(?P<text>[ \t][^\n]*)?\Z")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\Z")
_ITEM = re.compile(r"(?P<indent> *)(?P<mark>[-*+]|(?P<number>\d{1,9})[.)])(?P<gap> +|\Z)")
_QUOTE = re.compile(r" {0,3}> ?")


@dataclass(frozen=True, slots=True)
class _Marker:
    """The start of a list item: its number or None for a bullet, where it stands and where its text begins."""

    number: int | None
    indent: int
    text_at: int


def parse(text: str) -> Content:
    """Read Markdown; whatever is not understood stays literal text. Pure; never raises."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Content(_blocks(_without_tabs(lines), depth=0))


def _without_tabs(lines: list[str]) -> list[str]:
    """Turn indentation by tabs into spaces, except in code, where a tab may mean something."""
    expanded: list[str] = []
    fence = ""
    for line in lines:
        bare = line.lstrip()
        if fence and bare.startswith(fence):
            fence = ""
        elif not fence and (opening := _fence(bare)):
            fence = opening["fence"]
        elif fence:
            expanded.append(line)
            continue
        expanded.append(line[: len(line) - len(bare)].expandtabs(4) + bare)
    return expanded


def _blocks(lines: list[str], depth: int) -> tuple[Block, ...]:
    """Read lines as blocks; each helper returns the block and the index behind it."""
    blocks: list[Block] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
            continue
        if _fence(line):
            block, at = _code(lines, at)
        elif heading := _HEADING.match(line):
            block, at = _heading(heading), at + 1
        elif depth < MAX_DEPTH and _QUOTE.match(line):
            block, at = _quote(lines, at, depth)
        elif depth < MAX_DEPTH and _marker(line):
            block, at = _list(lines, at, depth)
        else:
            block, at = _paragraph(lines, at, depth)
        blocks.append(block)
    return tuple(blocks)


def _fence(line: str) -> re.Match[str] | None:
    found = _FENCE.match(line)
    # A backtick in the info string means inline code such as ```a```.
    return None if found and found["fence"][0] == "`" and "`" in found["info"] else found


def _marker(line: str) -> _Marker | None:
    found = _ITEM.match(line)
    if found is None or _RULE.match(line):
        return None
    number = int(found["number"]) if found["number"] else None
    # Text far behind its marker is indented text: only one space belongs to the marker then.
    gap = len(found["gap"]) if 1 <= len(found["gap"]) <= 4 else 1  # noqa: PLR2004 - CommonMark 5.2
    return _Marker(number, len(found["indent"]), found.end("mark") + gap)


def _code(lines: list[str], at: int) -> tuple[Block, int]:
    opening = _fence(lines[at])
    assert opening is not None
    fence, indent = opening["fence"], opening.start("fence")
    lang = opening["info"].split()[0] if opening["info"].strip() else ""
    body: list[str] = []
    for end in range(at + 1, len(lines)):
        bare = lines[end].strip()
        if len(bare) >= len(fence) and bare == fence[0] * len(bare):
            return CodeBlock(lang, "\n".join(body)), end + 1
        lead = len(lines[end]) - len(lines[end].lstrip(" "))
        body.append(lines[end][min(lead, indent) :])
    return CodeBlock(lang, "\n".join(body)), len(lines)


def _heading(found: re.Match[str]) -> Block:
    text = (found["text"] or "").strip()
    bare = text.rstrip("#")
    if not bare or bare.endswith(" "):
        text = bare.rstrip()
    return Heading(len(found["marks"]), parse_inlines(text))


def _quote(lines: list[str], at: int, depth: int) -> tuple[Block, int]:
    inner: list[str] = []
    while at < len(lines) and (mark := _QUOTE.match(lines[at])):
        inner.append(lines[at][mark.end() :])
        at += 1
    return Quote(_blocks(inner, depth + 1)), at


def _list(lines: list[str], at: int, depth: int) -> tuple[Block, int]:
    first = _marker(lines[at])
    assert first is not None
    items: list[tuple[Block, ...]] = []
    while at < len(lines):
        marker = _marker(lines[at])
        if marker is None or (marker.number is None) != (first.number is None):
            break
        inner, at = _item(lines, at, marker)
        items.append(_blocks(inner, depth + 1))
    return ListBlock(tuple(items), first.number), at


def _item(lines: list[str], at: int, marker: _Marker) -> tuple[list[str], int]:
    """Gather an item's lines without their indentation: the indented ones, and a paragraph that runs on."""
    inner = [lines[at][marker.text_at :]]
    at += 1
    while at < len(lines):
        line = lines[at]
        lead = len(line) - len(line.lstrip(" "))
        if not line.strip():
            if not _goes_on(lines, at, marker.text_at):
                break
            inner.append("")
        elif lead >= marker.text_at:
            inner.append(line[marker.text_at :])
        elif inner[-1] and not _interrupts(line) and not _marker(line):
            inner.append(line)
        else:
            break
        at += 1
    while at < len(lines) and not lines[at].strip():
        at += 1
    return inner, at


def _goes_on(lines: list[str], blank: int, text_at: int) -> bool:
    """Tell whether the line behind one or two blank lines still belongs to the item; more of them end it."""
    for line in lines[blank + 1 : blank + 3]:
        if line.strip():
            return len(line) - len(line.lstrip(" ")) >= text_at
    return False


def _interrupts(line: str) -> bool:
    return bool(_fence(line) or _HEADING.match(line) or _QUOTE.match(line))


def _paragraph(lines: list[str], at: int, depth: int) -> tuple[Block, int]:
    gathered = [lines[at].strip()]
    at += 1
    while at < len(lines) and lines[at].strip():
        line = lines[at]
        marker = _marker(line)
        # A year at the start of a line is no list: only a bullet or a 1 interrupts running text (CommonMark 5.3).
        starts_list = marker and marker.number in (None, 1) and line[marker.text_at :].strip()
        if depth < MAX_DEPTH and (starts_list or _QUOTE.match(line)):
            break
        if _fence(line) or _HEADING.match(line):
            break
        gathered.append(line.rstrip())
        at += 1
    return Paragraph(parse_inlines("\n".join(gathered))), at
