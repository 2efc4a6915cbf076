"""How many segments a text message is sent and charged in; written apart from the product's own count.

3GPP TS 23.038, the default alphabet and its extension; 3GPP TS 23.040, concatenation by a header of six bytes.
https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

from collections.abc import Iterable
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Each costs an escape and itself.
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_GSM_ALONE, _GSM_JOINED = 160, 153
_UCS2_ALONE, _UCS2_JOINED = 70, 67


def count_segments(text: str) -> int:
    """Count the segments of a text; an empty one is one."""
    if all(sign in _BASIC or sign in _EXTENSION for sign in text):
        return _packed((1 if sign in _BASIC else 2 for sign in text), _GSM_ALONE, _GSM_JOINED)
    # What takes two units, a surrogate pair or an escaped sign, is not torn apart.
    return _packed((2 if ord(sign) > 0xFFFF else 1 for sign in text), _UCS2_ALONE, _UCS2_JOINED)


def _packed(widths: Iterable[int], alone: int, joined: int) -> int:
    each = list(widths)
    if sum(each) <= alone:
        return 1
    segments, used = 1, 0
    for width in each:
        if used + width > joined:
            segments, used = segments + 1, 0
        used += width
    return segments
