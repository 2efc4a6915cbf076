"""Twilio's identifiers: two letters that name the kind, and 32 hexadecimal digits."""

import re
import uuid
from typing import Final

_DIGITS: Final = re.compile(r"[0-9a-fA-F]{32}")


def new_sid(kind: str) -> str:
    """Make an identifier of a kind: SM and MM messages, ME media, AC accounts, SK keys, HX templates."""
    return kind + uuid.uuid4().hex


def is_sid(text: str, *kinds: str) -> bool:
    """Tell whether a text is an identifier of one of the kinds."""
    return text[:2] in kinds and _DIGITS.fullmatch(text[2:]) is not None
