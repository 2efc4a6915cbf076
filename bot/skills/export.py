"""`/export`: what is kept of a person, as JSON, to that person alone."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from adapters.base import ConversationKind
from bot.turns.journal.exporting import KeptChat, KeptMessage
from bot.turns.live_reply import LiveReply
from bot.turns.model import Reply, Turn
from bot.turns.stopping import Stop

#: The newest messages of each chat, and characters of them all: an export is a few messages, not a flood.
MOST_MESSAGES = 200
MOST_CHARS = 40_000

_ONLY_DIRECT = "I show what I keep of you only in a direct chat: write `/export` to me there."

#: Reads what is kept of the person who asks. Raises `StoreUnavailable`.
Kept = Callable[[Turn], Awaitable[Sequence[KeptChat]]]


class Export:
    """Answers with everything that is kept of the asker; kept out of the chat's context."""

    def __init__(self, kept: Kept) -> None:
        """Keep what reads it."""
        self._kept = kept

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply:
        """Say it, in a direct chat only."""
        if turn.chat.kind is not ConversationKind.DIRECT:
            return Reply(text=_ONLY_DIRECT, parts=(), prompt=None)
        return Reply(text=exported(await self._kept(turn)), parts=(), prompt=None)


def exported(kept: Sequence[KeptChat], *, most_chars: int = MOST_CHARS) -> str:
    """Write what is kept as JSON; what does not fit, the newest first, is left out and counted. Pure."""
    messages = sorted(
        ((one, message) for one in kept for message in one.messages),
        key=lambda pair: pair[1].accepted_at,
        reverse=True,
    )
    shown, room = [], most_chars
    for one, message in messages:
        entry = _message(one, message)
        size = len(json.dumps(entry, ensure_ascii=False))
        if size <= room:
            room -= size
            shown.append(entry)
    document: dict[str, Any] = {
        "messages": shown[::-1],
        "remembered": [text for one in kept for text in one.memories],
        "messages_left_out": len(messages) - len(shown),
    }
    # A fence inside of a text must not end ours.
    body = json.dumps(document, ensure_ascii=False, indent=1).replace("`", "\\u0060")
    return f"This is what I keep of you:\n\n```json\n{body}\n```"


def _message(one: KeptChat, message: KeptMessage) -> dict[str, Any]:
    entry = {
        "chat": one.chat.conversation,
        "kind": one.chat.kind.value,
        "said_at": message.said_at.isoformat(),
        "said": message.said,
        "quoted": message.quoted or None,
        "answered": message.answered,
    }
    return {name: value for name, value in entry.items() if value is not None}
