"""The promises of a run, checked from what people saw; pure."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from adapters.base import Idempotency, Purpose
from adapters.doubt import LABEL
from tests.simulation.evidence import Evidence, StoredTurn
from tests.simulation.model import FINAL, MARK
from tests.simulation.schedule import Say
from tests.simulation.watching import PART, Change


class Promise(StrEnum):
    """Which promise of design.md, section 6, was broken."""

    #: An acknowledged mention ends in exactly one of: reply, honest notice, cancellation.
    ANSWERED = "G1"
    #: No second visible answer, but for what the platform's class cannot exclude.
    ONCE = "G2"
    #: Replies come in the order in which their mentions were accepted.
    ORDER = "G3"
    #: Who lost a lease starts nothing, and the stored final text is what stands.
    FENCE = "G4"
    #: One event makes one turn.
    ONE_TURN = "G6"
    #: A poison turn stops after three attempts.
    POISON = "G10"
    #: Nothing of the program ran into what it does not expect.
    EXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise, in words."""

    promise: Promise
    what: str

    def __str__(self) -> str:
        return f"{self.promise.value}: {self.what}"


@dataclass(slots=True, kw_only=True)
class Message:
    """A message that stands in the end."""

    first: Change
    last: Change
    may_be_duplicate: bool

    @property
    def text(self) -> str:
        return self.last.text or ""


def judge(evidence: Evidence) -> list[Violation]:
    """Name every broken promise; an empty list is a good run."""
    standing = _standing(evidence)
    checks = (_unexpected, _fence, _one_turn, _poison)
    found = [violation for check in checks for violation in check(evidence)]
    found += _answered(evidence, standing)
    found += _once(evidence, standing)
    found += _stands(evidence, standing)
    found += _regenerated(evidence)
    found += _order(evidence)
    return found


def _standing(evidence: Evidence) -> dict[str, Message]:
    """Return what people see in the end, by message."""
    messages: dict[str, Message] = {}
    for change in evidence.changes:
        if change.text is None:
            messages.pop(change.message, None)
        elif change.posted:
            messages[change.message] = Message(
                first=change, last=change, may_be_duplicate=change.may_be_duplicate
            )
        elif change.message in messages:
            messages[change.message].last = change
    return messages


def _unexpected(evidence: Evidence) -> Iterator[Violation]:
    for error in dict.fromkeys(evidence.errors):
        yield Violation(Promise.EXPECTED, error)
    if not evidence.is_quiet:
        open_turns = [turn.id for turn in evidence.turns if turn.state in ("waiting", "replied", "sending")]
        yield Violation(Promise.ANSWERED, f"not quiet after {evidence.ended_at_s:.0f} s, open: {open_turns}")


def _fence(evidence: Evidence) -> Iterator[Violation]:
    for trespass in dict.fromkeys(evidence.trespasses):
        yield Violation(Promise.FENCE, trespass)


def _one_turn(evidence: Evidence) -> Iterator[Violation]:
    turns_of: dict[int, set[str]] = defaultdict(set)
    for turn in evidence.turns:
        for mention in turn.mentions:
            turns_of[mention].add(turn.id)
    for mention, turn_ids in turns_of.items():
        if len(turn_ids) > 1:
            yield Violation(Promise.ONE_TURN, f"#m{mention} became {len(turn_ids)} turns")


def _poison(evidence: Evidence) -> Iterator[Violation]:
    # A failure that its holder could not write down, because of what was done to it meanwhile, does not count.
    most = 3 + sum(not isinstance(event, Say) for event in evidence.schedule.events)
    for mention, times in evidence.broke_off.items():
        if times > most:
            yield Violation(Promise.POISON, f"#m{mention} was tried {times} times")


def _answered(evidence: Evidence, standing: dict[str, Message]) -> Iterator[Violation]:
    turn_of = {mention: turn for turn in evidence.turns for mention in turn.mentions}
    for mention in evidence.mentions:
        if mention.acked_at_s is None:
            continue
        turn = turn_of.get(mention.number)
        if turn is None:
            yield Violation(Promise.ANSWERED, f"#m{mention.number} was acknowledged and is in no record")
            continue
        ends = _ends(turn, mention.number, standing)
        if len(ends) != 1:
            seen = " and ".join(ends) or "nothing"
            yield Violation(Promise.ANSWERED, f"#m{mention.number} ended in {seen} ({turn.state})")


def _ends(turn: StoredTurn, mention: int, standing: dict[str, Message]) -> list[str]:
    """Name what people see of a mention's end."""
    ends = []
    here = [message for message in standing.values() if message.first.conversation == turn.conversation]
    if _is_replied(mention, here, turn):
        ends.append("a reply")
    if turn.state == "cancelled" and turn.cancel_requested:
        ends.append("a cancellation")  # with a word about it or without
    elif _is_noticed(turn, here):
        ends.append("a notice")
    return ends


def _is_replied(mention: int, here: list[Message], turn: StoredTurn) -> bool:
    """Tell whether all parts of an answer to it stand; a stopped one says so."""
    parts: dict[int, set[int]] = defaultdict(set)
    for message in here:
        found = PART.match(message.last.op_id)
        if message.last.purpose is not Purpose.REPLY or found is None:
            continue
        if turn.cancel_requested and turn.state == "sent" and found[1] == turn.id:
            return True  # stopped, with what had been said by then
        for number, of, marks, _ in FINAL.findall(message.text):
            if str(mention) in MARK.findall(marks):
                parts[int(of)].add(int(number))
    return any(len(numbers) == of for of, numbers in parts.items())


def _is_noticed(turn: StoredTurn, here: list[Message]) -> bool:
    return any(
        message.last.purpose is Purpose.NOTICE and turn.notice in (message.last.op_id, message.first.op_id)
        for message in here
    )


def _once(evidence: Evidence, standing: dict[str, Message]) -> Iterator[Violation]:
    copies: dict[tuple[str, int], list[Message]] = defaultdict(list)
    for message in standing.values():
        found = PART.match(message.last.op_id)
        if found is not None and message.last.purpose is Purpose.REPLY:
            copies[found[1], int(found[2])].append(message)
    doubted = {(turn.id, part.number): part.resent_in_doubt for turn in evidence.turns for part in turn.parts}
    for (turn_id, number), messages in copies.items():
        extra = len(messages) - 1
        if extra and not _is_excused(evidence, messages, doubted.get((turn_id, number), 0)):
            what = f"part {number} of turn {turn_id[:16]} stands {len(messages)} times"
            yield Violation(Promise.ONCE, what)


def _is_excused(evidence: Evidence, messages: list[Message], doubted: int) -> bool:
    """Tell whether the platform's class, its doubts counted and labelled, allows what stands more than once."""
    op_id, extra = messages[0].last.op_id, len(messages) - 1
    match evidence.schedule.idempotency:
        case Idempotency.KEYED:
            return False
        case Idempotency.READ_BACK:
            return op_id in evidence.stopped_inside
    return extra <= doubted and extra <= sum(message.may_be_duplicate for message in messages)


def _stands(evidence: Evidence, standing: dict[str, Message]) -> Iterator[Violation]:
    """Compare what stands with what was stored."""
    for turn in evidence.turns:
        if turn.state != "sent":
            continue
        for part in turn.parts:
            message = standing.get(part.message or "")
            name = f"part {part.number} of turn {turn.id[:16]}"
            if part.message and message is None:
                yield Violation(Promise.FENCE, f"{name} is marked as sent and does not stand")
            elif message is not None and _essence(part.text) != _essence(message.text):
                shown = message.text.strip()[-60:]
                yield Violation(Promise.FENCE, f"{name} reads {shown!r}, not the stored text")


def _essence(text: str) -> list[str]:
    """Return what must be the same: whitespace and labels may differ."""
    return ["/".join(found) for found in FINAL.findall(text)] or text.replace(f"*{LABEL}*", "").split()


def _regenerated(evidence: Evidence) -> Iterator[Violation]:
    """Look for final texts of one turn that come from different generations."""
    takes: dict[str, set[str]] = defaultdict(set)
    for change in evidence.changes:
        found = PART.match(change.op_id)
        if found is not None and change.text is not None:
            takes[found[1]] |= {take for _, _, _, take in FINAL.findall(change.text)}
    for turn_id, different in takes.items():
        if len(different) > 1:
            yield Violation(Promise.ONCE, f"turn {turn_id[:16]} was answered with {len(different)} texts")


def _order(evidence: Evidence) -> Iterator[Violation]:
    """Look at pairs of mentions of which one was acknowledged before the other was said."""
    first_s: dict[int, float] = {}
    turn_of = {mention: turn.id for turn in evidence.turns for mention in turn.mentions}
    for change in evidence.changes:
        if PART.match(change.op_id) and change.text is not None and change.purpose is Purpose.REPLY:
            for _, _, marks, _ in FINAL.findall(change.text):
                for mark in MARK.findall(marks):
                    first_s.setdefault(int(mark), change.at_s)
    answered = [mention for mention in evidence.mentions if mention.number in first_s]
    for one, other in combinations(sorted(answered, key=lambda mention: mention.said_at_s), 2):
        if one.conversation != other.conversation or one.acked_at_s is None:
            continue
        if turn_of.get(one.number) == turn_of.get(other.number) or one.acked_at_s > other.said_at_s:
            continue
        if first_s[one.number] > first_s[other.number]:
            yield Violation(Promise.ORDER, f"#m{other.number} was answered before #m{one.number}")
