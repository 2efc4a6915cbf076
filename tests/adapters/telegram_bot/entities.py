"""What a bot may pass as entities of a text, checked as https://core.telegram.org/bots/api#formatting-options states.

The real server quietly repairs or drops some of what is refused here (wrong nesting, unknown types): a bot that relies
on such repair does not know what its readers see, so this server takes it for a mistake.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from tests.adapters.telegram_bot.refusals import Refused, misuse
from tests.adapters.telegram_bot.utf16 import piece, units

Entity = dict[str, Any]

#: They can contain and be part of any other, except pre and code.
_STYLES: Final = {"bold", "italic", "underline", "strikethrough", "spoiler"}
_QUOTES: Final = {"blockquote", "expandable_blockquote"}
_CODE: Final = {"code", "pre"}
#: What a type asks for, beside type, offset and length.
_REQUIRED: Final[Mapping[str, set[str]]] = {
    **{kind: set() for kind in _STYLES | _QUOTES | _CODE},
    "text_link": {"url"},
    "text_mention": {"user"},
    "custom_emoji": {"custom_emoji_id"},
    "date_time": {"unix_time"},
}
_OPTIONAL: Final[Mapping[str, set[str]]] = {"pre": {"language"}, "date_time": {"date_time_format"}}
_MOST: Final = 100


def checked_entities(text: str, entities: Iterable[Entity]) -> list[Entity]:
    """Return a text's entities in reading order.

    Raises Refused for a place outside the text or within a surrogate pair, an unknown or automatic type, a missing or
    foreign field, an unsound link, a partial overlap and a forbidden nesting.
    """
    listed = list(entities)
    # Not refused by the real server, which shows the first hundred only: nobody would see that the rest is missing.
    if len(listed) > _MOST:
        raise _wrong(f"{len(listed)} entities, of which readers see {_MOST}")
    for entity in listed:
        _check_one(text, entity)
    listed.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    _check_nesting(listed)
    return listed


def _check_one(text: str, entity: Entity) -> None:
    kind, required = entity["type"], _REQUIRED.get(entity["type"])
    if required is None:
        raise _wrong(f"a bot cannot pass an entity of the type {kind}")
    fields = set(entity) - {"type", "offset", "length"}
    if required - fields:
        raise _wrong(f"the entity {kind} lacks {', '.join(sorted(required - fields))}")
    if extra := fields - required - _OPTIONAL.get(kind, set()):
        raise _wrong(f"the entity {kind} has no {', '.join(sorted(extra))}")
    _check_place(text, entity)
    if kind == "text_link" and not entity["url"].startswith(
        ("http://", "https://", "tg://", "mailto:", "tel:")
    ):
        raise _wrong("a text_link without a scheme that Telegram opens")


def _check_place(text: str, entity: Entity) -> None:
    offset, length = entity["offset"], entity["length"]
    if length <= 0 or offset < 0 or offset + length > units(text):
        raise _wrong(f"the entity at {offset}+{length} leaves the text of {units(text)} units")
    cut = piece(text, offset, length)
    if cut is None:
        raise _wrong(f"the entity at {offset}+{length} splits a surrogate pair")
    if not cut.strip():
        raise _wrong(f"the entity at {offset}+{length} covers nothing that can be seen")


def _check_nesting(entities: list[Entity]) -> None:
    around: list[Entity] = []
    for entity in entities:
        while around and _end(around[-1]) <= entity["offset"]:
            around.pop()
        if around and _end(entity) > _end(around[-1]):
            raise _wrong(f"{around[-1]['type']} and {entity['type']} overlap in part")
        for outer in around:
            _check_pair(outer["type"], entity["type"])
        around.append(entity)
    for one, other in pairwise(entities):
        if one == other:
            raise _wrong(f"the entity {one['type']} is there twice")


def _check_pair(outer: str, inner: str) -> None:
    if outer in _QUOTES or inner in _QUOTES:
        # Code within a quotation is kept by the server (TDLib, MessageEntity.cpp); a quotation within code is not.
        allowed = not {outer, inner} <= _QUOTES and (outer in _QUOTES or outer in _STYLES)
    elif outer in _CODE or inner in _CODE:
        allowed = False
    else:
        allowed = outer in _STYLES or inner in _STYLES
    if not allowed:
        raise _wrong(f"{inner} cannot be part of {outer}")


def _end(entity: Entity) -> int:
    return int(entity["offset"] + entity["length"])


def _wrong(why: str) -> Refused:
    return misuse(f"can't parse entities: {why}")
