"""Tombstones: what is left of a forgotten event, so that it makes no second turn when it is delivered again."""

from datetime import datetime, timedelta
from typing import Protocol

#: For as long as platforms deliver an event again that they think was not taken (Meta's webhooks: up to 7 days).
HORIZON = timedelta(days=7)


class Digester(Protocol):
    """Names words so that nobody without the keys can tell which."""

    def digest(self, *words: str) -> str:
        """Return 64 hex digits."""
        ...


def tombstone(digester: Digester, adapter: str, account: str, event_key: str) -> str:
    """Name an event; guessing event keys leads nowhere without the deployment's keys."""
    return digester.digest("event", adapter, account, event_key)


def ends_at(accepted_at: datetime) -> datetime:
    """Tell until when an event may be delivered again."""
    return accepted_at + HORIZON
