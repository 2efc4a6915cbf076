"""The first sign of a turn: a placeholder posted once, kept in the record, or taken back."""

import logging

from adapters.base import Adapter, Button, Idempotency, Purpose, Send
from adapters.errors import AdapterError
from bot.turns.journal import Journal
from bot.turns.live_window import as_content
from bot.turns.model import Chat

logger = logging.getLogger(__name__)

#: What stands in a placeholder until there is text.
PLACEHOLDER = "…"


def sign(
    turn_id: str,
    chat: Chat,
    reply_to: str | None,
    text: str = PLACEHOLDER,
    *,
    buttons: tuple[Button, ...] = (),
    links: frozenset[str] = frozenset(),
) -> Send:
    """Make the operation that posts a turn's first sign: one id, whoever posts it."""
    return Send(
        op_id=f"{turn_id}-sign",
        account=chat.account,
        conversation=chat.conversation,
        content=as_content(text),
        purpose=Purpose.PLACEHOLDER,
        reply_to=reply_to,
        buttons=buttons,
        links=links,
    )


async def take_back(adapter: Adapter, journal: Journal, turn_id: str, chat: Chat, message: str) -> None:
    """Delete a sign that came too late, unless it is the very message that stands. Raises `StoreUnavailable`.

    On a keyed platform whoever posts the sign next is given this very message: while the turn waits without one it
    is kept as the turn's. Once a reply is stored, nobody posts a sign any more that the record does not know.
    """
    keyed = adapter.capabilities(chat.conversation).idempotency is Idempotency.KEYED
    if keyed and await journal.sign_adopted(turn_id, message):
        return
    standing, _ = await journal.sign_of(turn_id)
    if standing == message:
        return
    try:
        await adapter.delete(chat.account, chat.conversation, message)
    except AdapterError as error:
        logger.info("a late sign of turn %s stays: %s", turn_id, type(error).__name__)
