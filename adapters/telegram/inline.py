"""Inline mode: `@bot question` in any chat's input line. Pure.

Nothing is asked of the model while somebody still writes. One result is offered; whoever sends it has a message of
their own that says what was asked, and `chosen_inline_result` begins the turn whose reply that very message becomes.
Telegram tells of what was chosen only where BotFather's /setinlinefeedback is at 100%, and gives a message an id by
which it can be edited only where it has a keyboard.
"""

from typing import Any

from adapters.base import Action, Button
from adapters.content import Content, Paragraph, Quote, Text
from adapters.telegram.buttons import keyboard
from adapters.telegram.entities import utf16_length
from adapters.telegram.parse_happenings import InlineQuery
from adapters.telegram.places import inline_place
from adapters.telegram.render import render
from adapters.telegram.writing import NO_PREVIEW

_WAIT = "One moment\N{HORIZONTAL ELLIPSIS}"
_STOP = "Stop"
#: A question is shown up to here; the whole is what is answered.
_SHOWN = 512


def offer(asked: InlineQuery, assistant_name: str) -> dict[str, Any]:
    """Write the parameters of answerInlineQuery: one result, or none while nothing is written."""
    results = [_result(asked.text, assistant_name)] if asked.text else []
    return {
        "inline_query_id": asked.query,
        "results": results,
        # Everybody's question is their own, and Telegram must not answer it from a cache.
        "cache_time": 0,
        "is_personal": True,
    }


def _result(question: str, assistant_name: str) -> dict[str, Any]:
    shown = question[:_SHOWN] + "\N{HORIZONTAL ELLIPSIS}" * (len(question) > _SHOWN)
    rendered = render(Content((Quote((Paragraph((Text(shown),)),)), Paragraph((Text(_WAIT),)))))
    assert utf16_length(rendered.text) < 4096, "a question is cut far below the limit"  # noqa: PLR2004
    return {
        "type": "article",
        "id": "ask",
        "title": f"Ask {assistant_name}",
        "description": shown[:200],
        "input_message_content": {
            "message_text": rendered.text,
            "entities": [entity.to_api() for entity in rendered.entities],
            "link_preview_options": NO_PREVIEW,
        },
        "reply_markup": keyboard([Button(action=Action.STOP, label=_STOP)], inline_place("")),
    }
