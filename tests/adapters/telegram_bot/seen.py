"""Who and what there is on a fake Telegram: people, chats, topics and messages, as documents.

Times are seconds since 1970 by the platform's own clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from tests.adapters.telegram_bot.autolinks import found_in
from tests.adapters.telegram_bot.utf16 import piece

Entity = dict[str, Any]
#: A link that mentions whose id it carries.
_BY_ID = "tg://user?id="


class ChatKind(StrEnum):
    """The `type` of a chat."""

    #: A bot and a user.
    PRIVATE = "private"
    #: A basic group: one numbering of messages with every private chat, and it can become a supergroup.
    GROUP = "group"
    #: A supergroup: a numbering of its own, topics where it is a forum.
    SUPERGROUP = "supergroup"
    #: A channel, here only as the sender of messages in a group.
    CHANNEL = "channel"


class Standing(StrEnum):
    """The `status` of a member of a chat."""

    #: Made the chat.
    CREATOR = "creator"
    #: May do more, and reads everything.
    ADMINISTRATOR = "administrator"
    #: Is in it.
    MEMBER = "member"
    #: Was never in it, or left.
    LEFT = "left"
    #: Was thrown out; in a private chat, the user blocked the bot.
    KICKED = "kicked"


class Document:
    """Something that is kept as JSON."""

    __slots__: tuple[str, ...] = ()

    def to_doc(self) -> dict[str, Any]:
        """Write it as JSON; what it holds is not copied."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_doc(cls, doc: dict[str, Any]) -> Self:
        """Read what was written."""
        return cls(**doc)


@dataclass(slots=True, kw_only=True)
class User(Document):
    """An account: a person or a bot."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = ""
    is_bot: bool = False


@dataclass(slots=True, kw_only=True)
class Chat(Document):
    """A place where messages stand."""

    id: int
    kind: str
    #: The id that a guest bot is told, where that is another: two people's chat has, for it, the id of one of them,
    #: which is the id of the bot's own chat with that person too.
    told_id: int | None = None
    title: str = ""
    username: str = ""
    is_forum: bool = False
    #: Standing by user id, of everybody who was ever in it.
    members: dict[str, str] = field(default_factory=dict)
    #: Name by thread id.
    topics: dict[str, str] = field(default_factory=dict)
    closed_topics: list[int] = field(default_factory=list)
    #: Whether the bot was let read everything when it came in: later changes of its privacy mode do not count.
    bot_reads_all: bool = False
    #: The last bot that wrote: commands without a name are its.
    last_bot: int | None = None
    #: The supergroup it became.
    migrated_to: int | None = None
    #: Last number of a message; None where the bot's common numbering is used.
    last_message_id: int = 0

    def standing(self, user: int) -> Standing:
        """Say how somebody stands to it."""
        return Standing(self.members.get(str(user), Standing.LEFT))

    def has(self, user: int) -> bool:
        """Say whether somebody is in it."""
        return self.standing(user) not in (Standing.LEFT, Standing.KICKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Document):
    """One text of a message, as it stood from a moment on."""

    #: The message's key.
    message: str
    seq: int
    at: float
    text: str
    entities: list[Entity] = field(default_factory=list)
    #: Addresses of the pictures and pages shown under it.
    preview: str | None = None
    #: Told by a caller's X-Seen headers for the record only, never acted upon.
    operation: str = ""
    purpose: str = ""


@dataclass(slots=True, kw_only=True)
class Message(Document):
    """A message as its readers see it."""

    chat_id: int
    message_id: int
    #: When it was first shown, in the platform's order.
    posted_seq: int
    date: float
    #: None for what a chat itself says.
    sender_id: int | None
    #: Set where a chat speaks: an anonymous administrator, a channel.
    sender_chat_id: int | None = None
    thread_id: int | None = None
    #: Whether the thread is a topic; otherwise it is a chain of replies.
    is_topic: bool = False
    text: str = ""
    entities: list[Entity] = field(default_factory=list)
    is_caption: bool = False
    #: Whether the platform says it: somebody came, a topic was opened, the group became a supergroup.
    is_service: bool = False
    buttons: list[list[dict[str, Any]]] = field(default_factory=list)
    #: The address whose preview is shown.
    preview: str | None = None
    reply_to: int | None = None
    #: Whether our bot wrote it.
    by_bot: bool = False
    #: Told by the caller for the record only: which message it answers, also where that one is gone, and whether it
    #: was posted as a possible duplicate.
    answers: int | None = None
    may_be_duplicate: bool = False
    #: Set where the bot reaches it by this id only: answers to inline and guest queries.
    inline_message_id: str | None = None
    edited_at: float | None = None
    deleted_at: float | None = None
    #: Every text it ever showed, oldest first.
    versions: list[Version] = field(default_factory=list)
    #: Emoji by user id.
    reactions: dict[str, str] = field(default_factory=dict)
    #: Further fields, as the Bot API writes them: media, service news, origin of what is forwarded.
    extra: dict[str, Any] = field(default_factory=dict)

    def to_doc(self) -> dict[str, Any]:
        """Write it as JSON, without the versions: they are documents of their own, as there may be many."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "versions"}

    @property
    def key(self) -> str:
        """The name of its document."""
        return f"{self.chat_id}/{self.message_id}"

    @property
    def edits(self) -> int:
        """How often it was changed."""
        return max(0, len(self.versions) - 1)

    @property
    def stands(self) -> bool:
        """Whether it can be seen."""
        return self.deleted_at is None

    @property
    def labels(self) -> list[str]:
        """What its buttons say."""
        return [button["text"] for row in self.buttons for button in row]

    @property
    def linked(self) -> list[Entity]:
        """Everything its readers see marked: what was passed, and what Telegram finds by itself."""
        automatic = found_in(self.text, self.entities)
        return sorted([*self.entities, *automatic], key=lambda entity: (entity["offset"], -entity["length"]))

    @property
    def mentions(self) -> list[str]:
        """Whom it mentions: names with their @, or ids."""
        return [name for entity in self.linked if (name := self._mentioned(entity))]

    @property
    def links(self) -> list[str]:
        """What a reader can press and be led to."""
        return [
            entity["url"] if entity["type"] == "text_link" else self.cut(entity)
            for entity in self.linked
            if entity["type"] in ("url", "text_link", "email")
        ]

    def _mentioned(self, entity: Entity) -> str:
        if entity["type"] == "text_mention":
            return str(entity["user"]["id"])
        if entity["type"] == "text_link" and entity["url"].startswith(_BY_ID):
            return str(entity["url"].removeprefix(_BY_ID))
        return self.cut(entity) if entity["type"] == "mention" else ""

    def marked(self, kind: str) -> Iterator[str]:
        """Read the pieces of a kind: what is bold, what is code."""
        return (self.cut(entity) for entity in self.linked if entity["type"] == kind)

    def cut(self, entity: Entity) -> str:
        """Read what an entity covers."""
        return piece(self.text, entity["offset"], entity["length"]) or ""


@dataclass(slots=True, kw_only=True)
class Fleeting(Document):
    """Something shown for a while: a draft of an answer, or that somebody is typing."""

    chat_id: int
    thread_id: int | None
    expires_at: float
    #: The draft's id; 0 for typing.
    draft_id: int = 0
    text: str = ""
    entities: list[Entity] = field(default_factory=list)
    #: What somebody is doing, where it is not a draft.
    action: str = ""
    can_stop: bool = False
    #: How many snapshots this draft has had.
    snapshots: int = 1


@dataclass(slots=True, kw_only=True)
class Query(Document):
    """Something a person asks that is answered once: a pressed button, an inline query, a guest's mention."""

    id: str
    kind: str
    at: float
    user_id: int
    expires_at: float
    chat_id: int | None = None
    message_id: int | None = None
    text: str = ""
    #: What the bot answered.
    answer: dict[str, Any] | None = None
    answered_at: float | None = None
