"""The first sign of a turn: a placeholder posted once, kept in the record, or taken back."""

import logging

from adapters.base import Adapter, Idempotency, Purpose, Send
from adapters.errors import AdapterError
from adapters.markdown import parse
from bot.turns.journal import Journal
from bot.turns.model import Chat

logger = logging.getLogger(__name__)

#: What stands in a placeholder until there is text.
PLACEHOLDER = "…"


def sign(turn_id: str, chat: Chat, reply_to: str | None, text: str = PLACEHOLDER) -> Send:
    """Make the operation that posts a turn's first sign: one id, whoever posts it."""
    return Send(
        op_id=f"{turn_id}-sign",
        account=chat.account,
        conversation=chat.conversation,
        content=parse(text),
        purpose=Purpose.PLACEHOLDER,
        reply_to=reply_to,
    )


async def take_back(adapter: Adapter, journal: Journal, turn_id: str, chat: Chat, message: str) -> None:
    """Delete a sign that came too late, unless it is the very message that stands. Raises `StoreUnavailable`.

    On a keyed platform whoever posts the sign next may have been given this very message: there it is deleted
    only where another one certainly stands.
    """
    standing, _ = await journal.sign_of(turn_id)
    keyed = adapter.capabilities(chat.conversation).idempotency is Idempotency.KEYED
    if standing == message or (standing is None and keyed):
        return
    try:
        await adapter.delete(chat.account, chat.conversation, message)
    except AdapterError as error:
        logger.info("a late sign of turn %s stays: %s", turn_id, type(error).__name__)
