"""Dead letters as lines for an operator: ids, instants and causes, never a name, a place or a text."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from bot.commands.durations import spoken
from bot.turns.dead_letters import DeadLetter, LetterDetails, TrailEntry

_HEAD = ("ID", "DIED", "ADAPTER", "REASON", "STATE", "TRIES", "REQUEUED", "CHAT")


def counted(number: int) -> str:
    """Say how many letters."""
    return "1 dead letter" if number == 1 else f"{number} dead letters"


def causes(letters: Sequence[DeadLetter]) -> str:
    """Say what they died of, the commonest first."""
    by_reason = Counter(letter.reason for letter in letters).most_common()
    return ", ".join(f"{number} {reason}" for reason, number in by_reason)


def table(letters: Sequence[DeadLetter], now: datetime) -> str:
    """Lay letters out in columns, one a line."""
    rows = [_HEAD, *(_row(letter, now) for letter in letters)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(letter: DeadLetter, now: datetime) -> tuple[str, ...]:
    return (
        letter.turn_id,
        f"{spoken(now - letter.died_at)} ago",
        letter.adapter,
        letter.reason,
        letter.state.value,
        str(letter.attempts),
        str(letter.requeues),
        letter.chat_id,
    )


def page(details: LetterDetails) -> str:
    """Lay out everything about one letter, its trail last."""
    letter, parts = details.letter, details.parts
    lines = (
        ("turn", letter.turn_id),
        ("chat", letter.chat_id),
        ("adapter", letter.adapter),
        ("accepted", _instant(letter.accepted_at)),
        ("messages", str(details.messages)),
        ("died", _instant(letter.died_at)),
        ("of", letter.error),
        ("in state", letter.state.value),
        ("tries", str(letter.attempts)),
        ("token", "none" if letter.token is None else str(letter.token)),
        ("reply", _reply(details) if parts.stored else "none was stored"),
        ("placeholder", "stands in the chat" if details.has_placeholder else "none"),
        ("notice", details.notice or "none"),
        ("requeued", _times(letter.requeues)),
        ("now", _now(details)),
    )
    trail = ["trail:", *(f"  {_step(entry)}" for entry in details.trail)]
    return "\n".join([*(f"{name:<11} {value}" for name, value in lines), *trail])


def _reply(details: LetterDetails) -> str:
    parts = details.parts
    doubt = f", {parts.in_doubt} in doubt" if parts.in_doubt else ""
    return f"stored, {parts.sent} of {parts.stored} messages sent{doubt}"


def _now(details: LetterDetails) -> str:
    if details.letter.discarded_at is not None:
        return f"{details.state_now.value}, discarded {_instant(details.letter.discarded_at)}"
    if details.letter.requeued_at is not None:
        return f"{details.state_now.value}, requeued {_instant(details.letter.requeued_at)}"
    return f"{details.state_now.value}, on the list"


def _step(entry: TrailEntry) -> str:
    said = [_instant(entry.first_at), str(entry.event), f"state {entry.state}"]
    if entry.token is not None:
        said.append(f"token {entry.token}")
    said.append(f"attempt {entry.attempts}" if entry.counted else "no attempt")
    if entry.times > 1:
        said.append(f"{_times(entry.times)}, last {_instant(entry.last_at)}")
    return " · ".join([*said, entry.error] if entry.error else said)


def _times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number} times")


def _instant(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S UTC")
