"""Playing Telegram's users: who they are, where they are, and how that changes."""

from collections.abc import Iterable
from typing import Any

from tests.adapters.telegram_bot.mailbox import Mailbox, Update
from tests.adapters.telegram_bot.seen import Chat, ChatKind, Message, Standing, User
from tests.adapters.telegram_bot.wire import chat_wire, member_wire, message_wire, user_wire
from tests.adapters.telegram_bot.world import World

#: Ids of supergroups and channels begin like this.
_MARKED = -1_000_000_000_000
#: The number of the message with which a supergroup begins, and of a forum's General topic.
_FIRST = 1
_NEWS_OF_BOT = "my_chat_member"


class People:
    """Makes people and chats, and moves them."""

    def __init__(self, world: World, mailbox: Mailbox) -> None:
        self._world = world
        self._mailbox = mailbox

    def user(
        self,
        first_name: str,
        *,
        username: str = "",
        last_name: str = "",
        language: str = "",
        is_bot: bool = False,
    ) -> User:
        """Make an account."""
        return self._world.keep_user(
            User(
                id=self._world.next_id(),
                first_name=first_name,
                last_name=last_name,
                username=username,
                language_code=language,
                is_bot=is_bot,
            )
        )

    def private(self, user: User, *, started: bool = True, topics: Iterable[str] = ()) -> Chat:
        """Open somebody's chat with the bot; started, the bot may write there."""
        chat = Chat(id=user.id, kind=ChatKind.PRIVATE, members={str(user.id): Standing.MEMBER})
        chat.members[str(self._world.bot.id)] = Standing.MEMBER if started else Standing.LEFT
        return self._with_topics(self._world.keep_chat(chat), topics)

    def group(
        self,
        title: str,
        members: Iterable[User] = (),
        *,
        kind: ChatKind | str = ChatKind.SUPERGROUP,
        username: str = "",
        topics: Iterable[str] = (),
        is_forum: bool = False,
        bot: Standing | str = Standing.MEMBER,
    ) -> Chat:
        """Make a group of which the first member is the creator; the bot is in it unless its standing says no."""
        number = self._world.next_id()
        names = list(topics)
        chat = Chat(
            id=-number if kind == ChatKind.GROUP else _MARKED - number,
            kind=ChatKind(kind),
            title=title,
            username=username,
            is_forum=is_forum or bool(names),
            members={str(user.id): Standing.MEMBER for user in members},
            bot_reads_all=self._world.rules.reads_all,
            last_message_id=_FIRST,
        )
        chat.members |= dict.fromkeys(list(chat.members)[:1], Standing.CREATOR)
        chat.members[str(self._world.bot.id)] = Standing(bot)
        return self._with_topics(self._world.keep_chat(chat), names)

    def between(self, one: User, other: User) -> Chat:
        """Open two people's own chat, where the bot can only be a guest."""
        return self._world.keep_chat(
            Chat(
                id=self._world.next_id(),
                told_id=other.id,
                kind=ChatKind.PRIVATE,
                members={str(user.id): Standing.MEMBER for user in (one, other)},
            )
        )

    def channel(self, title: str, *, username: str = "") -> Chat:
        """Make a channel that the bot is not in."""
        number = _MARKED - self._world.next_id()
        return self._world.keep_chat(Chat(id=number, kind=ChatKind.CHANNEL, title=title, username=username))

    def topic(self, chat: Chat, name: str) -> int:
        """Open a topic; its id is that of the message which says so."""
        opened = {"forum_topic_created": {"name": name, "icon_color": 7_322_096}}
        creator = next(iter(chat.members))
        message = self._world.post(chat, sender_id=int(creator), is_service=True, is_topic=True, extra=opened)
        self._world.change(message, thread_id=message.message_id)
        chat.topics[str(message.message_id)] = name
        self._world.keep_chat(chat)
        return message.message_id

    def close_topic(self, chat: Chat, thread_id: int) -> None:
        """Close a topic: nobody but those in charge writes there any more."""
        chat.closed_topics.append(thread_id)
        self._world.keep_chat(chat)

    def block(self, user: User) -> Update | None:
        """Let a user block the bot."""
        return self.move(self._world.chats[user.id], self._world.bot, Standing.KICKED, by=user)

    def unblock(self, user: User) -> Update | None:
        """Let a user take the bot back."""
        return self.move(self._world.chats[user.id], self._world.bot, Standing.MEMBER, by=user)

    def move(self, chat: Chat, who: User, standing: Standing | str, *, by: User) -> Update | None:
        """Change how somebody stands in a chat: let in, promoted, thrown out."""
        before = member_wire(self._world, chat, who.id)
        was_in = chat.has(who.id)
        chat.members[str(who.id)] = Standing(standing)
        is_bot = who.id == self._world.bot.id
        if is_bot and not was_in:
            # What counts is privacy mode at this moment: hence the advice to remove the bot and add it again.
            chat.bot_reads_all = self._world.rules.reads_all
        self._world.keep_chat(chat)
        told = self._tell_standing(chat, who, by, before) if is_bot else None
        if chat.kind != ChatKind.PRIVATE and was_in != chat.has(who.id):
            self._say_movement(chat, who, by, came=not was_in)
        return told

    def migrate(self, chat: Chat) -> Chat:
        """Turn a basic group into a supergroup, with another id and another numbering of messages."""
        new = Chat(
            id=_MARKED - self._world.next_id(),
            kind=ChatKind.SUPERGROUP,
            title=chat.title,
            members=dict(chat.members),
            bot_reads_all=chat.bot_reads_all,
            last_bot=chat.last_bot,
            last_message_id=_FIRST,
        )
        self._world.keep_chat(new)
        self._announce(chat, {"migrate_to_chat_id": new.id})
        self._announce(new, {"migrate_from_chat_id": chat.id})
        chat.migrated_to = new.id
        self._world.keep_chat(chat)
        return new

    def _with_topics(self, chat: Chat, names: Iterable[str]) -> Chat:
        for name in names:
            self.topic(chat, name)
        return chat

    def _announce(self, chat: Chat, extra: dict[str, Any]) -> Message:
        """Let the platform say something in a chat, and tell the bot if it is there."""
        creator = int(next(iter(chat.members)))
        message = self._world.post(chat, sender_id=creator, is_service=True, extra=extra)
        self.tell_message("message", message)
        return message

    def tell_message(self, kind: str, message: Message, **more: Any) -> Update | None:
        """Tell the bot of a message."""
        from_wire = message_wire(self._world, message)
        return self._mailbox.tell(kind, from_wire | more, lane=str(message.chat_id), about=message.key)

    def _tell_standing(self, chat: Chat, who: User, by: User, before: dict[str, Any]) -> Update | None:
        payload = {
            "chat": chat_wire(self._world, chat),
            "from": user_wire(by),
            "date": int(self._world.clock.now()),
            "old_chat_member": before,
            "new_chat_member": member_wire(self._world, chat, who.id),
        }
        return self._mailbox.tell(_NEWS_OF_BOT, payload, lane=str(chat.id), about=f"{chat.id}")

    def _say_movement(self, chat: Chat, who: User, by: User, *, came: bool) -> None:
        extra = {"new_chat_members": [user_wire(who)]} if came else {"left_chat_member": user_wire(who)}
        message = self._world.post(chat, sender_id=by.id, is_service=True, extra=extra)
        # A bot that was thrown out is told by my_chat_member alone.
        if chat.has(self._world.bot.id):
            self.tell_message("message", message)
