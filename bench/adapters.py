"""How fast each platform's deliveries are read and decided on, and acknowledged: `python -m bench.adapters`.

`events_per_s_NAME` counts deliveries a second that one process takes from bytes through the adapter's own parser to the
core's decision, for each adapter found by its manifest that anybody delivers to; `events_per_s` is the slowest one's.
`webhook_p99_ms` is how long the 99th of a hundred webhooks waits for its answer at 200 a second (bench/webhooks.py).
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adapters.base import Conversation, ConversationKind, Edited, Inbound, Person
from adapters.records import Record
from adapters.registry import manifests
from adapters.telegram.identity import Me
from adapters.telegram.parse import parse as parse_telegram
from adapters.terminal import entries as terminal_entries
from adapters.terminal import frames as terminal_frames
from adapters.terminal import parse as terminal_parse
from adapters.twilio.form import Form
from adapters.twilio.parse import message_of
from adapters.twilio.status import delivery_of
from adapters.webchat import entries as webchat_entries
from adapters.webchat import frames as webchat_frames
from adapters.webchat import parse as webchat_parse
from adapters.webchat.rooms import RoomKind, RoomState
from adapters.webchat.texts import message_text
from bench import deliveries
from bench.report import Aim, Report, conclude
from bench.webhooks import measured_webhooks
from bot.ingress.policy import Accept, Rules, decide

_NOW: Final = datetime(2026, 9, 21, tzinfo=UTC)
_ME: Final = Me(id=deliveries.BOT_ID, username=deliveries.BOT_NAME, reads_all=True)
_GUEST: Final = terminal_parse.Guest(
    person=Person(id="ann", name="Ann"),
    room=Conversation(ref="g/family", kind=ConversationKind.GROUP, title="Family"),
)
#: Adapters that nobody delivers to, and why.
WITHOUT: Final[Mapping[str, str]] = {"loopback": "it lives in memory, and is handed objects"}


@dataclass(frozen=True, slots=True)
class Way:
    """How one platform's deliveries come in: as the platform writes them, and as its adapter reads them."""

    write: Callable[[int], bytes]
    read: Callable[[bytes], Iterator[Inbound]]
    #: Of so many deliveries in a row, how many the core accepts.
    accepted: tuple[int, int]


def _telegram(body: bytes) -> Iterator[Inbound]:
    for event in parse_telegram(json.loads(body), _ME, _NOW, body):
        if isinstance(event, Inbound):
            yield event
        elif isinstance(event, Edited):
            yield event.inbound


def _twilio(body: bytes) -> Iterator[Inbound]:
    fields = Form.of(body)
    if "MessageStatus" in fields:
        delivery_of(fields)
        return
    event = message_of(fields, received_at=_NOW)
    if event is not None:
        yield event


def _webchat(body: bytes) -> Iterator[Inbound]:
    ask = webchat_frames.read_ask(body.decode())
    entry = webchat_entries.Entry(
        pos=1,
        ref=ask.client_id(),
        kind=webchat_entries.EntryKind.SAID,
        at=_NOW,
        by="ann",
        name="Ann",
        text=message_text(ask.text("text", 500_000), 20_000),
        reply_to=ask.maybe_text("reply_to"),
    )
    entry.to_body()
    room = RoomState(
        id=ask.text("room"), kind=RoomKind.GROUP, title="Family", created_by="ann", created_at=_NOW
    )
    yield webchat_parse.inbound_of(room, entry, None)


def _terminal(body: bytes) -> Iterator[Inbound]:
    say = terminal_frames.from_wire(body)
    if not isinstance(say, terminal_frames.Say) or terminal_parse.why_not(say):
        return
    entry = terminal_entries.Entry(
        author=terminal_frames.Author.PERSON, person="ann", name="Ann", text=say.text, at=_NOW.isoformat()
    )
    stored = Record(position=1, key=say.id, body=entry.to_wire(), stored_at=_NOW)
    yield terminal_parse.inbound_of(_GUEST, stored, None)


WAYS: Final[Mapping[str, Way]] = {
    "telegram": Way(deliveries.telegram, _telegram, (2, 20)),
    "twilio": Way(deliveries.twilio, _twilio, (3, 4)),
    "webchat": Way(deliveries.webchat, _webchat, (1, 10)),
    "terminal": Way(deliveries.terminal, _terminal, (1, 10)),
}


def covered() -> tuple[str, ...]:
    """Name the adapters to measure. Raises `RuntimeError` for one that this bench does not know."""
    names = {manifest.name for manifest in manifests()}
    if unknown := sorted(names ^ (set(WAYS) | set(WITHOUT))):
        raise RuntimeError(f"say in bench/adapters.py how deliveries come to {', '.join(unknown)}")
    return tuple(sorted(names - set(WITHOUT)))


def rate(way: Way, events: int, rules: Rules) -> float:
    """Measure one round: deliveries a second. Raises `RuntimeError` where other than what should be is accepted."""
    bodies = [way.write(number) for number in range(events)]
    accepted, read = 0, way.read
    began_s = time.process_time()
    for body in bodies:
        for event in read(body):
            accepted += isinstance(decide(event, rules), Accept)
    took_s = time.process_time() - began_s
    share, of = way.accepted
    if accepted * of != events * share:
        raise RuntimeError(f"{accepted} of {events} deliveries were accepted, and not {share} of {of}")
    return events / took_s


def measured_rates(events: int, rounds: int) -> dict[str, float]:
    """Measure every adapter, in alternating rounds."""
    rules = Rules(names=("assistant",))
    names = covered()
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            rates[name].append(rate(WAYS[name], events, rules))
    figures = {f"events_per_s_{name}": statistics.median(found) for name, found in rates.items()}
    return {"events_per_s": min(figures.values()), **figures}


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.adapters", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000, help="deliveries a round and adapter")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--webhooks", type=int, default=4_000, help="webhooks in all")
    parser.add_argument("--per-s", type=float, default=200.0, help="webhooks a second")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    asked = parser.parse_args()
    events = asked.events - asked.events % deliveries.PERIOD
    rates = measured_rates(events, asked.rounds)
    waits = asyncio.run(measured_webhooks(asked.webhooks, asked.per_s))
    report = Report(
        name="adapters",
        figures={**rates, **waits},
        aims={"events_per_s": Aim(10_000), "webhook_p99_ms": Aim(50, at_most=True)},
        notes=(
            "one of ten Telegram updates speaks to the assistant; three of four Twilio forms are messages",
            "events a second of processor time, as one process has it that nothing else disturbs",
            "webhooks: real HTTP, signatures checked, SQLite committed before each answer, no workers beside it",
            "a wait counts from when the delivery was due, so that a busy gateway cannot hide its queue",
        ),
    )
    conclude(report, as_json=asked.json)


if __name__ == "__main__":
    main()
