"""Whether a message speaks to the assistant, what it asks for, and what is left of it to answer. Pure.

A message is addressed when it is written in a direct chat, names the assistant (`@name`), replies to one of
the assistant's messages, or begins with one of its commands. A command counts where the words begin: at the
start of the text, or right behind a leading mention. Two rules keep other programs' traffic out:

* `/help@somebody` is ours only when `somebody` is one of our names, or the platform says it addresses us.
* Where the platform tells mentions (`Inbound.mentions_known`), its word is final: no name is read from the
  text, and a bare command in a group is left to the bots it may be meant for.

Everywhere else a known command at the very start is for the assistant; there is nobody else to take it.
"""

import re
from enum import StrEnum
from typing import Final, NamedTuple

from adapters.base import Addressed, ConversationKind, Inbound
from bot.ingress.names import Names
from bot.ingress.stop_words import is_stop
from bot.skills.remember_words import asks_plainly
from bot.turns.model import Skill


class Control(StrEnum):
    """What a message asks for that is carried out at once, without a turn."""

    #: `/stop`, or a word for it alone: cancel what runs and waits in the chat.
    STOP = "stop"
    #: `/forget me`, `/forget chat`: it waits for nothing.
    FORGET = "forget"


STOP: Final = Control.STOP


class Addressing(NamedTuple):
    """Whether a message is for the assistant, what it wants, and its text without the calling."""

    addressed: bool
    skill: Skill | Control
    prompt_text: str


#: Shared by all that is dropped.
NOT_ADDRESSED: Final = Addressing(addressed=False, skill=Skill.ANSWER, prompt_text="")

_NOT: Final = Addressed.NOT
_COMMANDS: dict[str, Skill | Control] = {
    "help": Skill.HELP,
    "reset": Skill.RESET,
    "privacy": Skill.PRIVACY,
    "export": Skill.EXPORT,
    "remember": Skill.REMEMBER,
    "memories": Skill.MEMORIES,
    "stop": STOP,
    "forget": Control.FORGET,
}
_COMMAND = re.compile(rf"/({'|'.join(_COMMANDS)})(@[^\s@]+)?[.!?]?(?:\s+|$)", re.IGNORECASE)
#: Space, and the invisible marks that keyboards and platforms leave around a mention.
_BLANK = " \t\r\n\v\f\u00a0\u3000\u200b\u200e\u200f\u2060\u2066\u2067\u2068\u2069\ufeff"
#: Punctuation that closes a call: `@name, ...`, `@name: ...`, `@name!`.
_CALL_END = r"[,:;!?.\u2026\u060c\u061b\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]*"
_BEHIND_LEADING = re.compile(rf"{_CALL_END}(?:[{_BLANK}]+[-\u2013\u2014](?=[{_BLANK}]))?[{_BLANK}]*")
_BEHIND_TRAILING = re.compile(rf"{_CALL_END}$")
#: What stands before a mention at the end when it is a call, and not the sentence's object ("ask @name").
_COMMAS = (",", "\u060c", "\u3001", "\uff0c")
_SENTENCE_ENDS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f")
#: Behind the name, these make it part of a sentence: a possessive, a closing quote, bracket or markup.
_PART_OF_SENTENCE = re.compile(r"['\u2019)\]}\"\u201d*_`~]")
_NOTHING_SAID = re.compile(rf"[{_BLANK}*_~`()\[\]{{}}<>\"',:;!.\u2026]*")
#: Calls taken off one message; more than a few are an attack or a joke.
_MAX_CALLS = 8
#: Nobody calls at greater length, in characters, without saying something.
_LONGEST_BARE_CALL = 500


def address(event: Inbound, names: Names) -> Addressing:
    """Decide on one message. Costs about a microsecond where a text cannot address anybody."""
    text = event.text
    told = event.addressed is not _NOT or event.conversation.kind is ConversationKind.DIRECT
    may_command = "/" in text[:64]
    if not told and (event.mentions_known or not (may_command or names.maybe_in(text))):
        return NOT_ADDRESSED
    whole = text.strip(_BLANK)
    said = _without_calls(whole, names)
    # Most mentions are calls: one that could be taken off was there, and the text needs no other search.
    if told or said != whole or names.named_in(text):
        return _read(event, whole, said, names)
    if may_command and _own_command(whole, event, names) is not None:
        return _read(event, whole, said, names)
    return NOT_ADDRESSED


def _read(event: Inbound, whole: str, said: str, names: Names) -> Addressing:
    command = _own_command(said, event, names)
    if command is not None:
        return Addressing(addressed=True, skill=command, prompt_text=said)
    if len(said) < _LONGEST_BARE_CALL and names.maybe_in(said) and is_stop(_without_mentions(said, names)):
        return Addressing(addressed=True, skill=STOP, prompt_text=said)
    if asks_plainly(said):
        return Addressing(addressed=True, skill=Skill.REMEMBER, prompt_text=said)
    if not _is_bare_call(whole, said, names):
        return Addressing(addressed=True, skill=Skill.ANSWER, prompt_text=said)
    return _bare(event, whole)


def _bare(event: Inbound, whole: str) -> Addressing:
    """Read a message that says nothing itself."""
    if whole and _quotes_somebody(event):
        # A bare mention in reply to somebody asks about what that person said.
        return Addressing(addressed=True, skill=Skill.ANSWER, prompt_text=whole)
    if event.attachments:
        # Nothing said, but something shown: it is no greeting.
        return Addressing(addressed=True, skill=Skill.ANSWER, prompt_text="")
    return Addressing(addressed=True, skill=Skill.GREET, prompt_text="")


def _is_bare_call(whole: str, said: str, names: Names) -> bool:
    if said == "":
        return True
    if len(whole) > _LONGEST_BARE_CALL or not names.maybe_in(said):
        # Without a mention left in it, what remains is what was said.
        return whole != said and len(said) <= _LONGEST_BARE_CALL and _NOTHING_SAID.fullmatch(said) is not None
    around = _without_mentions(whole, names)
    return around != whole and _NOTHING_SAID.fullmatch(around) is not None


def _without_mentions(text: str, names: Names) -> str:
    kept, end = [], 0
    for span in names.spans(text):
        kept.append(text[end : span.start])
        end = span.end
    return "".join([*kept, text[end:]])


def _quotes_somebody(event: Inbound) -> bool:
    return event.quoted is not None and not event.quoted.by_assistant and event.quoted.text.strip() != ""


def _own_command(text: str, event: Inbound, names: Names) -> Skill | Control | None:
    found = _COMMAND.match(text)
    if found is None:
        return STOP if is_stop(text) else None
    suffix = found[2]
    told_by_platform = event.mentions_known and bool(event.addressed & Addressed.MENTION)
    if suffix and not told_by_platform and not names.is_suffix(suffix.rstrip(".!?")):
        return None
    return _COMMANDS[found[1].lower()]


def _without_calls(said: str, names: Names) -> str:
    """Take the assistant's own name off both ends where it only calls; leave it where a sentence needs it."""
    for _ in range(_MAX_CALLS):
        shorter = _without_leading(said, names)
        if shorter is None:
            shorter = _without_trailing(said, names)
        if shorter is None:
            break
        said = shorter
    return said


def _without_leading(said: str, names: Names) -> str | None:
    span = names.at(said, 0)
    if span is None or _PART_OF_SENTENCE.match(said, span.end):
        return None
    found = _BEHIND_LEADING.match(said, span.end)
    return said[found.end() if found else span.end :]


def _without_trailing(said: str, names: Names) -> str | None:
    start = max(said.rfind("@"), said.rfind("\uff20"))
    span = names.at(said, start) if start > 0 else None
    if span is None or not _BEHIND_TRAILING.match(said, span.end):
        return None
    before = said[:start].rstrip(_BLANK)
    if before.endswith(_COMMAS):
        return before[:-1].rstrip(_BLANK) + said[span.end :]
    if before.endswith(_SENTENCE_ENDS) or "\n" in said[len(before) : start]:
        return before
    return None
