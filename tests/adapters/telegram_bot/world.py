"""Everything that stands on a fake Telegram, kept so that it survives the end of the process."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from tests.adapters.telegram_bot.clock import VirtualClock
from tests.adapters.telegram_bot.marks import Marks
from tests.adapters.telegram_bot.rules import Rules
from tests.adapters.telegram_bot.seen import Chat, ChatKind, Fleeting, Message, Query, User, Version
from tests.adapters.telegram_bot.store import Store

#: The accounts behind which Telegram hides chats that speak.
ANONYMOUS_ADMIN, CHANNEL_BOT, TELEGRAM = 1_087_968_824, 136_817_688, 777_000
_NUMBERED_TOGETHER = (ChatKind.PRIVATE, ChatKind.GROUP)


class World:
    """People, chats, messages and what is shown for a while."""

    def __init__(self, store: Store, rules: Rules, clock: VirtualClock) -> None:
        self.store = store
        self.rules = rules
        self.clock = clock
        self.users = {user.id: user for user in map(User.from_doc, store.read("user"))}
        self.chats = {chat.id: chat for chat in map(Chat.from_doc, store.read("chat"))}
        self.messages = {message.key: message for message in map(Message.from_doc, store.read("message"))}
        self.queries = {query.id: query for query in map(Query.from_doc, store.read("query"))}
        for version in map(Version.from_doc, store.read("version")):
            self.messages[version.message].versions.append(version)
        self.by_inline_id = {m.inline_message_id: m for m in self.messages.values() if m.inline_message_id}
        # What is shown for a while is not worth keeping: it would have vanished before the server is up again.
        self._fleeting: dict[str, Fleeting] = {}
        #: Those of the call that is being carried out.
        self.marks = Marks()
        self._common = max((m.message_id for m in self._numbered_together()), default=0)
        self._ids = count(max(10_000, *self._numbers()) + 1)
        self._meet()

    @property
    def bot(self) -> User:
        """The bot that is being tried."""
        return self.users[self.rules.bot_id]

    def next_id(self) -> int:
        """Draw an id for somebody or something new."""
        return next(self._ids)

    def keep_user(self, user: User) -> User:
        """Know an account."""
        self.users[user.id] = user
        self.store.put("user", str(user.id), user.to_doc())
        return user

    def keep_chat(self, chat: Chat) -> Chat:
        """Know a chat, as it is now."""
        self.chats[chat.id] = chat
        self.store.put("chat", str(chat.id), chat.to_doc())
        return chat

    def keep_query(self, query: Query) -> Query:
        """Know a query, as it is now."""
        self.queries[query.id] = query
        self.store.put("query", query.id, query.to_doc())
        return query

    def post(self, chat: Chat, **fields: Any) -> Message:
        """Show a message."""
        fields.setdefault("date", self.clock.now())
        if fields.get("by_bot"):
            fields |= {"answers": self.marks.answers, "may_be_duplicate": self.marks.may_be_duplicate}
        message = Message(
            chat_id=chat.id, message_id=self._number(chat), posted_seq=self.store.seq + 1, **fields
        )
        if message.sender_id is not None and self.users[message.sender_id].is_bot:
            chat.last_bot = message.sender_id
        if message.inline_message_id:
            self.by_inline_id[message.inline_message_id] = message
        self._keep_version(message)
        self.keep_chat(chat)
        return message

    def change(self, message: Message, **fields: Any) -> None:
        """Show a message otherwise; a new text becomes a version."""
        for name, value in fields.items():
            setattr(message, name, value)
        if "text" in fields:
            self._keep_version(message)
        else:
            self.keep_message(message)

    def keep_message(self, message: Message) -> None:
        """Know a message, as it is now."""
        self.messages[message.key] = message
        self.store.put("message", message.key, message.to_doc())

    def message(self, chat_id: int, message_id: int) -> Message | None:
        """Look a message up that can be seen."""
        message = self.messages.get(f"{chat_id}/{message_id}")
        return message if message and message.stands else None

    def in_chat(self, chat_id: int) -> Iterator[Message]:
        """Read a chat's messages, deleted ones too, in their order."""
        return (message for message in self.messages.values() if message.chat_id == chat_id)

    def show_for_a_while(self, what: Fleeting) -> None:
        """Show a draft or an activity until it expires."""
        key = f"{what.chat_id}/{what.thread_id}/{what.draft_id and 'draft'}"
        before = self._fleeting.get(key)
        if before and before.draft_id == what.draft_id and before.expires_at > self.clock.now():
            what.snapshots = before.snapshots + 1
        self._fleeting[key] = what
        self.store.put("fleeting", key, what.to_doc())

    def shown_for_a_while(self, chat_id: int) -> list[Fleeting]:
        """List the drafts and activities that a chat shows now."""
        now = self.clock.now()
        return [what for what in self._fleeting.values() if what.chat_id == chat_id and what.expires_at > now]

    def clear_fleeting(self, chat_id: int, thread_id: int | None) -> None:
        """Take away drafts and activities where a message has come."""
        for what in self.shown_for_a_while(chat_id):
            if what.thread_id == thread_id:
                what.expires_at = self.clock.now()

    def _keep_version(self, message: Message) -> None:
        version = Version(
            message=message.key,
            seq=self.store.seq + 1,
            at=self.clock.now(),
            text=message.text,
            entities=message.entities,
            preview=message.preview,
            operation=self.marks.operation,
            purpose=self.marks.purpose,
        )
        message.versions.append(version)
        self.store.put("version", f"{message.key}/{version.seq}", version.to_doc())
        self.keep_message(message)

    def _number(self, chat: Chat) -> int:
        if chat.kind in _NUMBERED_TOGETHER:
            self._common += 1
            return self._common
        chat.last_message_id += 1
        return chat.last_message_id

    def _numbers(self) -> Iterator[int]:
        """The numbers that ids were made of, so that none is drawn twice."""
        yield 0
        for key in (*self.users, *self.chats, *map(int, self.queries)):
            yield abs(key) % 10**9

    def _numbered_together(self) -> Iterator[Message]:
        kinds = {chat.id: chat.kind for chat in self.chats.values()}
        return (m for m in self.messages.values() if kinds.get(m.chat_id) in _NUMBERED_TOGETHER)

    def _meet(self) -> None:
        rules = self.rules
        bot = User(id=rules.bot_id, first_name=rules.name, username=rules.username, is_bot=True)
        anonymous = User(id=ANONYMOUS_ADMIN, first_name="Group", username="GroupAnonymousBot", is_bot=True)
        channel = User(id=CHANNEL_BOT, first_name="Channel", username="Channel_Bot", is_bot=True)
        for user in (bot, anonymous, channel, User(id=TELEGRAM, first_name="Telegram")):
            self.keep_user(user)
