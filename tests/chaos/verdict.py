"""The verdict on a run, from the platforms' own records alone: what was promised, and where it was broken. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from itertools import pairwise

from tests.chaos.story import Promise, Said, Shown, Story
from tests.chaos.words import Mark

#: How long after a thaw what the frozen process had begun may still arrive, in seconds.
_THAW_S = 5.0


class Breach(StrEnum):
    """How a promise can be broken."""

    #: Acknowledged, and neither answered nor noticed nor cancelled.
    LOST = "lost"
    #: A part of the answer stands, and nothing says why there is no more.
    UNFINISHED = "unfinished"
    #: Something of an answer stands twice.
    DUPLICATED = "duplicated"
    #: Answers, or the parts of one, came in another order than their mentions.
    INVERTED = "inverted"
    #: The answer stands, and a notice says that there is none.
    CONTRADICTED = "contradicted"
    #: A platform was asked for something that no correct client asks for.
    MISUSED = "misused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken promise."""

    breach: Breach
    platform: str
    conversation: str
    #: The mentions concerned, by number.
    numbers: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The figures of a verdict."""

    accepted: int = 0
    replied: int = 0
    notices: int = 0
    cancelled: int = 0
    #: Said, and never acknowledged by any gateway: the platform gave up.
    unaccepted: int = 0
    lost: int = 0
    duplicated: int = 0
    #: Second copies on a platform of class C, marked as such.
    ambiguous: int = 0
    #: Second copies on a platform of class B while a process was frozen inside the send.
    frozen: int = 0
    inversions: int = 0
    contradicted: int = 0
    #: Calls of a vendor's API that no correct client makes.
    misused: int = 0
    #: First signs that stand alone beside their turn's answer or notice.
    orphans: int = 0
    #: Answers in the right order in time, whose first signs stand in another one.
    misplaced: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Add up two parts of a run."""
        return Counts(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )

    def line(self) -> str:
        """Write the verdict."""
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run, or a part of one, came to."""

    counts: Counts = Counts()
    violations: tuple[Violation, ...] = ()

    def __add__(self, other: "Verdict") -> "Verdict":
        """Add up two parts of a run."""
        return Verdict(counts=self.counts + other.counts, violations=self.violations + other.violations)

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return not self.violations


def misuse(platform: str, wrong: Sequence[str]) -> Verdict:
    """Judge what a platform was asked for wrongly."""
    violations = tuple(
        Violation(breach=Breach.MISUSED, platform=platform, conversation="", numbers=(), why=why)
        for why in wrong
    )
    return Verdict(counts=Counts(misused=len(wrong)), violations=violations)


#: When a process stood still, by the wall clock: from, until.
Freeze = tuple[float, float]


def judge(story: Story, freezes: Sequence[Freeze] = ()) -> Verdict:
    """Judge one conversation in which nothing more is under way."""
    copies = [*_copies(story, freezes)]
    violations = [
        *_missing(story),
        *(violation for violation in copies if isinstance(violation, Violation)),
        *_inversions(story),
        *_contradictions(story),
    ]
    excused = [kind for kind in copies if not isinstance(kind, Violation)]
    answered, noticed, withdrawn = story.answered(), story.noticed(), story.withdrawn()
    accepted = [said.mention.id for said in story.mentions if said.is_accepted]

    def broken(*breaches: Breach) -> int:
        return sum(violation.breach in breaches for violation in violations)

    counts = Counts(
        accepted=len(accepted),
        replied=len(answered),
        notices=len(noticed - answered),
        cancelled=len(withdrawn - answered - noticed),
        unaccepted=len(story.mentions) - len(accepted),
        lost=broken(Breach.LOST, Breach.UNFINISHED),
        duplicated=broken(Breach.DUPLICATED),
        ambiguous=excused.count(Promise.NONE),
        frozen=excused.count(Promise.READ_BACK),
        inversions=broken(Breach.INVERTED),
        contradicted=broken(Breach.CONTRADICTED),
        orphans=len(_orphans(story)),
        misplaced=_misplaced(story),
    )
    return Verdict(counts=counts, violations=tuple(violations))


def _missing(story: Story) -> Iterator[Violation]:
    settled, held = story.settled(), story.holding()
    for said in story.mentions:
        if said.mention.id in settled or not said.is_accepted:
            continue
        seen = [mark for mark in said.asked.marks() if mark in held]
        if seen:
            total = len(said.asked.marks())
            yield _violation(story, Breach.UNFINISHED, f"{len(seen)} of {total} marks stand", said)
        else:
            yield _violation(story, Breach.LOST, "nothing stands and nothing was said about it", said)


def _copies(story: Story, freezes: Sequence[Freeze]) -> Iterator[Violation | Promise]:
    """Find messages that show again what another one shows; excused ones as the class that excuses them."""
    by_number = {said.asked.number: said for said in story.mentions}
    by_id = {said.mention.id: said for said in story.mentions}
    left_over = {shown.message.id for shown in _orphans(story)}
    told: set[str] = set()
    for mark, held_by in story.holding().items():
        standing = [shown for shown in held_by if shown.message.id not in left_over]
        yield from _excess(
            story, standing, by_number.get(mark.number), f"show {mark}", told=told, freezes=freezes
        )
    for standing in story.notices().values():
        said = by_id.get(standing[0].message.reply_to or "")
        yield from _excess(story, standing, said, "are the same notice", told=told, freezes=freezes)


def _excess(
    story: Story,
    standing: list[Shown],
    said: Said | None,
    what: str,
    *,
    told: set[str],
    freezes: Sequence[Freeze],
) -> Iterator[Violation | Promise]:
    """Judge all but the first of some messages that show the same; each message once."""
    is_labelled = sum(shown.is_labelled for shown in standing) >= len(standing) - 1
    for again in standing[1:]:
        if said is None or again.message.id in told:
            continue
        told.add(again.message.id)
        if story.promise is Promise.NONE and is_labelled:
            yield Promise.NONE
        elif story.promise is Promise.READ_BACK and _during(again, freezes):
            yield Promise.READ_BACK
        else:
            why = f"{standing[0].message.id} and {again.message.id} both {what}"
            yield _violation(story, Breach.DUPLICATED, why.replace("both are", "are"), said)


def _orphans(story: Story) -> list[Shown]:
    """List what stands of a reply on its way though its turn has ended otherwise: a sign, or a piece of text.

    One that shows a whole answer is none: it shows the answer.
    """
    held = story.holding()
    settled = story.settled()
    return [
        shown
        for shown in story.standing
        if shown.is_live
        and not _whole(shown, story)
        and all(len(held[mark]) > 1 for mark in shown.marks)
        and (shown.message.reply_to in settled or bool(shown.marks))
    ]


def _whole(shown: Shown, story: Story) -> bool:
    return any(set(said.asked.marks()) <= set(shown.marks) for said in story.mentions)


def _inversions(story: Story) -> Iterator[Violation]:
    seen = _first_seen(story)
    shown = [(said, seen[first]) for said in story.mentions if (first := said.asked.marks()[0]) in seen]
    for number, (later, later_at) in enumerate(shown):
        for earlier, earlier_at in shown[:number]:
            if _precedes(earlier, later) and earlier_at > later_at:
                why = f"the answer to m{earlier.asked.number} came behind that to m{later.asked.number}"
                yield _violation(story, Breach.INVERTED, why, earlier, later)
    for said, _ in shown:
        times = [seen[mark] for mark in said.asked.marks() if mark in seen]
        if times != sorted(times):
            yield _violation(story, Breach.INVERTED, "the parts of an answer came out of order", said)


def _precedes(earlier: Said, later: Said) -> bool:
    """Tell whether one was acknowledged before the other was said: only then is there an order to keep."""
    acked = earlier.mention.acked_seq
    return acked is not None and acked < later.mention.said_seq


def _first_seen(story: Story) -> dict[Mark, int]:
    seen: dict[Mark, int] = {}
    for shown in story.messages:
        for mark, seq in shown.first_seen.items():
            seen[mark] = min(seen.get(mark, seq), seq)
    return seen


def _misplaced(story: Story) -> int:
    """Count neighbours whose answers stand in another order than they were asked, though they came in that order."""
    places = {
        mark.number: shown.message.posted_seq
        for shown in reversed(story.standing)
        for mark in shown.marks
        if mark.index == 0
    }
    answered = [said for said in story.mentions if said.asked.number in places]
    return sum(
        _precedes(earlier, later) and places[earlier.asked.number] > places[later.asked.number]
        for earlier, later in pairwise(answered)
    )


def _contradictions(story: Story) -> Iterator[Violation]:
    both = story.answered() & story.denied()
    for said in story.mentions:
        if said.mention.id in both:
            yield _violation(story, Breach.CONTRADICTED, "answered, and a notice says it was not", said)


def _during(shown: Shown, freezes: Iterable[Freeze]) -> bool:
    at = shown.message.posted_at
    return any(began <= at <= ended + _THAW_S for began, ended in freezes)


def _violation(story: Story, breach: Breach, why: str, *concerned: Said) -> Violation:
    return Violation(
        breach=breach,
        platform=story.platform,
        conversation=story.conversation,
        numbers=tuple(said.asked.number for said in concerned),
        why=why,
    )
