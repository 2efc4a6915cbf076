"""What the bot has not been told yet: updates in their order, until they are confirmed or expire."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from tests.adapters.telegram_bot.clock import VirtualClock
from tests.adapters.telegram_bot.rules import Rules
from tests.adapters.telegram_bot.seen import Document
from tests.adapters.telegram_bot.store import Store
from tests.platforms.news import News

_NO_OUTCOMES: Final[Mapping[str, str]] = MappingProxyType({})
#: Not told of unless they are asked for by name.
UNASKED = ("chat_member", "message_reaction", "message_reaction_count")


@dataclass(slots=True, kw_only=True)
class Update(Document):
    """One thing to tell the bot."""

    id: int
    kind: str
    #: Updates of one lane are delivered one after the other.
    lane: str
    #: The key of the message or query that it is about.
    about: str
    payload: dict[str, Any]
    made_at: float
    made_seq: int
    #: When it was confirmed: by the next offset, or by a webhook's 2xx.
    acked_at: float | None = None
    acked_seq: int | None = None
    #: What became of it, where the bot tells the record of that.
    outcome: str | None = None
    #: Status of every try of a webhook, 0 where no answer came.
    statuses: list[int] = field(default_factory=list)
    #: How often a poll was answered with it.
    polled: int = 0

    def to_wire(self) -> dict[str, Any]:
        """Write it as the Bot API does."""
        return {"update_id": self.id, self.kind: self.payload}


class Mailbox:
    """The updates of one bot."""

    def __init__(self, store: Store, rules: Rules, clock: VirtualClock, news: News) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._news = news
        self._updates = {update.id: update for update in map(Update.from_doc, store.read("update"))}
        self._pending = sorted(key for key, update in self._updates.items() if update.acked_at is None)
        # Real ones begin anywhere: a bot that takes the first for 1 is found out.
        self._last = max(self._updates, default=880_000_000)
        #: What is delivered; None is the default.
        self.allowed: list[str] | None = next((doc["allowed"] for doc in store.read("allowed")), None)

    def allow(self, kinds: Iterable[str]) -> None:
        """Tell of these kinds from now on; of none named, of the default."""
        self.allowed = list(kinds) or None
        self._store.put("allowed", "", {"allowed": self.allowed})

    def tell(self, kind: str, payload: dict[str, Any], *, lane: str, about: str) -> Update | None:
        """Make an update, unless its kind is not asked for."""
        if kind in UNASKED if self.allowed is None else kind not in self.allowed:
            return None
        self._last += 1
        update = Update(
            id=self._last,
            kind=kind,
            lane=lane,
            about=about,
            payload=payload,
            made_at=self._clock.now(),
            made_seq=self._store.seq + 1,
        )
        self._updates[update.id] = update
        self._pending.append(update.id)
        self._keep(update)
        return update

    def again(self, update: Update) -> None:
        """Take an update for unconfirmed, as happens when a confirmation is lost."""
        if update.id not in self._pending:
            self._pending = sorted([*self._pending, update.id])
        self._keep(update)

    def pending(self) -> list[Update]:
        """List what is to be told, oldest first; what is too old is forgotten."""
        oldest = self._clock.now() - self._rules.update_s
        self._pending = [key for key in self._pending if self._updates[key].made_at > oldest]
        return [self._updates[key] for key in self._pending]

    def told(self) -> list[Update]:
        """List every update there ever was."""
        return list(self._updates.values())

    def confirm(self, update: Update, outcome: str | None = None) -> None:
        """Forget an update: the bot has it."""
        if update.id in self._pending:
            self._pending.remove(update.id)
        if update.acked_at is None:
            update.acked_at, update.acked_seq = self._clock.now(), self._store.seq + 1
            update.outcome = outcome
            self._keep(update)

    def confirm_before(self, offset: int, outcomes: Mapping[str, str] = _NO_OUTCOMES) -> None:
        """Forget every update before an offset; a negative one leaves so many at the end."""
        keys = self._pending[:offset] if offset < 0 else [key for key in self._pending if key < offset]
        with self._store.together():
            for key in keys:
                self.confirm(self._updates[key], outcomes.get(self._updates[key].about))

    def tried(self, update: Update, status: int) -> None:
        """Keep what a webhook answered."""
        update.statuses.append(status)
        self._keep(update)

    def _keep(self, update: Update) -> None:
        self._store.put("update", str(update.id), update.to_doc())
        self._news.tell()
