"""Read the marks inside a line of Markdown: code, links, emphasis; in one pass, so that no text is slow.

Images become their text and address, links keep only web and mail addresses, HTML stays literal.
"""

import re
import string
from dataclasses import dataclass, field

from adapters.content import Bold, Code, Inline, Italic, Link, Text

#: Emphasis nested deeper than this stays literal, so that no text can exhaust the stack.
MAX_NESTING = 8
#: A link's text and address may be this long.
_LINK_TEXT, _LINK_URL = 1000, 2048

_PLAIN = re.compile(r"[^\\`*_!\[]+")
_RUN = re.compile(r"(`+|\*+|_+)")
_TICKS = re.compile(r"`+")
_TARGET = re.compile(
    rf"\(\s{{0,9}}<?(?P<url>[^\s()<>]{{1,{_LINK_URL}}}(?:\([^\s()<>]{{0,{_LINK_URL}}}\)[^\s()<>]{{0,{_LINK_URL}}})?)>?"
    r"(?:\s{1,9}\"[^\"\n]{0,300}\")?\s{0,9}\)"
)
_ESCAPED = re.compile(rf"\\([{re.escape(string.punctuation)}])")
_SCHEME = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)


@dataclass(slots=True)
class _Opener:
    """An emphasis mark that waits for its counterpart: which one, and where in `out` it stands."""

    mark: str
    at: int


@dataclass(slots=True)
class _Line:
    """The state of one pass: what was read, how deep each of it is nested, and which marks are open."""

    text: str
    out: list[Inline] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    open: list[_Opener] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    ticks: dict[int, list[int]] = field(default_factory=dict)
    #: The first `](` at or behind the place last asked for.
    bracket: int = -1

    def put(self, inline: Inline, depth: int = 0) -> None:
        self.out.append(inline)
        self.depth.append(depth)


def parse_inlines(text: str) -> tuple[Inline, ...]:
    """Read one paragraph's text. Pure; never raises; linear."""
    line = _Line(text)
    for run in _TICKS.finditer(text):
        line.ticks.setdefault(len(run[0]), []).append(run.start())
    for starts in line.ticks.values():
        starts.reverse()
    at = 0
    while at < len(text):
        at = _step(line, at)
    return _merged(line.out)


def _step(line: _Line, at: int) -> int:
    """Read what begins at `at` and return the place behind it."""
    text = line.text
    if found := _PLAIN.match(text, at):
        line.put(Text(found[0]))
        return found.end()
    character = text[at]
    if character == "`":
        return _code(line, at)
    if character in "*_":
        return _emphasis(line, at)
    if character == "[" or text.startswith("![", at):
        return _link(line, at, text.index("[", at))
    is_escape = character == "\\" and at + 1 < len(text) and text[at + 1] in string.punctuation
    line.put(Text(text[at + 1] if is_escape else character))
    return at + 1 + is_escape


def _code(line: _Line, at: int) -> int:
    run = _TICKS.match(line.text, at)
    assert run is not None
    width, starts = len(run[0]), line.ticks[len(run[0])]
    while starts and starts[-1] <= at:
        starts.pop()
    if not starts:
        line.put(Text(run[0]))
        return run.end()
    end = starts[-1]
    code = line.text[run.end() : end].replace("\n", " ")
    if code.startswith(" ") and code.endswith(" ") and code.strip():
        code = code[1:-1]
    line.put(Code(code))
    return end + width


def _link(line: _Line, at: int, bracket: int) -> int:
    """Read a link, or an image where `bracket` lies behind `at`; an image is only its text and address."""
    label = _label(line, bracket)
    target = _TARGET.match(line.text, bracket + len(label) + 2) if label is not None else None
    if label is None or target is None:
        line.put(Text(line.text[at : bracket + 1]))
        return bracket + 1
    url, is_image = target["url"], bracket > at
    if is_image:
        line.put(Text(f"{label} ({url})" if label else url))
    elif _SCHEME.match(url):
        line.put(Link(_unescaped(label) or url, url))
    else:
        line.put(Text(line.text[at : target.end()]))
    return target.end()


def _label(line: _Line, bracket: int) -> str | None:
    """Find a link's text: up to the next `](`, without brackets of its own."""
    if line.bracket <= bracket:
        found = line.text.find("](", bracket)
        line.bracket = len(line.text) if found < 0 else found
    if line.bracket >= min(len(line.text), bracket + _LINK_TEXT):
        return None
    label = line.text[bracket + 1 : line.bracket]
    return None if "[" in label or "]" in label else label


def _unescaped(label: str) -> str:
    return _ESCAPED.sub(r"\1", label).strip()


def _emphasis(line: _Line, at: int) -> int:
    """Close and open emphasis with a run of `*` or `_`; what matches nothing stays literal."""
    run = _RUN.match(line.text, at)
    assert run is not None
    before = line.text[at - 1] if at else " "
    after = line.text[run.end()] if run.end() < len(line.text) else " "
    left = len(run[0])
    can_open, can_close = _flanks(run[0], before, after)
    while can_close and left and (mark := _closable(line, run[0][0], left)):
        if not _close(line, mark):
            break
        left -= len(mark)
    while left:
        mark = run[0][0] * min(left, 2)
        if can_open and len(run[0]) <= 3:  # noqa: PLR2004 - *, **, and both at once
            line.open.append(_Opener(mark, len(line.out)))
            line.waiting[mark] = line.waiting.get(mark, 0) + 1
        line.put(Text(mark))
        left -= len(mark)
    return run.end()


def _flanks(run: str, before: str, after: str) -> tuple[bool, bool]:
    """Tell whether a run may open and may close, by its neighbours."""
    can_open, can_close = not after.isspace(), not before.isspace()
    if run[0] == "_":
        return can_open and not before.isalnum(), can_close and not after.isalnum()
    if run == "*" and _is_ascii_word(before) and _is_ascii_word(after):
        return False, False  # 2*3*4 is arithmetic
    return can_open, can_close


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _closable(line: _Line, character: str, left: int) -> str | None:
    """Choose the innermost open mark that a run of `left` characters can close."""
    marks = [mark for mark in (character, character * 2) if len(mark) <= left and line.waiting.get(mark)]
    if len(marks) <= 1:
        return marks[0] if marks else None
    return next(opener.mark for opener in reversed(line.open) if opener.mark in marks)


def _close(line: _Line, mark: str) -> bool:
    """Wrap everything behind the innermost open `mark`; marks opened within it stay literal."""
    while (opener := line.open.pop()).mark != mark:
        line.waiting[opener.mark] -= 1
    line.waiting[mark] -= 1
    children, nesting = line.out[opener.at + 1 :], 1 + max(line.depth[opener.at + 1 :], default=0)
    if nesting > MAX_NESTING:
        # Every mark still open encloses this one: none of them can close either, and looking again would be slow.
        line.open.clear()
        line.waiting.clear()
        return False
    del line.out[opener.at :]
    del line.depth[opener.at :]
    merged = _merged(children)
    line.put(Bold(merged) if len(mark) > 1 else Italic(merged), nesting)
    return True


def _merged(inlines: list[Inline]) -> tuple[Inline, ...]:
    """Join neighbouring texts."""
    merged: list[Inline] = []
    texts: list[str] = []
    for inline in inlines:
        if isinstance(inline, Text):
            texts.append(inline.text)
            continue
        if texts:
            merged.append(Text("".join(texts)))
            texts = []
        merged.append(inline)
    if texts:
        merged.append(Text("".join(texts)))
    return tuple(merged)
