"""Where a text may be cut: behind a sentence, between words, between graphemes; and cutting inlines there."""

import re
import unicodedata
from dataclasses import replace

from adapters.content import Bold, Inline, Italic, Strike, Text, inline_text

_SENTENCE_END = re.compile(r"(?:[.!?…][\"')\]]*(?=\s)|[。！？]|(?=\n))")  # noqa: RUF001 - CJK punctuation is meant
_ZWJ, _CR, _LF = "\u200d", "\r", "\n"


def best_cut(text: str, at: int) -> int:
    """Choose the best border at or shortly before `at`; more than 0 where `at` is."""
    if at >= len(text) or at <= 0:
        return max(0, min(at, len(text)))
    # A border in the first half would leave messages half empty.
    sentences = [found.end() for found in _SENTENCE_END.finditer(text, at // 2, at + 1)]
    if fitting := [end for end in sentences if at // 2 < end <= at]:
        return fitting[-1]
    if text[at].isspace():
        return at
    words = max(text.rfind(space, 0, at) for space in " \n\t")
    return words if words > at // 2 else grapheme_cut(text, at)


def grapheme_cut(text: str, at: int) -> int:
    """Choose the nearest border between graphemes at or before `at`; `at` itself inside an endless one."""
    if at >= len(text) or at <= 0:
        return max(0, min(at, len(text)))
    for place in range(at, 0, -1):
        if is_grapheme_border(text, place):
            return place
    return at


def is_grapheme_border(text: str, at: int) -> bool:
    """Tell whether a cut at `at` keeps whole what a person sees as one character.

    A practical part of Unicode's rules (UAX 29): marks, joiners, skin tones, flags, Hangul syllables, CR LF.
    """
    before, after = text[at - 1], text[at]
    if _ZWJ in (before, after) or (before == _CR and after == _LF):
        return False
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or _extends(ord(after)):
        return False
    if _is_flag(before) and _is_flag(after):
        return _flags_before(text, at) % 2 == 0
    return not (_is_jamo(before) and _is_jamo(after))


def _extends(code: int) -> bool:
    """Skin tones and the tags of regional flags."""
    return 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F  # noqa: PLR2004 - Unicode blocks


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, at: int) -> int:
    count = 0
    while count < at and _is_flag(text[at - 1 - count]):
        count += 1
    return count


def _is_jamo(character: str) -> bool:
    return "\u1100" <= character <= "\u11ff"


def cut_inlines(inlines: tuple[Inline, ...], at: int) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    """Cut inlines behind `at` characters of their text, without the white space at the cut; marks go on behind it."""
    head, tail = _divide(inlines, at)
    return _stripped(head, end=True), _stripped(tail, end=False)


def _divide(inlines: tuple[Inline, ...], at: int) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    for number, inline in enumerate(inlines):
        length = len(inline_text((inline,)))
        if at < length:
            if at <= 0:
                return inlines[:number], inlines[number:]
            first, second = _divide_one(inline, at)
            return (*inlines[:number], first), (second, *inlines[number + 1 :])
        at -= length
    return inlines, ()


def _divide_one(inline: Inline, at: int) -> tuple[Inline, Inline]:
    match inline:
        case Bold() | Italic() | Strike():
            first, second = _divide(inline.children, at)
            return type(inline)(first), type(inline)(second)
        case _:
            return replace(inline, text=inline.text[:at]), replace(inline, text=inline.text[at:])


def _stripped(inlines: tuple[Inline, ...], *, end: bool) -> tuple[Inline, ...]:
    """Take white space away from one side, and whatever is empty then."""
    while inlines:
        edge = inlines[-1 if end else 0]
        rest = inlines[:-1] if end else inlines[1:]
        trimmed = _trimmed(edge, end=end)
        if trimmed is not None:
            return (*rest, trimmed) if end else (trimmed, *rest)
        inlines = rest
    return ()


def _trimmed(inline: Inline, *, end: bool) -> Inline | None:
    match inline:
        case Bold() | Italic() | Strike():
            children = _stripped(inline.children, end=end)
            return type(inline)(children) if children else None
        case Text():
            text = inline.text.rstrip() if end else inline.text.lstrip()
            return Text(text) if text else None
        case _:
            return inline
