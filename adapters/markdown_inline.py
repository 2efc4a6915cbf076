"""Make inlines of the library's tokens: code, links, emphasis; pictures become their text and address."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from markdown_it.token import Token

from adapters.content import Bold, Cell, Code, Inline, Italic, Link, Strike, Text, inline_text

#: Marks nested deeper than this are left out, not their text, so that no text can exhaust the stack.
MAX_NESTING = 8

_MARKS: dict[str, type[Bold | Italic | Strike]] = {"strong": Bold, "em": Italic, "s": Strike}
#: A table's cell has no other way to begin a new line, and models use this one.
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)


@dataclass(slots=True)
class _Open:
    """A mark that waits for its end, and what stands in it so far."""

    token: Token | None
    inlines: list[Inline] = field(default_factory=list)


def inlines_of(tokens: Iterable[Token]) -> tuple[Inline, ...]:
    """Make inlines of one paragraph's tokens. Pure."""
    opened = [_Open(None)]
    skipped = 0
    for token in tokens:
        if token.nesting > 0 and len(opened) > MAX_NESTING:
            skipped += 1
        elif token.nesting > 0:
            opened.append(_Open(token))
        elif token.nesting < 0 and skipped:
            skipped -= 1
        elif token.nesting < 0:
            closed = opened.pop()
            opened[-1].inlines += _closed(closed)
        else:
            opened[-1].inlines.append(_leaf(token))
    return _joined(opened[0].inlines)


def cell_of(tokens: Iterable[Token]) -> Cell:
    """Make the inlines of a table's cell, where `<br>` begins a new line. Pure."""
    return _with_breaks(inlines_of(tokens))


def _leaf(token: Token) -> Inline:
    match token.type:
        case "softbreak" | "hardbreak":
            return Text("\n")
        case "code_inline":
            return Code(token.content)
        case "image":
            return Text(_picture(token))
        case _:
            return Text(token.content)


def _picture(token: Token) -> str:
    label, url = inline_text(inlines_of(token.children or ())).strip(), str(token.attrs["src"])
    return f"{label} ({url})" if label else url


def _closed(opened: _Open) -> list[Inline]:
    """Wrap what stood in a mark; an empty mark leaves nothing."""
    assert opened.token is not None
    children = _joined(opened.inlines)
    if opened.token.type == "link_open":
        url = str(opened.token.attrs["href"])
        return [Link(" ".join(inline_text(children).split()) or url, url)]
    return [_MARKS[opened.token.tag](children)] if children else []


def _joined(inlines: list[Inline]) -> tuple[Inline, ...]:
    """Join texts that stand side by side, and leave empty ones out."""
    joined: list[Inline] = []
    for is_text, group in groupby(inlines, lambda inline: isinstance(inline, Text)):
        if not is_text:
            joined += group
        elif text := inline_text(tuple(group)):
            joined.append(Text(text))
    return tuple(joined)


def _with_breaks(inlines: tuple[Inline, ...]) -> tuple[Inline, ...]:
    broken: list[Inline] = []
    for inline in inlines:
        match inline:
            case Text(text):
                broken.append(Text(_BREAK.sub("\n", text)))
            case Bold(children) | Italic(children) | Strike(children):
                broken.append(type(inline)(_with_breaks(children)))
            case _:
                broken.append(inline)
    return tuple(broken)
