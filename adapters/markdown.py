"""Read the Markdown a model writes into `Content`: never fails, in time linear in the text, also for half a reply.

`markdown_rules` says which Markdown; here the library's tokens become our tree. Nothing in them can ping, load or run:
a picture becomes its text and address, HTML stays the characters it is.
"""

from collections.abc import Iterable, Iterator

from markdown_it.token import Token

from adapters.content import (
    Align,
    Block,
    Cell,
    CodeBlock,
    Content,
    Heading,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Table,
)
from adapters.markdown_inline import cell_of, inlines_of
from adapters.markdown_rules import line_reader, reader


def parse(text: str) -> Content:
    """Read Markdown; whatever is not understood stays literal text. Pure; never raises."""
    return Content(blocks_of(reader().parse(text)))


def parse_without_tables(text: str) -> Content:
    """Do as `parse`, but leave tables the lines they are. Pure; never raises."""
    return Content(blocks_of(line_reader().parse(text)))


def blocks_of(tokens: Iterable[Token]) -> tuple[Block, ...]:
    """Make blocks of the library's tokens."""
    return _blocks(iter(tokens), "")


def _blocks(tokens: Iterator[Token], end: str) -> tuple[Block, ...]:
    """Read blocks up to the token of the type `end`, or all of them."""
    blocks: list[Block] = []
    for token in tokens:
        if token.type == end:
            break
        if block := _block(token, tokens):
            blocks.append(block)
    return tuple(blocks)


def _block(token: Token, tokens: Iterator[Token]) -> Block | None:
    """Read the block that `token` begins; None for a token that only ends one."""
    match token.type:
        case "paragraph_open":
            return Paragraph(inlines_of(next(tokens).children or ()))
        case "heading_open":
            return Heading(int(token.tag[1:]), inlines_of(next(tokens).children or ()))
        case "fence":
            return CodeBlock((token.info.split() or [""])[0], token.content.removesuffix("\n"))
        case "hr":
            return Rule()
        case "blockquote_open" | "bullet_list_open" | "ordered_list_open" | "table_open":
            return _container(token, tokens)
        case _:
            return None


def _container(token: Token, tokens: Iterator[Token]) -> Block:
    match token.type:
        case "blockquote_open":
            return Quote(_blocks(tokens, "blockquote_close"))
        case "table_open":
            return _table(tokens)
        case "ordered_list_open":
            return ListBlock(_items(tokens, "ordered_list_close"), int(token.attrs.get("start", 1)))
        case _:
            return ListBlock(_items(tokens, "bullet_list_close"))


def _items(tokens: Iterator[Token], end: str) -> tuple[tuple[Block, ...], ...]:
    items: list[tuple[Block, ...]] = []
    for token in tokens:
        if token.type == end:
            break
        items.append(_blocks(tokens, "list_item_close"))
    return tuple(items)


def _table(tokens: Iterator[Token]) -> Table:
    rows: list[list[Cell]] = []
    aligns: list[Align] = []
    for token in tokens:
        match token.type:
            case "table_close":
                break
            case "tr_open":
                rows.append([])
            case "th_open":
                aligns.append(Align(str(token.attrs.get("style", "")).removeprefix("text-align:")))
            case "inline":
                rows[-1].append(cell_of(token.children or ()))
    header, *body = map(tuple, rows)
    return Table(tuple(aligns), header, tuple(body))
