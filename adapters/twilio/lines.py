"""Blocks as lines of text, for platforms that have no other structure. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.content import (
    Block,
    Bold,
    CodeBlock,
    Heading,
    Inline,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Table,
)
from adapters.runs import Run, RunKind, runs_of, sound
from adapters.table_grid import grid, shown_cells, told
from adapters.twilio.broken import broken, broken_code


class _CodeLine(str):
    """A line that begins at the edge even in a list: the first one would stand apart from the others."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How one platform writes what lines are made of."""

    #: One line's runs, with marks or without.
    line: Callable[[Sequence[Run]], str]
    #: A line of a paragraph that must not look like anything else.
    guarded: Callable[[str], str]
    #: Lines of code.
    code: Callable[[str], str]
    #: What begins an item, by how deep it stands.
    bullets: tuple[str, ...]
    rule: str
    #: Whether columns can stand under each other in code.
    has_grids: bool


def lines_of(blocks: tuple[Block, ...], writing: Writing, *, depth: int = 0) -> list[str]:
    """Write blocks as lines, with an empty one between them; within an item they stand close."""
    lines: list[str] = []
    for number, block in enumerate(blocks):
        if number and not depth:
            lines.append("")
        lines += _block(block, writing, depth)
    return lines


def _block(block: Block, writing: Writing, depth: int) -> list[str]:
    match block:
        case Paragraph() | Heading():
            inlines = (Bold(block.inlines),) if isinstance(block, Heading) else block.inlines
            return [writing.guarded(line) for line in _inline_lines(inlines, writing)]
        case CodeBlock():
            return _code(sound(block.text), writing)
        case Rule():
            return [writing.rule]
        case Quote():
            return [f"> {line}" for line in _quoted(block, writing)]
        case ListBlock():
            return _list(block, writing, depth)
        case Table():
            return _table(block, writing, depth)


def _quoted(quote: Quote, writing: Writing) -> list[str]:
    """Write what stands in a quote; code there line by line, for a mark never crosses a quote's lines."""
    lines: list[str] = []
    for number, block in enumerate(quote.blocks):
        lines += [""] if number else []
        if isinstance(block, CodeBlock):
            lines += [writing.code(line) for line in broken_code(sound(block.text)).split("\n")]
        else:
            lines += _block(block, writing, 0)
    return lines


def _list(block: ListBlock, writing: Writing, depth: int) -> list[str]:
    lines: list[str] = []
    for number, item in enumerate(block.items, start=block.start or 0):
        bullet = writing.bullets[min(depth, len(writing.bullets) - 1)]
        mark = f"{bullet} " if block.start is None else f"{number}. "
        written = [line for inner in item for line in _block(inner, writing, depth + 1)] or [""]
        lines.append(mark + written[0])
        lines += [line if isinstance(line, _CodeLine) else " " * len(mark) + line for line in written[1:]]
    return lines


def _table(table: Table, writing: Writing, depth: int) -> list[str]:
    lines = grid(table, shown_cells(table)) if writing.has_grids else None
    if lines is None:
        return [line for block in told(table) for line in _block(block, writing, depth)]
    return _code(lines, writing)


def _code(text: str, writing: Writing) -> list[str]:
    return [_CodeLine(line) for line in writing.code(broken_code(text)).split("\n")]


def _inline_lines(inlines: tuple[Inline, ...], writing: Writing) -> list[str]:
    return [writing.line(broken(line)) for line in _in_lines(runs_of(inlines))]


def _in_lines(runs: Sequence[Run]) -> list[list[Run]]:
    """Part runs at line breaks; a link becomes its words and its address."""
    lines: list[list[Run]] = [[]]
    for run in runs:
        for number, text in enumerate(run.text.split("\n")):
            if number:
                lines.append([])
            if text:
                lines[-1] += _shown(run, text)
    return lines


def _shown(run: Run, text: str) -> list[Run]:
    """Write a live link's address out: what can be tapped is what is seen."""
    if run.kind is not RunKind.LINK:
        return [Run(text=text, kind=run.kind, marks=run.marks)]
    address = run.url.removeprefix("mailto:")
    link = Run(text=address, kind=RunKind.LINK)
    if text in (run.url, address):
        return [link]
    return [Run(text=text, marks=run.marks), Run(text=" ("), link, Run(text=")")]
