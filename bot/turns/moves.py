"""A platform's refusal because a conversation moved, as the event that says the same."""

from adapters.base import ConversationMoved
from adapters.errors import Moved
from bot.turns.model import Chat


def moved_to(chat: Chat, error: Moved) -> ConversationMoved:
    """Name where a chat lives now. Pure."""
    return ConversationMoved(
        adapter=chat.adapter, account=chat.account, old=chat.conversation, new=error.conversation
    )
