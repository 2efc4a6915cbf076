"""Telegram's HTML: a few tags, four named entities, and nothing left open."""

import html
import re
from typing import Any, Final

from tests.adapters.telegram_bot.refusals import Refused, misuse
from tests.adapters.telegram_bot.utf16 import units

Entity = dict[str, Any]

_TAGS: Final = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("tg-spoiler", "span"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[^<>]*)?)>")
_ATTRIBUTE: Final = re.compile(r"([a-zA-Z-]+)(?:=(?:\"([^\"]*)\"|'([^']*)'))?")
_NAMED: Final = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")


def parse_html(text: str) -> tuple[str, list[Entity]]:
    """Return the text without tags, and the entities they meant; raise Refused."""
    out, at = "", 0
    entities: list[Entity] = []
    open_tags: list[tuple[str, Entity]] = []
    while (start := text.find("<", at)) >= 0:
        out += _plain(text[at:start])
        tag = _TAG.match(text, start)
        if tag is None:
            raise _wrong(text, start, "unsupported start tag")
        at = tag.end()
        name = tag[2].lower()
        if tag[1]:
            entities.append(_closed(text, start, name, open_tags, units(out)))
        else:
            open_tags.append((name, _opened(text, start, name, tag[3]) | {"offset": units(out)}))
    out += _plain(text[at:])
    if open_tags:
        raise misuse(
            f"can't parse entities: can't find end tag corresponding to start tag \"{open_tags[-1][0]}\""
        )
    return out, [entity for entity in _merged(entities) if entity["length"]]


def _opened(text: str, start: int, name: str, attributes: str) -> Entity:
    kind = _TAGS.get(name)
    found = {m[1].lower(): html.unescape(m[2] or m[3] or "") for m in _ATTRIBUTE.finditer(attributes)}
    if kind is None or (name == "span" and found != {"class": "tg-spoiler"}):
        raise _wrong(text, start, f'unsupported start tag "{name}"')
    if name == "a":
        return {"type": kind, "url": found.get("href", "")}
    if name == "blockquote" and "expandable" in found:
        return {"type": "expandable_blockquote"}
    if name == "code" and found.get("class", "").startswith("language-"):
        return {"type": kind, "language": found["class"].removeprefix("language-")}
    return {"type": kind}


def _closed(text: str, start: int, name: str, open_tags: list[tuple[str, Entity]], end: int) -> Entity:
    if not open_tags:
        raise _wrong(text, start, "unexpected end tag")
    opened, entity = open_tags.pop()
    if opened != name:
        raise _wrong(text, start, f'unmatched end tag, expected "</{opened}>", found "</{name}>"')
    return entity | {"length": end - entity["offset"]}


def _merged(entities: list[Entity]) -> list[Entity]:
    """A code within a pre of the same extent is the pre's language; elsewhere it has none."""
    pres = {(e["offset"], e["length"]): e for e in entities if e["type"] == "pre"}
    kept = []
    for entity in entities:
        pre = pres.get((entity["offset"], entity["length"]))
        if entity["type"] == "code" and pre is not None:
            pre |= {"language": entity["language"]} if "language" in entity else {}
        else:
            kept.append(entity)
            if entity["type"] == "code":
                entity.pop("language", None)
    return kept


def _plain(text: str) -> str:
    return _NAMED.sub(lambda match: html.unescape(match[0]), text)


def _wrong(text: str, start: int, why: str) -> Refused:
    return misuse(f"can't parse entities: {why} at byte offset {len(text[:start].encode())}")
