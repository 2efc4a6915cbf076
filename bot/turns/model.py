"""What a turn is: its states, what a worker needs to answer it, and what becomes of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from adapters.base import AttachmentKind, ConversationKind, SendsFrom


class TurnState(StrEnum):
    """Where a turn stands, by what must happen next."""

    #: Committed; a worker must produce the reply.
    WAITING = "waiting"
    #: The final text is stored and never regenerated; it must be sent.
    REPLIED = "replied"
    #: A send was started; whether it arrived may be unknown.
    SENDING = "sending"
    #: The platform has it.
    SENT = "sent"
    #: Not answered, and a notice says why.
    REFUSED = "refused"
    #: Given up after failed attempts, and a notice says so; an operator may requeue it.
    DEAD = "dead"
    #: A person stopped it.
    CANCELLED = "cancelled"


#: States in which a turn still needs somebody.
UNFINISHED = (TurnState.WAITING, TurnState.REPLIED, TurnState.SENDING)


class Skill(StrEnum):
    """What a turn asks for."""

    #: A reply from the model.
    ANSWER = "answer"
    #: `/help`
    HELP = "help"
    #: `/reset`
    RESET = "reset"
    #: `/privacy`: what is seen and kept here, and how to change it.
    PRIVACY = "privacy"
    #: `/export`
    EXPORT = "export"
    #: `/remember ...`, "remember that ...": something that every later prompt of the chat holds.
    REMEMBER = "remember"
    #: `/memories`: what that is, and deleting of it.
    MEMORIES = "memories"
    #: Addressed, but with nothing said.
    GREET = "greet"


class NoticeKind(StrEnum):
    """What a notice tells the person."""

    #: The message cannot be read: not text.
    UNREADABLE = "unreadable"
    #: The message is longer than any the assistant takes.
    TOO_LONG = "too_long"
    #: The chat or the deployment has too many waiting turns.
    BUSY = "busy"
    #: The turn's deadline passed before it could be answered.
    EXPIRED = "expired"
    #: Three attempts failed.
    FAILED = "failed"
    #: A person stopped it before there was anything to show.
    STOPPED = "stopped"
    #: What somebody wanted forgotten is, or why it is not.
    FORGOTTEN = "forgotten"
    #: What this is, what it sees and what it keeps, for a chat it was added to or somebody who joined one.
    INTRODUCED = "introduced"


#: Notices that refuse nothing: they say in the place of a reply what was done.
NOT_REFUSING = (NoticeKind.FORGOTTEN, NoticeKind.INTRODUCED)


class NoticeState(StrEnum):
    """Where a notice stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"


class Consent(StrEnum):
    """Which of a chat's messages the assistant may see."""

    #: Those that address it; nothing else is stored or seen, also not what they reply to, unless that is the
    #: assistant's or the asker's own.
    MENTIONS = "mentions"
    #: Those, and the messages of others that they reply to.
    QUOTED = "quoted"
    #: Those, and the last few others: kept for hours in Redis, until they become part of a turn.
    RECENT = "recent"
    #: None: it is switched off in this chat.
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat as SQL knows it: where it is, and where its memory begins."""

    id: str
    adapter: str
    account: str
    conversation: str
    kind: ConversationKind
    #: The wrapped data key that seals everything of this chat.
    key: bytes
    #: Counts every change of the remembered context; the cache in Redis carries the version it was built from.
    context_version: int
    #: Turns with a smaller `ord` are no longer in the context.
    context_from: int
    #: The chat's share of the schedule.
    weight: float = 1.0
    consent: Consent = Consent.MENTIONS
    #: With `RECENT`: how many unaddressed messages, and of how many hours.
    recent_messages: int = 0
    recent_hours: int = 0
    #: Only a group's admins may change what it consents to.
    consent_locked: bool = False
    #: When it was told that this is an AI, what it sees and what it keeps.
    met_at: datetime | None = None
    #: Counts the times that the engine's cache must not know this chat again.
    salt_epoch: int = 0
    #: Days for which its words are kept; None is as the deployment has it.
    retention_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a turn, opened."""

    message: str
    sender_id: str
    sender_name: str
    text: str
    sent_at: datetime
    quoted_author: str = ""
    quoted_text: str = ""
    quoted_by_assistant: bool = False
    #: It replies to somebody's message that is not seen in this chat.
    quote_hidden: bool = False
    #: What was attached, of which only that it was there is known.
    attached: tuple[AttachmentKind, ...] = ()
    #: Whether an admin of the chat wrote it, where the platform tells.
    by_admin: bool | None = None
    #: What prompts call the sender and the quoted author, told apart from others of such a name; empty where they
    #: were not looked at.
    called: str = ""
    quoted_called: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message of a reply: its operation id, and what is known of its sending."""

    number: int
    op_id: str
    text: str
    #: A send was started and its outcome never recorded.
    in_doubt: bool
    #: The platform's reference, once it is known to have arrived.
    message: str | None
    #: It was sent again in doubt (class C only): people were told so, and an edit must go on saying it.
    may_be_duplicate: bool = False
    #: When the send that is in doubt began.
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turn in a worker's hands: everything the claim read, under the token that claimed it."""

    id: str
    #: Position in its chat, in the order of acceptance.
    ord: int
    chat: Chat
    token: int
    state: TurnState
    skill: Skill
    sends_from: SendsFrom
    #: Failed attempts so far, this one not counted.
    attempts: int
    accepted_at: datetime
    deadline_at: datetime
    cancel_requested: bool
    said: tuple[Said, ...]
    #: The placeholder's message, where one was posted.
    placeholder: str | None
    #: The stored final text, once there is one.
    reply: str | None
    parts: tuple[Part, ...]
    #: The final text must be edited in once more: a stalled worker's late edit may stand.
    restate: bool
    #: Until then somebody else may be posting the placeholder.
    sign_until: datetime | None = None
    #: Behind this turn the chat had another one for a worker when this one was claimed.
    more: bool = False
    #: What was said before it to nobody in particular, where the chat lets the assistant see that; oldest first.
    recent: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a generation cost, for the record."""

    prompt_tokens: int
    cached_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """What a chat consents to from now on."""

    consent: Consent
    #: With `RECENT`: how many unaddressed messages, and of how many hours.
    recent_messages: int = 0
    recent_hours: int = 0
    #: Only a group's admins may change it.
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One thing that a chat asked to have remembered, opened."""

    #: The turn that asked for it: so no turn remembers twice.
    id: str
    #: What people call it by, in its chat; never given again.
    number: int
    #: One line; None where it is damaged and cannot be read any more.
    text: str | None
    #: Who asked, by the platform's id, and by name as it was then.
    sender_id: str
    sender_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChange:
    """What a chat remembers more, or no longer, from now on."""

    adds: Memory | None = None
    #: By `Memory.id`.
    drops: tuple[str, ...] = ()
    #: All of it behind the change, as the chat's prompts hold it.
    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A finished reply, to be stored before any of it is sent."""

    #: Exactly what the engine emitted; it goes into the context byte for byte.
    text: str
    #: What people see: the text with any note of ours, split into the platform's messages.
    parts: tuple[str, ...]
    #: The user's message exactly as it stood in the prompt; None keeps the turn out of the context.
    prompt: str | None
    spent: Spent | None = None
    #: A person stopped it: the text is what was said so far.
    stopped: bool = False
    #: The chat's memory begins anew behind this turn.
    resets_context: bool = False
    #: Where the chat's memory begins from this turn on, where the prompt had to be cut.
    context_from: int | None = None
    #: With such a cut: the `ord` of the pending summary that the prompt held already; None where none was ready.
    takes_summary: int | None = None
    #: The prompt is nearly full: a summary is to be made before it must be cut.
    wants_summary: bool = False
    #: When the engine's first token came.
    first_token_at: datetime | None = None
    #: What the chat consents to from this turn on, where somebody changed it.
    consents: ConsentChange | None = None
    #: What the chat remembers more, or no longer, where somebody wished that.
    memories: MemoryChange | None = None
    #: It tells the chat, for the first time, that this is an AI, what it sees and what it keeps.
    introduces: bool = False
    #: The remembered messages (`Heard.message`) that became part of this turn: remembered apart no more.
    heard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What stands in a prompt for all turns of a chat up to an `ord`."""

    ord: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What stands in a chat's prompts before its exchanges; it changes at a cut, or on a person's wish."""

    #: What the chat asked to have remembered; empty where it asked for nothing.
    card: str = ""
    summary: Summary | None = None
    #: What takes the summary's place at the next cut; in no prompt before.
    next_summary: Summary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A past turn as the context holds it: the user's message and the reply, byte for byte."""

    ord: int
    prompt: str
    reply: str
    #: Tokens from the prompt's first to this reply's last, as the engine counted them; None where unknown.
    tokens: int | None = None
