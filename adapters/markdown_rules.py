"""The Markdown that is read: markdown-it-py's CommonMark with tables and strikethrough, fitted to chats.

CommonMark: https://spec.commonmark.org/0.31.2/; tables: https://github.github.com/gfm/#tables-extension-. What differs:

* HTML, indented code, underlined headings and link definitions are text: a poem stays a poem, `Costs:` above a `---`
  no title, and nothing disappears because it looked like a definition.
* Links lead to http, https and mailto; everything else of that shape is text.
* Lists and quotes are read to a depth of 16 levels, deeper marks are text, where the library would drop the text.
* A table's row keeps the cells for which its header has no column.
* `2*3*4` is arithmetic, and emphasis works between words that no spaces part, as in Chinese.
"""

import functools
import re
from collections.abc import Callable
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_block.table import escapedSplit, table
from markdown_it.rules_inline import StateInline, emphasis, image, link

_BlockRule = Callable[[StateBlock, int, int, bool], bool]
_InlineRule = Callable[[StateInline, bool], bool]

#: The library gives up text below this level; our own limit lies a list's two levels before it.
_LIBRARY_NESTING = 20
_MAX_LEVEL = 16
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
#: What an address must not hold as it is: spaces, control and direction marks, and Markdown's own delimiters.
_UNSAFE = re.compile(r"[\s\x00-\x20\"<>\\`{|}^\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_EAST_ASIAN = "\u2e80"


class _Reader(MarkdownIt):
    """The library with our word on addresses; its own would let pictures and relative paths through."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return _ADDRESS.match(url) is not None

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name
        return _UNSAFE.sub(lambda found: quote(found[0], errors="replace"), url)

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - the library's name
        return link


@functools.cache
def reader() -> MarkdownIt:
    """Return the configured parser; it keeps nothing between two texts."""
    return _made()


@functools.cache
def line_reader() -> MarkdownIt:
    """Return the same parser, to which a table is lines of text."""
    return _made().disable("table")


def _made() -> MarkdownIt:
    made = _Reader("commonmark", {"html": False, "maxNesting": _LIBRARY_NESTING})
    made.enable(["table", "strikethrough"])
    made.disable(["code", "lheading", "reference", "html_block", "html_inline"])
    interrupts = ["paragraph", "reference", "blockquote"]
    made.block.ruler.at("blockquote", _shallow(blockquote), {"alt": [*interrupts, "list"]})
    made.block.ruler.at("list", _shallow(_list), {"alt": interrupts})
    made.block.ruler.at("table", _whole_table, {"alt": ["paragraph", "reference"]})
    made.inline.ruler.at("emphasis", _emphasis)
    made.inline.ruler.at("link", _with_target(link))
    made.inline.ruler.at("image", _with_target(image))
    return made


def _shallow(rule: _BlockRule) -> _BlockRule:
    """Keep a container from nesting so deep that the library would drop what is in it."""

    def limited(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the library's call
        return state.level < _MAX_LEVEL and rule(state, start, end, silent)

    return limited


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the library's call
    """Read a list wherever it stands: far to the right the library would take its second item for running text."""
    indent = state.listIndent
    state.listIndent = -1 if silent else indent
    found = list_block(state, start, end, silent)
    state.listIndent = indent
    return found


def _whole_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the library's call
    """Read a table, and put the cells that a row has too many into its last column."""
    before = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    tokens = state.tokens[before:]
    columns = sum(token.type == "th_open" for token in tokens)
    for at, token in enumerate(tokens):
        if token.type == "tr_open" and token.map and (surplus := _cells(state, token.map[0])[columns:]):
            last = tokens[at + 3 * columns - 1]
            last.content = " | ".join([last.content, *(cell.strip() for cell in surplus)]).strip()
    return True


def _cells(state: StateBlock, line: int) -> list[str]:
    text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip()
    cells = escapedSplit(text)
    return cells[not cells[0] : len(cells) - (len(cells) > 1 and not cells[-1])]


def _emphasis(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the library's call
    """Read a run of `*` or `_` as the library does, but for arithmetic and for words without spaces between them."""
    start = state.pos
    if not emphasis.tokenize(state, silent):
        return False
    run = state.src[start : state.pos]
    before = state.src[start - 1] if start else " "
    after = state.src[state.pos] if state.pos < state.posMax else " "
    for delimiter in state.delimiters[-len(run) :] if run[0] == "*" else ():
        if run == "*" and _is_ascii_word(before) and _is_ascii_word(after):
            delimiter.open = delimiter.close = False
        elif max(before, after) >= _EAST_ASIAN:
            delimiter.open, delimiter.close = not after.isspace(), not before.isspace()
    return True


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _with_target(rule: _InlineRule) -> _InlineRule:
    """Look for a link only where an address can follow: the search for its end is dear where brackets abound."""

    def guarded(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the library's call
        return state.html_terminator_last("](") >= state.pos and rule(state, silent)

    return guarded
