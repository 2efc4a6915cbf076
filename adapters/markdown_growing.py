"""Read a reply while it is written: only what can still change is read again, and half-open marks look as if closed.

Twenty times a second a whole reply would be dear to read. Text that is added can change only the last of the blocks
that stand side by side, as there are no link definitions; so all before it is kept.
"""

import re

from markdown_it.token import Token

from adapters.content import Block, Content, inline_text
from adapters.markdown import blocks_of
from adapters.markdown_inline import inlines_of
from adapters.markdown_marks import closed
from adapters.markdown_rules import reader

#: A last block dearer than this is read again only when it has grown by a twentieth: until then it stays as it was.
DEAR = 3_000
_GROWTH = 1.05

#: What marks, lines and the characters of code cost to read, compared to each other.
_MARKS = re.compile(r"[*_~`\[\]<!|&\\]")
_LINE_COST = 8
_CODE_COST = 1 / 20
_FENCE = re.compile(r"\s*(?:```|~~~)")
#: At the end of a paragraph: a line that begins like a table's header, and as much of the dashes as is there.
_HALF_TABLE = re.compile(r"(?:\A|\n)(?P<header>\|[^\n]*[^|\s][^\n]*)(?:\n\|[|:\- \t]*)?\Z")
_MARK_ALONE = re.compile(r"[ \t>]*(?:[*_~`#+-]+|\d{1,9}[.)]?)")
_BAR = re.compile(r"(?<!\\)\|")


class GrowingMarkdown:
    """One reply's text so far; not for use by several threads."""

    def __init__(self) -> None:
        #: The text whose blocks are settled, and those.
        self._text = ""
        self._settled: tuple[Block, ...] = ()
        #: What was read last, and the sizes of a rest that are too close to it to be worth reading again.
        self._content = Content(())
        self._too_soon = range(0)

    def read(self, text: str) -> Content:
        """Read all of the text so far; never raises. A text that does not go on where the last one was begins anew."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not text.startswith(self._text):
            self._text, self._settled, self._too_soon = "", (), range(0)
        rest = _decided(text[len(self._text) :])
        if len(rest) not in self._too_soon:
            self._content = Content(self._read(rest))
        return self._content

    def _read(self, rest: str) -> tuple[Block, ...]:
        tokens = reader().parse(rest)
        last = _last_block(tokens, rest.count("\n"))
        if last:
            settled, tokens = tokens[:last], tokens[last:]
            self._settled += blocks_of(settled)
            kept = _lines(rest, tokens[0].map[0] if tokens[0].map else 0)
            self._text, rest = self._text + rest[:kept], rest[kept:]
        self._too_soon = range(len(rest), int(len(rest) * _GROWTH)) if _cost(rest) > DEAR else range(0)
        return (*self._settled, *blocks_of(_completed(tokens, rest)))


def parse_growing(text: str) -> Content:
    """Read a reply as far as it has come, with half-open marks as if they were closed. Pure; never raises."""
    return GrowingMarkdown().read(text)


def _decided(rest: str) -> str:
    """Leave out a last line that is nothing but a mark: a star may become a list, a rule, or something bold."""
    line = rest.rpartition("\n")[2]
    return rest[: len(rest) - len(line)] if _MARK_ALONE.fullmatch(line) else rest


def _cost(rest: str) -> float:
    if _FENCE.match(rest):
        return len(rest) * _CODE_COST
    return len(_MARKS.findall(rest)) + _LINE_COST * rest.count("\n")


def _last_block(tokens: list[Token], lines: int) -> int:
    """Find where the last of the outermost blocks begins whose beginning no further text can undo.

    It has to stand on complete lines: a fence's line can turn out to be a word in backticks, a table's dashes too many.
    """
    for at in range(len(tokens) - 1, 0, -1):
        token = tokens[at]
        if token.level == 0 and token.nesting >= 0 and token.map:
            needed = 2 if token.type == "table_open" else 1
            if token.map[0] + needed <= lines:
                return at
    return 0


def _lines(text: str, count: int) -> int:
    """Return where the line number `count` begins."""
    at = 0
    for _ in range(count):
        at = text.index("\n", at) + 1
    return at


def _completed(tokens: list[Token], source: str) -> list[Token]:
    """Close what the end of the source leaves open in the last block's tokens."""
    last = next((at for at in range(len(tokens) - 1, -1, -1) if tokens[at].content), None)
    if last is None:
        return tokens
    token = tokens[last]
    if token.type == "fence":
        _without_half_fence(token, source)
    elif token.type == "inline" and source.rstrip("| \n").endswith(token.content.rsplit("\n", 1)[-1]):
        if tokens[last - 1].type == "paragraph_open" and (found := _HALF_TABLE.search(token.content)):
            head = reader().parse(token.content[: found.start()])
            return [*tokens[: last - 1], *head, *_half_table(found["header"]), *tokens[last + 2 :]]
        _close_marks(token)
    return tokens


def _without_half_fence(token: Token, source: str) -> None:
    """Take a fence's last line away where it is the beginning of the fence's end."""
    line = token.content.rstrip("\n").rsplit("\n", 1)[-1].strip()
    is_at_the_end = source.rpartition("\n")[2].lstrip("> \t") == line
    if is_at_the_end and line and len(line) < len(token.markup) and line == token.markup[0] * len(line):
        token.content = token.content.rstrip("\n").removesuffix(line)


def _half_table(header: str) -> list[Token]:
    """Read a header as a table before its line of dashes has come."""
    header = header.rstrip()
    header += "" if header.endswith("|") else " |"
    columns = len(_BAR.findall(header)) - 1
    return reader().parse(f"{header}\n|{'---|' * columns}")


def _close_marks(token: Token) -> None:
    """Read a paragraph's text as if its marks were closed, where that makes marks of what was text."""
    candidate = closed(token.content)
    if candidate == token.content:
        return
    children = reader().parseInline(candidate)[0].children or []
    shown, literal = inline_text(inlines_of(children)), inline_text(inlines_of(token.children or ()))
    if len(shown) < len(literal):
        token.children = children
