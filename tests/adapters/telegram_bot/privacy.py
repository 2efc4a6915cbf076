"""Which of a group's messages a bot is given: https://core.telegram.org/bots/faq#what-messages-will-my-bot-get."""

from tests.adapters.telegram_bot.rules import Rules
from tests.adapters.telegram_bot.seen import Chat, ChatKind, Message, Standing
from tests.adapters.telegram_bot.world import ANONYMOUS_ADMIN, CHANNEL_BOT, World

#: Accounts that Telegram calls bots but that stand for people and channels.
_MASKS = (ANONYMOUS_ADMIN, CHANNEL_BOT)


def is_given(world: World, message: Message) -> bool:
    """Say whether the bot is told of a message."""
    chat, bot = world.chats[message.chat_id], world.bot.id
    if message.by_bot or not chat.has(bot):
        return False
    if chat.kind == ChatKind.PRIVATE or message.is_service:
        return True
    if _is_of_another_bot(world, message):
        return False
    if chat.standing(bot) is Standing.ADMINISTRATOR or chat.bot_reads_all:
        return True
    return _passes(world, chat, message)


def _passes(world: World, chat: Chat, message: Message) -> bool:
    """Decide under privacy mode; a reply has the highest priority and is one bot's only."""
    replied = message.reply_to is not None and world.message(chat.id, message.reply_to)
    if replied and replied.by_bot:
        return True
    if replied and replied.sender_id is not None and _is_of_another_bot(world, replied):
        return False
    if message.extra.get("via_bot", {}).get("id") == world.bot.id:
        return True
    return _is_command(world, chat, message) or (
        world.rules.privacy_passes_mentions and mentions_bot(world.rules, message)
    )


def mentions_bot(rules: Rules, message: Message) -> bool:
    """Say whether a message names the bot."""
    named = {name.lower() for name in message.mentions}
    return f"@{rules.username}".lower() in named or str(rules.bot_id) in named


def _is_command(world: World, chat: Chat, message: Message) -> bool:
    for command in message.marked("bot_command"):
        _, at, name = command.partition("@")
        if name.lower() == world.rules.username.lower() if at else chat.last_bot == world.bot.id:
            return True
    return False


def _is_of_another_bot(world: World, message: Message) -> bool:
    sender = world.users.get(message.sender_id or 0)
    return bool(sender and sender.is_bot and sender.id not in _MASKS and not message.by_bot)
