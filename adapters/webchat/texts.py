"""Rules for what people write: messages, titles, reactions, colours. Pure; each raises `Refused`."""

import re
import unicodedata

from adapters.names import MAX_NAME, NameRefused, person_name, skeleton
from adapters.webchat.ids import is_client_id
from adapters.webchat.refusals import RefusalCode, Refused

#: The longest reaction, in code points: a family with skin tones is one sign of many.
_MAX_EMOJI = 16
_COLOUR = re.compile(r"[a-z0-9#-]{1,16}\Z")
#: Joins signs to one, and asks for the colourful form of one.
_JOINER, _COLOURFUL = "\u200d", "\ufe0f"
_KEYCAPS = frozenset("0123456789#*")
_KEYCAP = "\u20e3"
#: Every control character (Unicode's Cc) but tab and line feed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: Half of a character, which no page can be sent.
_HALF = re.compile(r"[\ud800-\udfff]")


def message_text(text: str, limit: int) -> str:
    """Return a message as it is kept: line breaks as one sign, no characters that no keyboard writes."""
    if len(text) > limit:
        raise Refused(
            RefusalCode.TOO_LONG,
            f"That message has {len(text):,} characters; one message holds at most {limit:,}. It was not sent, and "
            "nothing was cut off: please send it in parts.",
        )
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = _HALF.sub("\ufffd", _CONTROL.sub("", lines))
    if not kept.strip():
        raise Refused(RefusalCode.MALFORMED, "There is nothing in that message yet.")
    return kept


def room_title(title: str, limit: int) -> str:
    """Return a room's title as it is shown."""
    shown = " ".join(unicodedata.normalize("NFC", title).split())
    if not shown:
        raise Refused(RefusalCode.NAME_BAD, "A group needs a title.")
    if len(shown) > limit:
        raise Refused(RefusalCode.TOO_LONG, f"That title is too long: at most {limit} characters.")
    if not all(_in_title(sign) for sign in shown) or not any(_visible(sign) for sign in shown):
        raise Refused(RefusalCode.NAME_BAD, "That title has characters that cannot be shown.")
    return shown


def guest_name(name: str, assistant_names: tuple[str, ...]) -> str:
    """Return a person's name as it is shown."""
    if len(name) > 4 * MAX_NAME:
        raise Refused(RefusalCode.NAME_BAD, f"That name is too long: at most {MAX_NAME} characters.")
    try:
        return person_name(name, assistant_names)
    except NameRefused as exc:
        is_taken = skeleton(name) in {skeleton(taken) for taken in assistant_names}
        code = RefusalCode.NAME_TAKEN if is_taken else RefusalCode.NAME_BAD
        raise Refused(code, str(exc)) from exc


def colour_name(colour: str) -> str:
    """Return a colour's name."""
    if not _COLOUR.match(colour):
        raise Refused(RefusalCode.MALFORMED, "That colour is not known here.")
    return colour


def client_id(text: str) -> str:
    """Return the page's own id of what it sends."""
    if not is_client_id(text):
        raise Refused(RefusalCode.MALFORMED, "The page sent something it should not. Please load it again.")
    return text


def reaction(emoji: str) -> str:
    """Return an emoji; nothing else is a reaction."""
    if not 0 < len(emoji) <= _MAX_EMOJI or not _is_emoji(emoji):
        raise Refused(RefusalCode.MALFORMED, "A reaction is one emoji.")
    return emoji


def _in_title(sign: str) -> bool:
    return sign == _JOINER or unicodedata.category(sign)[0] not in "CZ" or sign == " "


def _visible(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LNSP" and sign not in "\u115f\u1160\u3164\uffa0"


def _is_emoji(text: str) -> bool:
    if text[0] in _KEYCAPS:
        return text[1:] in (_KEYCAP, _COLOURFUL + _KEYCAP)
    categories = [unicodedata.category(sign) for sign in text]
    fits = all(
        category in ("So", "Sk") or sign in (_JOINER, _COLOURFUL, "\u203c", "\u2049") or _is_tag(sign)
        for sign, category in zip(text, categories, strict=True)
    )
    return fits and (categories[0] == "So" or text[0] in "\u203c\u2049")


def _is_tag(sign: str) -> bool:
    """Tell the invisible letters that make a flag of a region (Unicode's tags)."""
    return 0xE0020 <= ord(sign) <= 0xE007F  # noqa: PLR2004 - Unicode's own numbers
