"""What an SMS costs: its alphabet, and how many segments carriers send and bill. Pure.

GSM 03.38 (3GPP TS 23.038) for the alphabets, TS 23.040 for the header of concatenated messages, which takes 7 of the
160 septets (or 3 of the 70 UTF-16 units) of every segment.
"""

from dataclasses import dataclass
from enum import StrEnum

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Two septets each: an escape comes before them.
_EXTENDED = frozenset("\f^{}\\[~]|€")
#: Signs for which GSM-7 has one that says the same.
_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022\u25e6\u25aa\u2043", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000\t", " "),
        **dict.fromkeys("\u200b\u2060\ufeff\u00ad", ""),
        "\u2026": "...",
        "\u2039": "<",
        "\u203a": ">",
    }
)


class Alphabet(StrEnum):
    """How a text is sent."""

    #: Seven bits a character.
    GSM7 = "gsm7"
    #: Sixteen bits a unit: any sign outside GSM-7 makes the whole text so.
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What a text takes."""

    alphabet: Alphabet
    #: Septets or UTF-16 units.
    units: int
    #: How many segments are sent and billed; 0 for no text.
    count: int


def segments(text: str) -> Segments:
    """Count what a text takes. Pure."""
    if is_gsm7(text):
        return _counted(Alphabet.GSM7, [2 if sign in _EXTENDED else 1 for sign in text], 160, 153)
    return _counted(Alphabet.UCS2, [2 if ord(sign) > 0xFFFF else 1 for sign in text], 70, 67)  # noqa: PLR2004


def is_gsm7(text: str) -> bool:
    """Tell whether a text can be sent in seven bits a character."""
    return all(sign in _BASIC or sign in _EXTENDED for sign in text)


def in_gsm7(text: str) -> str:
    """Write smart punctuation as GSM-7 has it where that makes the whole text cheaper; else leave it. Pure."""
    folded = text.translate(_SAME)
    return folded if is_gsm7(folded) else text


def _counted(alphabet: Alphabet, sizes: list[int], alone: int, joined: int) -> Segments:
    """Fill segments; a sign of two units is never parted."""
    units = sum(sizes)
    if units <= alone:
        return Segments(alphabet=alphabet, units=units, count=min(units, 1))
    count, left = 1, joined
    for size in sizes:
        if size > left:
            count, left = count + 1, joined
        left -= size
    return Segments(alphabet=alphabet, units=units, count=count)
