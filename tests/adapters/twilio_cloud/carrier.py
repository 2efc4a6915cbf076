"""What becomes of a message after the API took it: the channel's rules, statuses, prices, and their callbacks."""

import asyncio
import random
import sqlite3
from dataclasses import dataclass
from typing import Final

from tests.adapters.twilio_cloud.account import Account, Template
from tests.adapters.twilio_cloud.callbacks import status_params
from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.shown import Channel
from tests.adapters.twilio_cloud.webhooks import Event, Webhooks
from tests.platforms.news import News

WINDOW_S: Final = 24 * 3600
#: US dollars; the order of magnitude is what counts.
_SMS_SEGMENT, _MMS, _WHATSAPP = -0.0079, -0.02, -0.005
_WAITING: Final = ("accepted", "queued", "sending")


@dataclass(slots=True, kw_only=True)
class Manner:
    """How messages go on and are told of; a test may change it."""

    #: Whether they go on by themselves; otherwise a test moves each.
    by_itself: bool = True
    #: Tell statuses in a drawn order instead of the true one.
    shuffled: bool = False
    #: How often each status is told.
    copies: int = 1
    #: Tell them before the call that sent the message is answered.
    before_answer: bool = False
    #: What a message outside the window becomes: users report `failed` and `undelivered` alike.
    window_closed_as: str = "failed"


@dataclass(slots=True, kw_only=True)
class Failing:
    """Messages that fail after they were taken."""

    error_code: int
    #: `failed` or `undelivered`.
    status: str = "failed"
    #: None is everybody.
    person: str | None = None
    #: How many it still meets; None is any number.
    times: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a person's phone does."""

    #: Whether WhatsApp tells that messages were read.
    reads: bool = True
    reachable: bool = True


class Carrier:
    """Moves messages on."""

    def __init__(self, account: Account, record: Record, webhooks: Webhooks, news: News, seed: int) -> None:
        self.manner = Manner()
        self.failing: list[Failing] = []
        #: By a person's address; whoever is not in it has the default ones.
        self.habits: dict[str, Habits] = {}
        self._account = account
        self._record = record
        self._webhooks = webhooks
        self._news = news
        self._chance = random.Random(f"{seed}/carrier")

    async def take(self, sid: str) -> None:
        """Let a message go its way."""
        if not self.manner.by_itself:
            return
        told = self._tell([self._move(sid, status, code) for status, code in self._fate(sid)])
        if told is not None and self.manner.before_answer:
            await told

    def move(self, sid: str, status: str, error_code: int | None = None) -> None:
        """Give a message a status, whatever it had, and tell of it."""
        self._tell([self._move(sid, status, error_code)])

    def expire(self) -> None:
        """Give up what has waited longer than it may."""
        waiting = self._record.rows(
            "SELECT sid FROM messages WHERE direction != 'inbound' AND status IN (?, ?, ?) "
            "AND created_at + validity_s <= ?",
            *_WAITING,
            self._record.clock.now(),
        )
        for (sid,) in waiting:
            self.move(sid, "failed", 30036)

    def window_open(self, sender: str, person: str) -> bool:
        """Tell whether a person wrote to a WhatsApp sender within the last 24 hours."""
        last = self._record.scalar(
            "SELECT max(created_at) FROM messages WHERE direction = 'inbound' AND sender = ? AND person = ?",
            sender,
            person,
        )
        return last is not None and self._record.clock.now() - last <= WINDOW_S

    def _fate(self, sid: str) -> list[tuple[str, int | None]]:
        row = self._row(sid)
        # A message of a Messaging Service begins as `accepted`; the first status is never told of.
        begun = [("queued", None)] if row["status"] == "accepted" else []
        if failing := self._strikes(row):
            return [*begun, ("sending", None), (failing.status, failing.error_code)]
        if row["channel"] == Channel.WHATSAPP:
            return begun + self._by_whatsapp(row)
        last = ("delivered", None) if self._habits(row).reachable else ("undelivered", 30003)
        return [*begun, ("sending", None), ("sent", None), last]

    def _by_whatsapp(self, row: sqlite3.Row) -> list[tuple[str, int | None]]:
        if (refusal := self._refusal(row)) is not None:
            return [
                ("sending", None),
                (self.manner.window_closed_as if refusal == 63016 else "failed", refusal),
            ]
        if not self._habits(row).reachable:
            return [("sending", None), ("sent", None), ("undelivered", 63024)]
        steps: list[tuple[str, int | None]] = [("sending", None), ("sent", None), ("delivered", None)]
        return [*steps, ("read", None)] if self._habits(row).reads else steps

    def _refusal(self, row: sqlite3.Row) -> int | None:
        template: Template | None = self._account.templates.get(row["content_sid"])
        if template is not None and "{{" in row["body"]:
            return 63028
        if self.window_open(row["sender"], row["person"]):
            return None
        # An approved template opens a closed window; its text sent as a body does not.
        return None if template is not None and template.approved else 63016

    def _strikes(self, row: sqlite3.Row) -> Failing | None:
        for failing in self.failing:
            if failing.times != 0 and failing.person in (None, row["person"]):
                if failing.times is not None:
                    failing.times -= 1
                return failing
        return None

    def _move(self, sid: str, status: str, error_code: int | None) -> list[Event]:
        row = self._row(sid)
        values: dict[str, float | None] = {}
        if status in ("sent", "delivered", "read") and row["sent_at"] is None:
            values["sent_at"] = self._record.clock.now()
        if status in ("sent", "delivered", "read"):
            values["price"] = _price(row, status)
        self._record.change(sid, status, error_code, **values)
        self._news.tell()
        url = row["callback"] or self._default_callback(row["sender"])
        if url is None:
            return []
        params = status_params(row, self._account.sid, status, error_code)
        return [
            Event(sid=sid, kind="status", what=status, url=url, params=params)
            for _ in range(self.manner.copies)
        ]

    def _tell(self, told: list[list[Event]]) -> "asyncio.Task[None] | None":
        events = [event for each in told for event in each]
        if self.manner.shuffled:
            self._chance.shuffle(events)
        return self._webhooks.tell(events) if events else None

    def _default_callback(self, sender: str) -> str | None:
        known = self._account.senders.get(sender)
        return known.status_callback if known else None

    def _habits(self, row: sqlite3.Row) -> Habits:
        return self.habits.get(row["person"], Habits())

    def _row(self, sid: str) -> sqlite3.Row:
        row = self._record.message(sid)
        assert row is not None, f"there is no message {sid}"
        return row


def _price(row: sqlite3.Row, status: str) -> float | None:
    if row["channel"] == Channel.WHATSAPP:
        return _WHATSAPP if status in ("delivered", "read") else None
    return _MMS if row["num_media"] else round(_SMS_SEGMENT * row["segments"], 5)
