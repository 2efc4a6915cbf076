"""One line of WhatsApp's markup: `*bold*`, `_italic_`, `~strike~`, code in backticks; nothing by accident. Pure.

WhatsApp has no way to escape a mark (https://faq.whatsapp.com/539178204879377). A mark counts where it stands at a
word's edge: so a mark of ours that would not is left out, and a literal sign that would is written with one that looks
like it. Code and links carry no marks: a star behind an address would be part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from adapters.runs import Mark, Run, RunKind

_SIGNS = {Mark.BOLD: "*", Mark.ITALIC: "_", Mark.STRIKE: "~"}
_LOOKALIKES = {
    "*": "\N{ASTERISK OPERATOR}",
    "_": "\N{MODIFIER LETTER LOW MACRON}",
    "~": "\N{TILDE OPERATOR}",
    "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
}
#: What may stand beside a mark.
_EDGES = ".,:;!?()[]{}'\"/-\u2013\u2014\u2026\u201c\u201d\u201e\u2018\u2019"
#: Before a line that only looks like an item or a quote.
_NOT_AT_START = "\N{WORD JOINER}"


@dataclass(slots=True)
class _Sign:
    """One character of a line, and the marks that begin before it and end behind it."""

    text: str
    kind: RunKind
    marks: frozenset[Mark]
    before: str = ""
    behind: str = ""


def write_line(runs: Sequence[Run]) -> str:
    """Write the runs of one line, which hold no line break."""
    signs = [
        _Sign(sign, run.kind, run.marks if run.kind is RunKind.TEXT else frozenset())
        for run in runs
        for sign in run.text
    ]
    used = {mark for run in runs if run.kind is RunKind.TEXT for mark in run.marks}
    # The inner marks first, so that the outer ones end up around them.
    for mark in (mark for mark in reversed(Mark) if mark in used):
        for start, end in _intervals(signs, mark):
            if _stands_at_edges(signs, start, end):
                signs[start].before = _SIGNS[mark] + signs[start].before
                signs[end - 1].behind += _SIGNS[mark]
    return _written(runs, signs)


def write_code(text: str) -> str:
    """Write lines of code in equally wide characters."""
    if not text.strip():
        return text
    if "```" in text or text[0] == "`" or text[-1] == "`":
        text = text.replace("`", _LOOKALIKES["`"])
    return f"```{text}```"


def guarded(line: str) -> str:
    """Keep a line that is none from being read as an item of a list or as a quote."""
    bare = line.lstrip()
    number = bare.lstrip("0123456789")
    is_number = number != bare and number[:1] in (".", ")") and number[1:2] in ("", " ")
    if bare[:1] == ">" or (bare[:1] in ("-", "*") and bare[1:2] in ("", " ")) or is_number:
        return line[: len(line) - len(bare)] + _NOT_AT_START + bare
    return line


def _intervals(signs: Sequence[_Sign], mark: Mark) -> list[tuple[int, int]]:
    """Find where a mark holds, without white space at its ends and never across the end of one that holds it."""
    outer = tuple(Mark)[: tuple(Mark).index(mark)]
    found: list[tuple[int, int]] = []
    at = 0
    for key, group in groupby(
        signs, lambda sign: (mark in sign.marks, *(held in sign.marks for held in outer))
    ):
        start, end = at, at + len(list(group))
        at = end
        if key[0]:
            while start < end and signs[start].text.isspace():
                start += 1
            while start < end and signs[end - 1].text.isspace():
                end -= 1
            if start < end:
                found.append((start, end))
    return found


def _stands_at_edges(signs: Sequence[_Sign], start: int, end: int) -> bool:
    """Tell whether a mark around these characters would be read as one."""
    before = signs[start - 1].text if start else " "
    behind = signs[end].text if end < len(signs) else " "
    is_code_beside = (start and signs[start - 1].kind is RunKind.CODE) or (
        end < len(signs) and signs[end].kind is RunKind.CODE
    )
    return _is_edge(before) and _is_edge(behind) and not is_code_beside


def _is_edge(sign: str) -> bool:
    return sign.isspace() or sign in _EDGES


def _written(runs: Sequence[Run], signs: Sequence[_Sign]) -> str:
    risky = _risky(runs, signs)
    written: list[str] = []
    at = 0
    for run in runs:
        part = signs[at : at + len(run.text)]
        at += len(run.text)
        match run.kind:
            case RunKind.CODE:
                code = run.text.replace("`", _LOOKALIKES["`"])
                written.append(f"`{code}`" if code.strip() else code)
            case RunKind.LINK:
                written.append(run.text)
            case RunKind.TEXT:
                written += [sign.before + risky.get(sign.text, sign.text) + sign.behind for sign in part]
    return "".join(written)


def _risky(runs: Sequence[Run], signs: Sequence[_Sign]) -> dict[str, str]:
    """Find the literal signs that would make a mark on this line, by what to write for them."""
    line = "".join(sign.before + sign.text + sign.behind for sign in signs)
    ours = {mark for sign in signs for mark in sign.before}
    ours |= {"`"} if any(run.kind is RunKind.CODE for run in runs) else set()
    return {sign: other for sign, other in _LOOKALIKES.items() if sign in ours or _may_mark(line, sign)}


def _may_mark(line: str, sign: str) -> bool:
    """Tell whether a sign stands somewhere on a line so that it begins something, and somewhere so that it ends it."""
    padded = f" {line} "
    begins = ends = False
    for at in range(1, len(padded) - 1):
        if padded[at] == sign:
            before, behind = padded[at - 1], padded[at + 1]
            begins = begins or (not before.isalnum() and not behind.isspace())
            ends = ends or (not before.isspace() and not behind.isalnum())
    return begins and ends
