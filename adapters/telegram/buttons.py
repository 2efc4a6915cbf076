"""Buttons under our messages, and what their data says when one is pressed. Pure.

The data comes from people's clients, which may send anything: where the message has a chat, that chat counts and not
the data; where it has an inline id alone, the data names the conversation, and the core looks for that message in it.
"""

from collections.abc import Sequence
from typing import Any

from adapters.base import Action, Button
from adapters.telegram.places import Place, PlaceKind, inline_place

#: Buttons a message may have here: they stand in one row, readable on a phone.
MOST_BUTTONS = 4
GUEST_BUTTONS = 2
_BETWEEN = "|"
#: What Telegram allows as a button's data (https://core.telegram.org/bots/api#inlinekeyboardbutton).
_MOST_BYTES = 64


def keyboard(buttons: Sequence[Button], place: Place) -> dict[str, Any] | None:
    """Write buttons as the Bot API's InlineKeyboardMarkup; None where there are none."""
    if not buttons:
        return None
    row = [
        {"text": button.label, "callback_data": _data(button.action, place)}
        for button in buttons[:MOST_BUTTONS]
    ]
    return {"inline_keyboard": [row]}


def _data(action: Action, place: Place) -> str:
    """Write at most 64 bytes; an inline message's id is longer, and comes with the press itself."""
    return f"{action.value}{_BETWEEN}{place.ref}" if place.kind is PlaceKind.GUEST else action.value


def pressed_in(data: str, inline_message: str) -> tuple[Action, str] | None:
    """Read what was pressed and, under a message known by its inline id alone, where; None for data not of ours."""
    action, _, conversation = data.partition(_BETWEEN)
    if action not in set(Action):
        return None
    if not inline_message:
        return Action(action), ""
    if not conversation:
        return Action(action), inline_place(inline_message).ref
    return (
        (Action(action), conversation)
        if conversation.startswith("g/") and len(conversation) < _MOST_BYTES
        else None
    )
