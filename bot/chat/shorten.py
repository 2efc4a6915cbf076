"""Leaving out the middle of a text that is too long, visibly, without tearing a character."""

import unicodedata
from dataclasses import dataclass, replace

from bot.turns.model import Said, Turn

#: How far a cut moves to spare a character of many code points; a pile of accents longer than that is torn.
_FARTHEST = 32
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How much a shortening took, in characters (Unicode code points)."""

    total: int = 0
    gone: int = 0

    def note(self) -> str | None:
        """Say it to the person who asked; None where nothing is gone."""
        if not self.gone:
            return None
        return (
            f"That was too long for me to read whole: I left out {self.gone:,} of {self.total:,} characters "
            "from the middle. Send it in smaller pieces to have all of it read."
        )


def shorten(text: str, most_chars: int) -> tuple[str, int]:
    """Keep both ends of a text, at most `most_chars` of its characters, and say how many are gone between."""
    if len(text) <= most_chars:
        return text, 0
    head = _before(text, (most_chars + 1) // 2)
    tail = _behind(text, len(text) - most_chars // 2)
    gone = tail - head
    return f"{text[:head]} [... {gone:,} characters left out ...] {text[tail:]}", gone


def shorten_turn(turn: Turn, most_chars: int) -> tuple[Turn, LeftOut]:
    """Shorten every message of a turn, and every quoted one, to at most `most_chars` characters each."""
    said, total, gone = [], 0, 0
    for one in turn.said:
        text, lost = shorten(one.text, most_chars)
        quoted, quoted_lost = shorten(one.quoted_text, most_chars)
        said.append(_with(one, text, quoted))
        total += len(one.text) + len(one.quoted_text)
        gone += lost + quoted_lost
    return replace(turn, said=tuple(said)), LeftOut(total=total, gone=gone)


def longest_text(turn: Turn) -> int:
    """Return the characters of the longest single text in a turn."""
    return max((max(len(one.text), len(one.quoted_text)) for one in turn.said), default=0)


def tears(text: str, at: int) -> bool:
    """Tell whether a cut before position `at` would tear one visible character in two.

    Covers what people type (UAX #29 in outline): accents and other marks, emoji sequences, flags, Hangul
    letters, surrogate pairs, CR LF.
    """
    if not 0 < at < len(text):
        return False
    left, right = text[at - 1], text[at]
    return (
        _extends(right)
        or left == _JOINER
        or (left == "\r" and right == "\n")
        or ("\ud800" <= left <= "\udbff" and "\udc00" <= right <= "\udfff")
        or (_is_flag_letter(left) and _is_flag_letter(right) and _flag_letters_before(text, at) % 2 == 1)
        or (_is_hangul(left) and "\u1160" <= right <= "\u11ff")
        or ("\u1100" <= left <= "\u115f" and _is_hangul(right))
    )


def _with(one: Said, text: str, quoted: str) -> Said:
    if text is one.text and quoted is one.quoted_text:
        return one
    return replace(one, text=text, quoted_text=quoted)


def _before(text: str, at: int) -> int:
    """Return the nearest whole position at or before `at`."""
    for position in range(at, max(at - _FARTHEST, -1), -1):
        if not tears(text, position):
            return position
    return _unpaired(text, at, -1)


def _behind(text: str, at: int) -> int:
    """Return the nearest whole position at or behind `at`."""
    for position in range(at, min(at + _FARTHEST, len(text) + 1)):
        if not tears(text, position):
            return position
    return _unpaired(text, at, 1)


def _unpaired(text: str, at: int, step: int) -> int:
    """Move off the middle of a surrogate pair: even a torn character must stay encodable."""
    return at + step if 0 < at < len(text) and "\udc00" <= text[at] <= "\udfff" else at


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or char == _JOINER
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # the letters inside a region's flag
    )


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flag_letters_before(text: str, at: int) -> int:
    """Count the flag letters that end before `at`, near enough to tell odd from even in what people type."""
    count = 0
    while count < at and count < 2 * _FARTHEST and _is_flag_letter(text[at - 1 - count]):
        count += 1
    return count


def _is_hangul(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff" or "\uac00" <= char <= "\ud7a3"
