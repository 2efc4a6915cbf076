"""The story of one conversation: what was said in it and what its readers see, from the platform's record alone."""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from tests.chaos.words import Asked, Mark, asked, marks
from tests.platforms.seen import Mention, Message

#: How far apart, among what one person said, two mentions of a turn may have been acknowledged.
_JOIN_REACH = 2
#: Purposes as the adapter names them.
NOTICE, PLACEHOLDER = "notice", "placeholder"
#: What people are shown of a possible duplicate.
LABEL = "may be a duplicate"
#: What a notice says that does not deny an answer.
DOUBT = "cannot tell whether"
#: Outcomes a gateway names for a mention that belongs to the turn of another one, or may.
MAY_BE_JOINED = ("joined", "duplicate")


class Promise(StrEnum):
    """What a platform offers against duplicates."""

    KEYED = "A"
    READ_BACK = "B"
    NONE = "C"


class Shown:
    """A message, with its marks read once."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.marks = marks(message.text)

    @property
    def stands(self) -> bool:
        """Whether readers see it now."""
        return self.message.deleted_at is None

    @property
    def is_notice(self) -> bool:
        """Whether it says why there is no answer."""
        return self.message.purpose == NOTICE

    @property
    def denies(self) -> bool:
        """Whether it says that there is no answer."""
        return self.is_notice and DOUBT not in self.message.text

    @property
    def is_live(self) -> bool:
        """Whether it shows a reply on its way: a first sign, or a snapshot."""
        last = self.message.versions[-1]
        return last.purpose == PLACEHOLDER or last.operation.endswith("-live")

    @property
    def is_labelled(self) -> bool:
        """Whether it says that it may be a duplicate."""
        return self.message.may_be_duplicate and LABEL in self.message.text

    @cached_property
    def first_seen(self) -> dict[Mark, int]:
        """When each mark was first visible in it, in the platform's order."""
        seen: dict[Mark, int] = {}
        for version in self.message.versions:
            for mark in marks(version.text):
                seen.setdefault(mark, version.seq)
        return seen


@dataclass(slots=True)
class Said:
    """A mention, with what it asks read once."""

    mention: Mention
    asked: Asked

    @property
    def is_accepted(self) -> bool:
        """Whether a gateway acknowledged it."""
        return self.mention.acked_seq is not None


@dataclass(slots=True)
class Story:
    """One conversation; rows may come in any order and again, the newest of each counts."""

    platform: str
    promise: Promise
    conversation: str
    _mentions: dict[str, Said] = field(default_factory=dict)
    _messages: dict[str, Shown] = field(default_factory=dict)

    def add_mention(self, mention: Mention) -> None:
        """Take a mention's row."""
        wanted = asked(mention.text)
        if wanted:
            self._mentions[mention.id] = Said(mention, wanted[0])

    def add_message(self, message: Message) -> None:
        """Take a message's row."""
        self._messages[message.id] = Shown(message)

    def knows(self, mention: str) -> bool:
        """Whether a mention's row has come."""
        return mention in self._mentions

    @property
    def mentions(self) -> list[Said]:
        """Everything said, in the platform's order."""
        return sorted(self._mentions.values(), key=lambda said: said.mention.said_seq)

    @property
    def messages(self) -> list[Shown]:
        """Everything that was ever shown, in the order of appearance."""
        return sorted(self._messages.values(), key=lambda shown: shown.message.posted_seq)

    @property
    def standing(self) -> list[Shown]:
        """What readers see now."""
        return [shown for shown in self.messages if shown.stands]

    def holding(self) -> dict[Mark, list[Shown]]:
        """Tell which standing messages hold each mark."""
        held: dict[Mark, list[Shown]] = defaultdict(list)
        for shown in self.standing:
            for mark in set(shown.marks):
                held[mark].append(shown)
        return held

    def notices(self) -> dict[str, list[Shown]]:
        """Tell which standing messages are the same notice, by its operation."""
        same: dict[str, list[Shown]] = defaultdict(list)
        for shown in self.standing:
            if shown.is_notice:
                same[shown.message.versions[-1].operation].append(shown)
        return same

    def answered(self) -> set[str]:
        """Name the mentions of which the whole answer stands."""
        held = self.holding()
        return {said.mention.id for said in self.mentions if all(mark in held for mark in said.asked.marks())}

    def noticed(self) -> set[str]:
        """Name the mentions that a notice answers: its own, its turn's or its episode's."""
        own = {
            shown.message.reply_to for shown in self.standing if shown.is_notice and shown.message.reply_to
        }
        return self._with_their_turns(own) | self._in_refused_episodes(own)

    def denied(self) -> set[str]:
        """Name the mentions of which a notice says that there is no answer."""
        return {shown.message.reply_to for shown in self.standing if shown.denies and shown.message.reply_to}

    def settled(self) -> set[str]:
        """Name the mentions of which nothing more is due."""
        return self.answered() | self.noticed() | self.withdrawn()

    def withdrawn(self) -> set[str]:
        """Name the mentions that their senders took back."""
        return {said.mention.id for said in self.mentions if said.mention.withdrawn_at is not None}

    def unsettled(self) -> list[Said]:
        """List the mentions for which something is still due, or that a gateway may still acknowledge."""
        settled = self.settled()
        return [
            said for said in self.mentions if said.mention.id not in settled and not said.mention.given_up
        ]

    def _with_their_turns(self, own: set[str]) -> set[str]:
        """Add to noticed mentions the unanswered ones that may have joined their turns, or they theirs."""
        covered, answered = own & self._mentions.keys(), self.answered()
        for sender in {said.mention.sender for said in self.mentions}:
            line = sorted(
                (said.mention for said in self.mentions if said.mention.sender == sender),
                key=lambda mention: (mention.acked_seq or mention.said_seq, mention.said_seq),
            )
            for place, mention in enumerate(line):
                beside = line[max(0, place - _JOIN_REACH) : place + _JOIN_REACH + 1]
                if mention.id not in answered and any(_may_share(mention, other, own) for other in beside):
                    covered.add(mention.id)
                if mention.id in own:
                    covered |= _joined_to(line, place, answered)
        return covered

    def _in_refused_episodes(self, own: set[str]) -> set[str]:
        """Name the refused mentions behind a refused one that has its notice: one speaks for the episode."""
        refused = [said.mention.id for said in self.mentions if said.mention.outcome == "refused"]
        noticed = [number for number, mention in enumerate(refused) if mention in own]
        return set(refused[noticed[0] :]) if noticed else set()


def _joined_to(line: list[Mention], place: int, answered: set[str]) -> set[str]:
    """Name those of a person's unanswered mentions that make one turn with one of them: each joined the one before."""
    found: set[str] = set()
    for behind in range(place + 1, len(line)):
        if line[behind].outcome not in MAY_BE_JOINED or line[behind].id in answered:
            break
        found.add(line[behind].id)
    for ahead in range(place, 0, -1):
        if line[ahead].outcome not in MAY_BE_JOINED or line[ahead - 1].id in answered:
            break
        found.add(line[ahead - 1].id)
    return found


def _may_share(mention: Mention, other: Mention, noticed: set[str]) -> bool:
    """Tell whether another mention's notice may speak for this one: one of the two joined, or may have.

    So may one that has its notice though no gateway's answer to it ever arrived: nobody knows its outcome.
    """
    is_unknown = other.acked_seq is None
    return other.id in noticed and (
        is_unknown or mention.outcome in MAY_BE_JOINED or other.outcome in MAY_BE_JOINED
    )
