"""Playing what Telegram's users say: messages with everything that can be in them, edits, reactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from tests.adapters.telegram_bot.files import Files, Upload
from tests.adapters.telegram_bot.mailbox import Mailbox, Update
from tests.adapters.telegram_bot.people import People
from tests.adapters.telegram_bot.privacy import is_given
from tests.adapters.telegram_bot.seen import Chat, ChatKind, Entity, Message, Standing, User
from tests.adapters.telegram_bot.texts import TEXT_LIMIT
from tests.adapters.telegram_bot.utf16 import units
from tests.adapters.telegram_bot.wire import chat_wire, user_wire
from tests.adapters.telegram_bot.world import ANONYMOUS_ADMIN, CHANNEL_BOT, TELEGRAM, World

#: UTF-16 units that people's apps send under a file.
CAPTION_LIMIT: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What somebody says, and how."""

    text: str = ""
    #: Entities that the sender's app makes: code, bold, a link under other words. Mentions and the like are found.
    entities: Sequence[Entity] = ()
    #: People without a name who are mentioned: the words that stand for them, and who they are.
    mentions: Mapping[str, User] = field(default_factory=dict)
    #: With one, the text is its caption.
    upload: Upload | None = None
    #: What several messages have in common that are one album.
    album: str | None = None
    topic: int | None = None
    reply_to: Message | None = None
    #: The piece of the message replied to that the sender chose.
    quote: str | None = None
    #: A message of another chat that is replied to.
    external_reply: Message | None = None
    #: Who wrote what is forwarded: an account, a hidden name, a channel.
    forwarded_from: User | Chat | str | None = None
    #: The chat in whose name somebody speaks.
    as_chat: Chat | None = None
    #: How long ago it was said.
    ago_s: float = 0.0
    #: Further fields of the message, as the Bot API writes them.
    extra: Mapping[str, Any] = field(default_factory=dict)


class Talk:
    """Lets people say things, and tells the bot what it is given."""

    def __init__(self, world: World, mailbox: Mailbox, people: People, files: Files) -> None:
        self._world = world
        self._mailbox = mailbox
        self._people = people
        self._files = files
        self._albums = count(13_000_000_000)

    def say(self, chat: Chat, user: User | None, text: str = "", **how: Any) -> Message:
        """Let somebody say something; without anybody, `as_chat` speaks. `how` is the fields of Words."""
        with self._world.store.together():
            return self._say(chat, user, Words(text=text, **how))

    def _say(self, chat: Chat, user: User | None, words: Words) -> Message:
        if units(words.text) > (CAPTION_LIMIT if words.upload else TEXT_LIMIT):
            raise ValueError("no app sends so much in one message: see paste")
        extra = dict(words.extra) | self._origin(words) | self._answering(words)
        extra |= self._files.add(words.upload) if words.upload else {}
        if words.album:
            extra["media_group_id"] = words.album
        message = self._world.post(
            chat,
            text=words.text,
            entities=[*words.entities, *_mentioned(words)],
            is_caption=words.upload is not None,
            date=self._world.clock.now() - words.ago_s,
            reply_to=words.reply_to.message_id if words.reply_to else None,
            extra=extra,
            **_sender(chat, user, words.as_chat),
            **self._thread(chat, words),
        )
        if words.as_chat is not None and words.as_chat.kind == ChatKind.CHANNEL and user is None:
            message.extra |= self._automatic(words.as_chat, message)
        self._tell("message", message)
        return message

    def paste(self, chat: Chat, user: User, text: str, **how: Any) -> list[Message]:
        """Let somebody send a long text, which the app cuts into messages of the greatest length."""
        return [self.say(chat, user, each, **how) for each in _pieces(text)]

    def album(
        self, chat: Chat, user: User, uploads: Sequence[Upload], caption: str = "", **how: Any
    ) -> list[Message]:
        """Let somebody send several files as one; the caption stands at the first."""
        name = str(next(self._albums))
        return [
            self.say(chat, user, "" if index else caption, upload=upload, album=name, **how)
            for index, upload in enumerate(uploads)
        ]

    def edit(self, message: Message, text: str | None = None) -> None:
        """Let the author change a message; without a text, in a way that nobody sees."""
        now = self._world.clock.now()
        if text is None:
            self._world.change(message, edited_at=now)
        else:
            self._world.change(message, edited_at=now, text=text)
        self._tell("edited_message", message)

    def unsay(self, message: Message) -> None:
        """Let the author delete a message; bots are never told of that."""
        self._world.change(message, deleted_at=self._world.clock.now())

    def react(self, message: Message, user: User, emoji: str | None) -> Update | None:
        """Let somebody react to a message; told only to a bot that is an administrator."""
        before = message.reactions.get(str(user.id))
        kept = {who: what for who, what in message.reactions.items() if who != str(user.id)}
        self._world.change(message, reactions=kept | ({str(user.id): emoji} if emoji else {}))
        chat = self._world.chats[message.chat_id]
        if chat.kind != ChatKind.PRIVATE and chat.standing(self._world.bot.id) is not Standing.ADMINISTRATOR:
            return None
        payload = {
            "chat": chat_wire(self._world, chat),
            "message_id": message.message_id,
            "user": user_wire(user),
            "date": int(self._world.clock.now()),
            "old_reaction": [{"type": "emoji", "emoji": before}] if before else [],
            "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
        }
        return self._mailbox.tell("message_reaction", payload, lane=str(chat.id), about=message.key)

    def _tell(self, kind: str, message: Message) -> None:
        self._world.keep_message(message)
        if is_given(self._world, message):
            self._people.tell_message(kind, message)

    def _thread(self, chat: Chat, words: Words) -> dict[str, Any]:
        if words.topic is not None:
            return {"thread_id": words.topic, "is_topic": True}
        replied = words.reply_to
        if replied is None or chat.kind != ChatKind.SUPERGROUP:
            return {}
        if replied.is_topic:
            return {"thread_id": replied.thread_id, "is_topic": True}
        # A chain of replies has a thread of its own, which is no topic and can be named in no call.
        return {"thread_id": replied.thread_id or replied.message_id}

    def _answering(self, words: Words) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if words.quote is not None and (quoted := words.reply_to or words.external_reply):
            position = units(quoted.text.partition(words.quote)[0])
            fields["quote"] = {"text": words.quote, "position": position, "is_manual": True}
        if (other := words.external_reply) is not None:
            chat = self._world.chats[other.chat_id]
            reply: dict[str, Any] = {
                "origin": self._from(self._world.users[other.sender_id or TELEGRAM], other.date)
            }
            if chat.kind == ChatKind.SUPERGROUP:
                reply |= {"chat": chat_wire(self._world, chat), "message_id": other.message_id}
            fields["external_reply"] = reply
        return fields

    def _origin(self, words: Words) -> dict[str, Any]:
        who = words.forwarded_from
        return {} if who is None else {"forward_origin": self._from(who, self._world.clock.now() - 3600)}

    def _from(self, who: User | Chat | str, at: float) -> dict[str, Any]:
        date = int(at)
        if isinstance(who, str):
            return {"type": "hidden_user", "date": date, "sender_user_name": who}
        if isinstance(who, User):
            return {"type": "user", "date": date, "sender_user": user_wire(who)}
        chat = chat_wire(self._world, who)
        if who.kind == ChatKind.CHANNEL:
            return {"type": "channel", "date": date, "chat": chat, "message_id": 1}
        return {"type": "chat", "date": date, "sender_chat": chat}

    def _automatic(self, channel: Chat, message: Message) -> dict[str, Any]:
        return {"is_automatic_forward": True, "forward_origin": self._from(channel, message.date)}


def _sender(chat: Chat, user: User | None, as_chat: Chat | None) -> dict[str, Any]:
    """Chats that speak are hidden behind accounts of Telegram's own."""
    if as_chat is None:
        assert user is not None, "somebody has to say it"
        return {"sender_id": user.id}
    if as_chat.id == chat.id:
        return {"sender_id": ANONYMOUS_ADMIN, "sender_chat_id": chat.id}
    # A post of the linked channel comes by itself; a person may speak as a channel of theirs.
    return {"sender_id": TELEGRAM if user is None else CHANNEL_BOT, "sender_chat_id": as_chat.id}


def _mentioned(words: Words) -> list[Entity]:
    """Mark where people are mentioned who have no name to be found by."""
    return [
        {
            "type": "text_mention",
            "offset": units(words.text.partition(shown)[0]),
            "length": units(shown),
            "user": user_wire(user),
        }
        for shown, user in words.mentions.items()
    ]


def _pieces(text: str) -> list[str]:
    pieces, begun, size = [], 0, 0
    for at, character in enumerate(text):
        size += units(character)
        if size > TEXT_LIMIT:
            pieces.append(text[begun:at])
            begun, size = at, units(character)
    return [*pieces, text[begun:]]
