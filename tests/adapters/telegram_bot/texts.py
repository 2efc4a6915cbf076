"""What readers see of a text that a bot sends: parsed, checked, trimmed and measured as Telegram does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.adapters.telegram_bot.autolinks import found_in
from tests.adapters.telegram_bot.entities import Entity, checked_entities
from tests.adapters.telegram_bot.parse_modes import parsed
from tests.adapters.telegram_bot.refusals import misuse
from tests.adapters.telegram_bot.utf16 import index_of, piece, units

#: UTF-16 units after the parsing of entities.
TEXT_LIMIT: Final = 4096
_LINKS: Final = ("url", "text_link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A text as it stands in a chat."""

    text: str
    entities: list[Entity]
    #: The address whose preview is shown under it.
    preview: str | None


def shown(
    params: Mapping[str, Any], *, name: str = "text", too_long: str, may_be_empty: bool = False
) -> Shown:
    """Work out what readers see.

    Raises Refused for text that is empty or too long, and for markup or entities that are wrong.
    """
    text, entities = params.get(name, ""), params.get("entities")
    if mode := params.get("parse_mode"):
        if entities is not None:
            raise misuse("can't parse entities: entities stand instead of parse_mode, not beside it")
        text, entities = parsed(text, mode)
    text, entities = _trimmed(text, checked_entities(text, entities or []))
    if not text and not may_be_empty:
        raise misuse("message text is empty" if not params.get(name) else "text must be non-empty")
    if units(text) > TEXT_LIMIT:
        raise misuse(too_long, f"{units(text)} UTF-16 units, of which {TEXT_LIMIT} fit")
    return Shown(text=text, entities=entities, preview=_preview(text, entities, params))


def _preview(text: str, entities: list[Entity], params: Mapping[str, Any]) -> str | None:
    """Previews are shown unless they are disabled: for edits too, each time anew."""
    options = params.get("link_preview_options", {})
    if options.get("is_disabled"):
        return None
    if options.get("url"):
        return str(options["url"])
    links = [entity for entity in [*entities, *found_in(text, entities)] if entity["type"] in _LINKS]
    if not links:
        return None
    first = min(links, key=lambda entity: entity["offset"])
    return first.get("url") or piece(text, first["offset"], first["length"])


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Take blanks away at the end, and at the beginning as far as no entity reaches."""
    held = min((entity["offset"] for entity in entities), default=units(text))
    index = index_of(text, held) or 0
    cut = min(index, len(text) - len(text.lstrip()))
    kept = text[cut:].rstrip()
    moved = units(text[:cut])
    shorter = [_moved(entity, moved, units(kept)) for entity in entities]
    return kept, [entity for entity in shorter if entity["length"] > 0]


def _moved(entity: Entity, by: int, end: int) -> Entity:
    offset = entity["offset"] - by
    return entity | {"offset": offset, "length": min(entity["length"], end - offset)}
