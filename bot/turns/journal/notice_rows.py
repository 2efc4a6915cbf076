"""A new notice as the record holds it."""

from datetime import datetime
from typing import Any

from bot.turns.model import NoticeKind, NoticeState


def notice_row(
    *,
    notice_id: str,
    chat_id: str,
    turn_id: str,
    adapter: str,
    sends_from: str,
    kind: NoticeKind,
    text: str,
    reply_to: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Lay out a new notice, to be sent."""
    return {
        "id": notice_id,
        "chat_id": chat_id,
        "turn_id": turn_id,
        "adapter": adapter,
        "sends_from": sends_from,
        "kind": kind.value,
        "text": text,
        "reply_to": reply_to,
        "op_id": f"{notice_id}-notice",
        "state": NoticeState.WAITING.value,
        "created_at": now,
    }
