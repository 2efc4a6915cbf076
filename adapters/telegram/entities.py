"""Styled text as Telegram takes it: characters, and entities with offsets and lengths in UTF-16 code units. Pure.

The rules are of https://core.telegram.org/bots/api#formatting-options: entities lie apart or one inside the other;
`code` and `pre` hold no other and stand in none but a quote; quotes do not nest. Telegram makes links and mentions of
plain text by itself, but not inside code: so an address that must not be live is shown as code, exactly as it is
written, and copied with one touch.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, groupby

from adapters.runs import Mark, dead_spans
from adapters.telegram.pieces import Piece, Style, placed, stripped, with_dead_as_code

#: Beyond so many, Telegram drops entities without a word.
MOST_ENTITIES = 100
_FIRST_OF_TWO_UNITS = 0x10000
#: What looks like the signs of an address, is as long in UTF-16, and makes neither a link nor a mention.
_LOOKALIKES = str.maketrans({".": "\N{ONE DOT LEADER}", "@": "\N{FULLWIDTH COMMERCIAL AT}", ":": "\N{RATIO}"})


class EntityKind(StrEnum):
    """The entities we send, by Telegram's names; those that matter most come first."""

    #: A few characters of code, or an address that must not be live.
    CODE = "code"
    #: A live link.
    TEXT_LINK = "text_link"
    #: Lines of code, or a table.
    PRE = "pre"
    #: What somebody else said.
    BLOCKQUOTE = "blockquote"
    #: Strong emphasis.
    BOLD = "bold"
    #: Light emphasis.
    ITALIC = "italic"
    #: Words that no longer hold.
    STRIKETHROUGH = "strikethrough"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity; offset and length in UTF-16 code units."""

    kind: EntityKind
    offset: int
    length: int
    url: str = ""
    language: str = ""

    def to_api(self) -> dict[str, str | int]:
        """Write it as the Bot API's MessageEntity."""
        written: dict[str, str | int] = {
            "type": self.kind.value,
            "offset": self.offset,
            "length": self.length,
        }
        written |= {"url": self.url} if self.url else {}
        return written | ({"language": self.language} if self.language else {})


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text and what of it looks how; entities in order, the outer before the inner."""

    text: str
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    """An entity in code points."""

    kind: EntityKind
    start: int
    end: int
    style: Style


#: Which style makes which entity: pieces side by side with the same key, if it is not None, are one entity.
_Key = Callable[[Style], Hashable]


def assemble(pieces: Sequence[Piece]) -> Rendered:
    """Join pieces to a text with its entities, without any live address or mention but the pieces' own links."""
    styled = with_dead_as_code(stripped(pieces))
    text = "".join(piece.text for piece in styled)
    spans = _most_important(_spans(styled, text))
    settled = (EntityKind.CODE, EntityKind.PRE, EntityKind.TEXT_LINK)
    text = unlinked(text, [(span.start, span.end) for span in spans if span.kind in settled])
    return Rendered(text, _in_utf16(text, spans))


def unlinked(text: str, kept: Sequence[tuple[int, int]] = ()) -> str:
    """Write a text so that no address is live without any entity, but for the spans kept; as long as it was."""
    for start, end in dead_spans(text, kept):
        text = text[:start] + text[start:end].translate(_LOOKALIKES) + text[end:]
    return text


def utf16_length(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text) + sum(ord(sign) >= _FIRST_OF_TWO_UNITS for sign in text)


def _spans(pieces: Sequence[Piece], text: str) -> Iterator[_Span]:
    where = list(placed(pieces))
    for kind, key in _KEYS.items():
        for found, group in groupby(where, lambda place, key=key: key(place[2])):  # type: ignore[misc]
            if found is not None:
                places = list(group)
                begins, end = _trimmed(text, kind, places[0][0], places[-1][1])
                # A quote holds all of the code it begins with, whose own indent stays.
                code = next((at for at, _, style in places if style.is_code or style.pre is not None), end)
                start = min(begins, max(code, places[0][0]))
                if begins < end:
                    yield _Span(kind, start, end, places[0][2])


def _mark_key(mark: Mark) -> _Key:
    """Keep a mark in one piece while no mark that holds it begins or ends: so none overlaps another in part."""
    outer = tuple(Mark)[: tuple(Mark).index(mark)]

    def key(style: Style) -> Hashable:
        has_it = mark in style.marks and not style.is_code and style.pre is None
        return (style.quote, *(held in style.marks for held in outer)) if has_it else None

    return key


_KEYS: dict[EntityKind, _Key] = {
    EntityKind.BLOCKQUOTE: lambda style: style.quote or None,
    EntityKind.PRE: lambda style: None if style.pre is None else style.number,
    EntityKind.BOLD: _mark_key(Mark.BOLD),
    EntityKind.ITALIC: _mark_key(Mark.ITALIC),
    EntityKind.STRIKETHROUGH: _mark_key(Mark.STRIKE),
    EntityKind.TEXT_LINK: lambda style: (style.number, style.url) if style.url else None,
    EntityKind.CODE: lambda style: style.number if style.is_code else None,
}
_OUTERMOST = list(_KEYS)
_IMPORTANCE = list(EntityKind)


def _trimmed(text: str, kind: EntityKind, start: int, end: int) -> tuple[int, int]:
    """Leave white space at the ends of an entity out of it; code's own indent stays."""
    if kind not in (EntityKind.PRE, EntityKind.CODE):
        while start < end and text[start].isspace():
            start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _most_important(spans: Iterator[_Span]) -> list[_Span]:
    """Choose those that Telegram keeps, and put them in order."""
    ranked = sorted(spans, key=lambda span: (_IMPORTANCE.index(span.kind), span.start))[:MOST_ENTITIES]
    return sorted(ranked, key=lambda span: (span.start, -span.end, _OUTERMOST.index(span.kind)))


def _in_utf16(text: str, spans: Sequence[_Span]) -> tuple[Entity, ...]:
    at = [0, *accumulate(1 + (ord(sign) >= _FIRST_OF_TWO_UNITS) for sign in text)]
    return tuple(
        Entity(
            kind=span.kind,
            offset=at[span.start],
            length=at[span.end] - at[span.start],
            url=span.style.url if span.kind is EntityKind.TEXT_LINK else "",
            language=(span.style.pre or "") if span.kind is EntityKind.PRE else "",
        )
        for span in spans
    )
