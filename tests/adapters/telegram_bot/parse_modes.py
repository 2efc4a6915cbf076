"""Markup in texts: HTML and MarkdownV2, as strict as Telegram is, with its descriptions of what is wrong.

The legacy Markdown mode is refused: it cannot express what it is used for, and escapes nothing within entities.
"""

from typing import Any

from tests.adapters.telegram_bot.parse_html import parse_html
from tests.adapters.telegram_bot.parse_markdown import parse_markdown
from tests.adapters.telegram_bot.refusals import misuse

Entity = dict[str, Any]


def parsed(text: str, mode: str) -> tuple[str, list[Entity]]:
    """Return the text without its markup, and the entities that the markup meant; raise Refused."""
    if mode == "HTML":
        return parse_html(text)
    if mode == "MarkdownV2":
        return parse_markdown(text)
    raise misuse("can't parse entities: legacy Markdown is not to be used")
