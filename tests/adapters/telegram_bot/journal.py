"""What a bot asked of the fake Telegram, and what no correct bot would have asked."""

import time
from collections import deque
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from tests.adapters.telegram_bot.marks import Marks
from tests.adapters.telegram_bot.store import Store

_REMEMBERED = 50_000


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of the Bot API."""

    method: str
    params: dict[str, Any]
    chat_id: int | None = None
    #: When it came, by a clock that only runs forward.
    at_s: float = field(default_factory=time.monotonic)
    #: What was answered; 0 where nothing was.
    status: int = 0
    description: str = ""
    #: The fault it ran into.
    fault: str = ""
    marks: Marks = field(default_factory=Marks)


class Journal:
    """Calls of this run, and violations of every run on this record."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: deque[Call] = deque(maxlen=_REMEMBERED)
        self.violations: list[str] = [doc["why"] for doc in store.read("violation")]
        #: Polls that another poll has ended.
        self.conflicts = 0

    def blame(self, method: str, why: str) -> None:
        """Keep a violation; the test that let it happen is to fail."""
        line = f"{method}: {why}"
        self.violations.append(line)
        self._store.put("violation", str(len(self.violations)), {"why": line})

    def struck(self, call: Call) -> None:
        """Keep a fault that a call ran into."""
        body = asdict(call) | {"params": {}, "at": time.time()}
        self._store.put("fault", str(self._store.seq + 1), body)

    def made(self, *methods: str, chat_id: int | None = None) -> list[Call]:
        """List calls, of any method where none is named."""
        return [
            call
            for call in self.calls
            if call.method in (methods or (call.method,)) and chat_id in (None, call.chat_id)
        ]

    def gaps_s(self, chat_id: int, methods: Collection[str]) -> list[float]:
        """List the seconds between calls in a chat that were answered well."""
        times = [call.at_s for call in self.made(*methods, chat_id=chat_id) if call.status == 200]
        return [later - earlier for earlier, later in pairwise(times)]
