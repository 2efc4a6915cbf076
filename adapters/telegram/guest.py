"""Guest mode: mentioned in a chat it is no member of, the bot may write one message, and edit it. Pure."""

from typing import Any

from adapters.content import Content, Italic, Paragraph, Text
from adapters.errors import WindowClosed
from adapters.telegram.places import inline_ref

#: What ends an answer that has no room in the one message there is.
CUT = "\N{HORIZONTAL ELLIPSIS} The answer is longer than the one message I may write here."


def article(content: dict[str, Any], markup: dict[str, Any] | None) -> dict[str, Any]:
    """Write a message as the result that answerGuestQuery takes; `content` has text and entities."""
    message = {"message_text" if name == "text" else name: value for name, value in content.items()}
    made: dict[str, Any] = {
        "type": "article",
        "id": "answer",
        "title": "Answer",
        "input_message_content": message,
    }
    return made | ({"reply_markup": markup} if markup else {})


def answered(result: object) -> str:
    """Read the reference of the message that answers a guest's query. Raises `WindowClosed` where there is none."""
    inline_id = result.get("inline_message_id") if isinstance(result, dict) else None
    if not isinstance(inline_id, str) or not inline_id:
        raise WindowClosed("Telegram gave the guest's message no id")
    return inline_ref(inline_id)


def with_cut(content: Content) -> Content:
    """Say below the first of several parts that it is not all."""
    return Content((*content.blocks, Paragraph((Italic((Text(CUT),)),))))
