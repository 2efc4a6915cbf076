"""The core's place under the adapter contract: keeps what it is handed, and fails when told to."""

from typing import Any

from adapters.base import Outcome, Receipt
from bot.errors import StoreUnavailable


class HeardSink:
    """A `Sink` that tells a duplicate by its event key, as the core does."""

    def __init__(self) -> None:
        #: What people wrote.
        self.events: list[Any] = []
        #: Everything else.
        self.heard: list[Any] = []
        self.fails = False

    async def accept(self, event: Any) -> Receipt:
        self._require_up()
        is_new = event.event_key not in {seen.event_key for seen in self.events}
        self.events.append(event)
        return Receipt(outcome=Outcome.ACCEPTED if is_new else Outcome.DUPLICATE, turn_id="t")

    async def _other(self, event: Any) -> Receipt:
        self._require_up()
        self.heard.append(event)
        return Receipt(outcome=Outcome.DONE)

    stop = edited = withdrawn = pressed = moved = membership = delivered = _other

    def of(self, kind: type) -> list[Any]:
        """List what was heard of one kind."""
        return [event for event in self.heard if isinstance(event, kind)]

    def _require_up(self) -> None:
        if self.fails:
            raise StoreUnavailable("no commit")
