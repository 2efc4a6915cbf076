"""What becomes of an incoming message: ignored, remembered, accepted, refused with a reason, or a stop. Pure.

Only what addresses the assistant is looked at further; a refusal is for the person who asked, so nothing that
was not addressed is ever refused. What is accepted can always be stored: no lone surrogate and no NUL is left
in it.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.base import ConversationKind, Inbound
from bot.chat.consent import switches_on
from bot.ingress.addressing import Addressing, Control, address
from bot.ingress.names import Names
from bot.turns.model import Consent, NoticeKind, Skill
from bot.turns.notice_texts import NOTICES


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings that decide on incoming messages."""

    #: What people may call the assistant, after `@`.
    names: tuple[str, ...]
    #: The longest message taken, in code points (`turns.max_text_chars`); below it the prompt is shortened.
    max_text_chars: int = 200_000
    #: The names, prepared for searching.
    spelled: Names = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the names once, for all messages."""
        object.__setattr__(self, "spelled", Names(self.names))


@dataclass(frozen=True, slots=True)
class Ignore:
    """Not for the assistant: keep nothing."""


@dataclass(frozen=True, slots=True)
class Remember:
    """Not for the assistant, but in a chat that lets it see the last few messages: keep it for hours, not in SQL."""

    #: Safe to store.
    event: Inbound


@dataclass(frozen=True, slots=True)
class Accept:
    """Commit a turn. `event` is safe to store; `text` is what the person asks, without the calling."""

    skill: Skill
    event: Inbound
    text: str
    #: It belongs to a message of the same person and addresses nobody itself.
    is_rest: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """Commit a refused turn whose notice says why; `event` carries nothing of the refused text."""

    kind: NoticeKind
    text: str
    event: Inbound


@dataclass(frozen=True, slots=True)
class Stop:
    """Cancel what runs and waits in the chat."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget what `text` says; `event` carries nothing of what was said."""

    event: Inbound
    text: str


Decision = Ignore | Remember | Accept | Refuse | Stop | Forget

IGNORE: Final = Ignore()

#: No text holds these, and no database column or UTF-8 encoder takes all of them.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: Signs of bytes that were not text: controls (but for tab, line and form feeds, and the escape of pasted
#: terminal colours), what a decoder puts for what it cannot read, and code points that are no characters.
_NOISE = re.compile(
    "[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)
#: The share of such signs from which on a text is not one; a few undecodable letters leave it readable.
_NOISE_SHARE = 1 / 8


def decide(event: Inbound, rules: Rules, consent: Consent = Consent.MENTIONS) -> Decision:
    """Decide what becomes of a message in a chat that consents to so much. Does no I/O."""
    addressing = address(event, rules.spelled)
    if not addressing.addressed:
        return _remember(event, rules) if consent is Consent.RECENT else IGNORE
    if consent is Consent.OFF and not _counts_where_off(addressing, event):
        return IGNORE
    if (seen := _seen(event, consent)) is not event:
        event, addressing = seen, address(seen, rules.spelled)
    if len(event.text) > rules.max_text_chars:
        return Refuse(
            NoticeKind.TOO_LONG, _too_long(len(event.text), rules.max_text_chars), _without_text(event)
        )
    if is_garbage(event.text):
        return Refuse(NoticeKind.UNREADABLE, NOTICES[NoticeKind.UNREADABLE], _without_text(event))
    if isinstance(addressing.skill, Control):
        return _at_once(addressing.skill, event, addressing.prompt_text)
    return Accept(addressing.skill, _storable(event), addressing.prompt_text)


def _at_once(control: Control, event: Inbound, text: str) -> Decision:
    return Forget(_without_text(event), text) if control is Control.FORGET else Stop()


def as_rest(
    event: Inbound, decision: Decision, rules: Rules, consent: Consent = Consent.MENTIONS
) -> Decision:
    """Read a message again, now known as the rest of one that was accepted; a picture without words adds nothing."""
    match decision:
        case Ignore() | Remember():
            text = event.text.strip()
            if not text or len(text) > rules.max_text_chars or is_garbage(text):
                return IGNORE
            return Accept(Skill.ANSWER, _storable(_seen(event, consent)), text, is_rest=True)
        case Accept(skill=Skill.GREET):
            return IGNORE
        case _:
            return decision


def is_garbage(text: str) -> bool:
    """Tell bytes that were never text: any NUL or lone surrogate, or noise beyond every eighth place."""
    if text.isascii() and text.isprintable():
        return False
    if _UNSTORABLE.search(text):
        return True
    return len(_NOISE.findall(text)) > len(text) * _NOISE_SHARE


def _remember(event: Inbound, rules: Rules) -> Decision:
    text = event.text
    if not text.strip() or len(text) > rules.max_text_chars or is_garbage(text):
        return IGNORE
    return Remember(_storable(event))


def _counts_where_off(addressing: Addressing, event: Inbound) -> bool:
    """Tell the few wishes that count where the assistant is switched off: to switch it on, and what is one's right."""
    if addressing.skill is Skill.PRIVACY:
        return switches_on(addressing.prompt_text)
    if addressing.skill is Skill.EXPORT:
        return event.conversation.kind is ConversationKind.DIRECT
    return addressing.skill is Control.FORGET


def _seen(event: Inbound, consent: Consent) -> Inbound:
    """Blank the message that one replies to, unless the chat lets it be seen, or it is the assistant's or their own.

    In a direct chat there is nobody else. A name shows nothing: anybody may bear it.
    """
    quoted = event.quoted
    if quoted is None or quoted.by_assistant or consent is not Consent.MENTIONS:
        return event
    is_own = quoted.author_id != "" and quoted.author_id == event.sender.id
    if event.conversation.kind is ConversationKind.DIRECT or is_own or not (quoted.author or quoted.text):
        return event
    return replace(event, quoted=replace(quoted, author="", text="", author_id=""))


def _too_long(chars: int, most: int) -> str:
    return (
        f"That message is {chars:,} characters long, and I can take at most {most:,}."
        " Please send the part that matters most."
    )


def _without_text(event: Inbound) -> Inbound:
    return replace(_storable(event), text="", quoted=None)


def _storable(event: Inbound) -> Inbound:
    """Make what comes beside the text storable; a name or a quote is no reason to refuse."""
    sender, quoted = event.sender, event.quoted
    if _UNSTORABLE.search(sender.name):
        event = replace(event, sender=replace(sender, name=_UNSTORABLE.sub("\ufffd", sender.name)))
    if quoted is not None and (_UNSTORABLE.search(quoted.text) or _UNSTORABLE.search(quoted.author)):
        author, text = (_UNSTORABLE.sub("\ufffd", part) for part in (quoted.author, quoted.text))
        event = replace(event, quoted=replace(quoted, author=author, text=text))
    return event
