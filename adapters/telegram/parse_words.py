"""What a message says, and whether it names the bot: by Telegram's entities, never by searching the text. Pure.

Offsets and lengths are UTF-16 code units (https://core.telegram.org/bots/api#messageentity). The bot's name on Telegram
is written as the name the core knows, so that the core reads a call the same way on every platform.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapters.telegram.identity import Me
from adapters.telegram.parse_people import Wire, number, part, words

_START = "/start"
_TWO_UNITS = "\uffff"


@dataclass(frozen=True, slots=True)
class Said:
    """A message's text."""

    text: str
    #: Whether it names the bot.
    is_mention: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    text: str
    is_mention: bool = True


def said(message: Wire, me: Me) -> Said:
    """Read a message's text or caption."""
    text, entities = words(message.get("text")), message.get("entities")
    if not text:
        text, entities = words(message.get("caption")), message.get("caption_entities")
    if not text or not isinstance(entities, list) or not entities:
        return Said(text)
    units = _Units(text)
    return units.written(_spans(units, entities, me))


def text_of(message: Wire) -> str:
    """Read a message's text or caption as it stands."""
    return words(message.get("text")) or words(message.get("caption"))


class _Units:
    """A text cut by UTF-16 code units."""

    def __init__(self, text: str) -> None:
        self._text = text
        # Most texts have one unit a character, and need no encoding.
        self._encoded = text.encode("utf-16-le", "surrogatepass") if max(text) > _TWO_UNITS else None
        self.length = len(text) if self._encoded is None else len(self._encoded) // 2

    def cut(self, start: int, end: int) -> str:
        """Cut a piece out; half a character at an end stays half."""
        if self._encoded is None:
            return self._text[start:end]
        return self._encoded[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")

    def written(self, spans: list[_Span]) -> Said:
        """Write the text with spans replaced."""
        pieces, done, is_mention = [], 0, False
        for span in sorted(spans, key=lambda span: span.start):
            if span.start < done:
                continue
            pieces += [self.cut(done, span.start), span.text]
            done, is_mention = span.end, is_mention or span.is_mention
        return Said("".join([*pieces, self.cut(done, self.length)]), is_mention)


def _spans(units: _Units, entities: list[Any], me: Me) -> list[_Span]:
    return [span for entity in entities if isinstance(entity, dict) for span in _span(units, entity, me)]


def _span(units: _Units, entity: Wire, me: Me) -> Iterator[_Span]:
    kind = entity.get("type")
    if kind not in ("mention", "text_mention", "bot_command"):
        return
    start = number(entity["offset"])
    end = start + number(entity["length"])
    if not 0 <= start < end <= units.length:
        return
    written = units.cut(start, end)
    if kind == "bot_command":
        yield from _command(written, start, end, me)
    elif _is_me(kind, written, entity, me):
        yield _Span(start, end, f"@{me.assistant_name}")


def _is_me(kind: str, written: str, entity: Wire, me: Me) -> bool:
    if kind == "mention":
        return bool(me.username) and written[1:].lower() == me.username
    user = part(entity, "user")
    return user is not None and user.get("id") == me.id


def _command(written: str, start: int, end: int, me: Me) -> Iterator[_Span]:
    """Take our name off a command; `/start` is how people open a chat with any bot, and asks nothing."""
    name, at, whom = written.partition("@")
    is_ours = bool(at) and whom.lower() == me.username
    if at and not is_ours:
        return
    if name.lower() == _START and start == 0:
        yield _Span(0, end, "", is_mention=is_ours)
    elif is_ours:
        yield _Span(start, end, name)
