"""Split a long message into several, measured after rendering, with nothing lost.

Borders are sought in this order: between blocks, list items and code lines; behind a sentence; between words; between
graphemes (a person's name or a family emoji never breaks in two). Code fences and quotes are opened again, a table's
header is repeated.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from adapters.base import TextUnit
from adapters.content import (
    Block,
    Bold,
    Cell,
    CodeBlock,
    Content,
    Heading,
    Inline,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
    inline_text,
)
from adapters.markdown import parse
from adapters.markdown_source import to_markdown
from adapters.text_cut import best_cut, cut_inlines, grapheme_cut

Fits = Callable[[tuple[Block, ...]], bool]
#: So many times a limit, written text is certainly too long.
_FAR = 8
#: The head that fits, and what remains.
_Cut = tuple[tuple[Block, ...], tuple[Block, ...]]


def measure_in(unit: TextUnit) -> Callable[[str], int]:
    """Return how a platform counts a text's length."""
    match unit:
        case TextUnit.UTF16:
            return lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2
        case TextUnit.BYTES:
            return lambda text: len(text.encode("utf-8", "surrogatepass"))
        case TextUnit.CODE_POINTS:
            return len


def split(
    content: Content, render: Callable[[Content], str], measure: Callable[[str], int], limit: int
) -> list[str]:
    """Render a message in as many parts as it needs, each at most `limit` by `measure`; no part for no content.

    Raises `ValueError` where the limit is too small for a single character.
    """
    return [render(part) for part in split_content(content, render, measure, limit)]


def split_markdown(
    markdown: str, render: Callable[[Content], str], measure: Callable[[str], int], limit: int
) -> list[str]:
    """Cut Markdown into Markdown texts that each render within the limit; always at least one text.

    Measures exactly what will be sent: the part as it reads again from the text that stands for it.
    """

    def sent(content: Content) -> str:
        return render(parse(to_markdown(content)))

    content = parse(markdown)
    if measure(render(content)) <= limit:
        return [markdown]
    parts = split_content(content, render, measure, limit)
    if any(measure(sent(part)) > limit for part in parts):
        # Rare: a part reads a little longer than it was cut. Measuring that at every step is right, but slow.
        parts = split_content(content, sent, measure, limit)
    return [to_markdown(part) for part in parts] or [""]


def split_content(
    content: Content, render: Callable[[Content], str], measure: Callable[[str], int], limit: int
) -> list[Content]:
    """Do as `split`, but return the parts before rendering."""

    def fits(blocks: tuple[Block, ...]) -> bool:
        beginning = _beginning_of_long(blocks, _FAR * limit)
        if beginning is not None and measure(render(Content((beginning,)))) > limit:
            return False
        return measure(render(Content(blocks))) <= limit

    parts: list[Content] = []
    rest = tuple(block for block in content.blocks if not _is_blank(block))
    while rest:
        head, rest = _next_part(rest, fits, render, limit)
        parts.append(Content(head))
    return parts


def _beginning_of_long(blocks: tuple[Block, ...], far: int) -> Block | None:
    """Return the beginning of a first text or code that goes on far beyond it: where that is too long, so is the whole.

    Rendering all of it for each of its parts would take time by the square of its length.
    """
    first = blocks[0] if blocks else None
    if isinstance(first, CodeBlock):
        return CodeBlock(first.lang, first.text[:far]) if len(first.text) > 2 * far else None
    if not isinstance(first, Paragraph | Heading) or len(inline_text(first.inlines)) <= 2 * far:
        return None
    return replace(first, inlines=cut_inlines(first.inlines, far)[0])


def _is_blank(block: Block) -> bool:
    return isinstance(block, Paragraph | Heading) and not inline_text(block.inlines).strip()


def _next_part(rest: tuple[Block, ...], fits: Fits, render: Callable[[Content], str], limit: int) -> _Cut:
    count = _most(len(rest), lambda number: fits(rest[:number]))
    if count:
        # A heading alone at the end of a message belongs to what follows.
        while count < len(rest) and count > 1 and isinstance(rest[count - 1], Heading):
            count -= 1
        return rest[:count], rest[count:]
    head, tail = _cut(rest[0], fits) or _cut_plain(rest[0], fits, render)
    if not head:
        raise ValueError(f"a message limit of {limit} has no room for a single character")
    return head, tail + rest[1:]


def _most(count: int, fits: Callable[[int], bool]) -> int:
    """Find the largest number up to `count` that fits, by doubling and then halving; 0 where not even 1 does."""
    low, high = 0, 1
    while high <= count and fits(high):
        low, high = high, high * 2
    high = min(high, count + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _cut(block: Block, fits: Fits) -> _Cut | None:
    """Cut a block that is too long; None where its markup leaves no room for its text."""
    match block:
        case CodeBlock():
            return _cut_code(block, fits)
        case ListBlock():
            return _cut_list(block, fits)
        case Quote():
            return _cut_quote(block, fits)
        case Table():
            return _cut_table(block, fits)
        case Rule():
            return None
        case Paragraph() | Heading():
            return _cut_inlines(block.inlines, fits, lambda inlines: replace(block, inlines=inlines))


def _cut_code(block: CodeBlock, fits: Fits) -> _Cut | None:
    lines = block.text.split("\n")
    count = _most(len(lines), lambda number: fits((CodeBlock(block.lang, "\n".join(lines[:number])),)))
    if count:
        rest = (CodeBlock(block.lang, "\n".join(lines[count:])),) if count < len(lines) else ()
        return (CodeBlock(block.lang, "\n".join(lines[:count])),), rest
    at = _most(len(lines[0]), lambda number: fits((CodeBlock(block.lang, block.text[:number]),)))
    at = grapheme_cut(lines[0], at)
    if not at:
        return None
    return (CodeBlock(block.lang, block.text[:at]),), (CodeBlock(block.lang, block.text[at:]),)


def _cut_list(block: ListBlock, fits: Fits) -> _Cut | None:
    count = _most(len(block.items), lambda number: fits((ListBlock(block.items[:number], block.start),)))
    if count:
        return (ListBlock(block.items[:count], block.start),), _list_from(block, count)
    # One item is too long: its beginning keeps the mark, what remains of it goes on as ordinary blocks.
    cut = _cut_blocks(block.items[0], lambda blocks: fits((ListBlock((blocks,), block.start),)))
    if cut is None:
        return None
    head, tail = cut
    return (ListBlock((head,), block.start),), tail + _list_from(block, 1)


def _list_from(block: ListBlock, count: int) -> tuple[Block, ...]:
    if count >= len(block.items):
        return ()
    return (ListBlock(block.items[count:], None if block.start is None else block.start + count),)


def _cut_quote(block: Quote, fits: Fits) -> _Cut | None:
    cut = _cut_blocks(block.blocks, lambda blocks: fits((Quote(blocks),)))
    if cut is None:
        return None
    head, tail = cut
    return (Quote(head),), (Quote(tail),)


def _cut_table(block: Table, fits: Fits) -> _Cut | None:
    count = _most(len(block.rows), lambda number: fits((replace(block, rows=block.rows[:number]),)))
    if count:
        rest = (replace(block, rows=block.rows[count:]),) if count < len(block.rows) else ()
        return (replace(block, rows=block.rows[:count]),), rest
    # A row that is too long for a line is read more easily cell by cell, each behind its column's title.
    first = block.rows[0] if block.rows else ((),) * len(block.header)
    cut = _cut_blocks(_told(block.header, first), fits)
    if cut is None:
        return None
    head, tail = cut
    return head, tail + ((replace(block, rows=block.rows[1:]),) if len(block.rows) > 1 else ())


def _told(header: tuple[Cell, ...], row: tuple[Cell, ...]) -> tuple[Block, ...]:
    told: list[Block] = []
    for title, cell in zip(header, row, strict=True):
        marked = (Bold(title),) if inline_text(title).strip() else ()
        between = (Text(": "),) if marked and inline_text(cell).strip() else ()
        told.append(Paragraph((*marked, *between, *cell)))
    return tuple(block for block in told if not _is_blank(block))


def _cut_blocks(blocks: Sequence[Block], fits: Fits) -> _Cut | None:
    """Cut blocks that are too long together within their container."""
    blocks = tuple(blocks)
    count = _most(len(blocks), lambda number: fits(blocks[:number]))
    if count:
        return blocks[:count], blocks[count:]
    cut = _cut(blocks[0], fits) if blocks else None
    return None if cut is None else (cut[0], cut[1] + blocks[1:])


def _cut_inlines(
    inlines: tuple[Inline, ...], fits: Fits, wrap: Callable[[tuple[Inline, ...]], Block]
) -> _Cut | None:
    inlines = cut_inlines(inlines, 0)[1]
    text = inline_text(inlines)
    if not text:
        return (wrap(()),), ()
    at = best_cut(text, _most(len(text), lambda number: fits((wrap(cut_inlines(inlines, number)[0]),))))
    head, tail = cut_inlines(inlines, at)
    while at and head and not fits((wrap(head),)):  # a nearer border can need more markup than a farther one
        at -= 1
        head, tail = cut_inlines(inlines, at)
    if not at or not head:
        return None
    return (wrap(head),), ((Paragraph(tail),) if tail else ())


def _cut_plain(block: Block, fits: Fits, render: Callable[[Content], str]) -> _Cut:
    """Give up the markup of a block that cannot be cut within it, not its text."""
    return _cut_inlines((Text(render(Content((block,)))),), fits, Paragraph) or ((), ())
