"""Quotas: how many messages a person and a chat may send in an hour and in a day. Pure."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters.base import Inbound
from bot.turns.acceptance import Cap, Quotas
from bot.turns.limit_texts import limit_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One quota that a message draws on, in the window of time that it falls into."""

    #: A digest of whose it is and of its window: the same for every message that draws on it.
    subject: str
    cap: Cap
    #: `hour` or `day`
    window: str
    count: int
    ends_at: datetime


@dataclass(slots=True, kw_only=True)
class QuotaBook:
    """What is used up of every quota that a batch draws on, while it is planned."""

    quotas: Quotas
    now: datetime
    #: Uses by subject: those of before, and those of this batch.
    uses: dict[str, int] = field(default_factory=dict)
    #: What this batch adds, by subject.
    added: dict[str, int] = field(default_factory=dict)
    ends: dict[str, datetime] = field(default_factory=dict)

    def exceeded(self, inbound: Inbound) -> tuple[Cap, str] | None:
        """Name the quota that is used up, and say so; the one that lasts longest."""
        full = [each for each in self._drawn(inbound) if self.uses.get(each.subject, 0) >= each.count]
        if not full:
            return None
        last = max(full, key=lambda each: each.ends_at)
        wait_s = (last.ends_at - self.now).total_seconds()
        return last.cap, limit_text(last.cap, wait_s, count=last.count, window=last.window)

    def use(self, inbound: Inbound) -> None:
        """Count a message that was taken."""
        for quota in self._drawn(inbound):
            self.uses[quota.subject] = self.uses.get(quota.subject, 0) + 1
            self.added[quota.subject] = self.added.get(quota.subject, 0) + 1
            self.ends[quota.subject] = quota.ends_at

    def read(self, found: Mapping[str, int]) -> None:
        """Take over what was used before."""
        self.uses |= found

    def subjects(self, inbounds: Iterable[Inbound]) -> list[str]:
        """Name everything that these messages draw on."""
        return sorted({quota.subject for inbound in inbounds for quota in self._drawn(inbound)})

    def rows(self) -> list[dict[str, object]]:
        """Lay out what this batch adds, in the one order in which rows are locked."""
        return [
            {"subject": subject, "uses": self.added[subject], "ends_at": self.ends[subject]}
            for subject in sorted(self.added)
        ]

    def _drawn(self, inbound: Inbound) -> Iterator[Quota]:
        quotas, person, chat = self.quotas, inbound.sender.id, inbound.conversation.ref
        hour = self.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        for cap, whose, window, begins_at, count in (
            (Cap.PERSON_QUOTA, person, "hour", hour, quotas.person_hourly),
            (Cap.PERSON_QUOTA, person, "day", day, quotas.person_daily),
            (Cap.CHAT_QUOTA, chat, "hour", hour, quotas.chat_hourly),
            (Cap.CHAT_QUOTA, chat, "day", day, quotas.chat_daily),
        ):
            if count is not None:
                length = timedelta(hours=1) if window == "hour" else timedelta(days=1)
                named = [cap.value, inbound.adapter, inbound.account, whose, window, begins_at.isoformat()]
                yield Quota(
                    subject=hashlib.sha256(json.dumps(named).encode()).hexdigest(),
                    cap=cap,
                    window=window,
                    count=count,
                    ends_at=begins_at + length,
                )
