"""The documented rates, for tests that want them kept: https://core.telegram.org/bots/faq (broadcasting).

"Avoid sending more than one message per second" in a chat, with short bursts let through; "not more than 20 messages
per minute" in a group; "about 30 messages per second" in all. That edits count as messages is reported, not documented;
how long a burst may be is neither, so that it is short here.
"""

from collections import defaultdict, deque

from tests.adapters.telegram_bot.clock import VirtualClock
from tests.adapters.telegram_bot.rules import Rules

COUNTED = ("sendMessage", "editMessageText", "editMessageReplyMarkup")
#: Calls within seconds.
_IN_CHAT, _IN_GROUP, _IN_ALL = (3, 3.0), (20, 60.0), (30, 1.0)


class Rates:
    """Counts what is sent, and says how long to wait where that is too much."""

    def __init__(self, rules: Rules, clock: VirtualClock) -> None:
        self._rules = rules
        self._clock = clock
        self._times: dict[str, deque[float]] = defaultdict(deque)

    def wait_s(self, method: str, chat_id: int | None) -> float:
        """Count a call; return how long it should have waited, 0 where it may be done."""
        if not self._rules.enforces_rates or method not in COUNTED or chat_id is None:
            return 0.0
        in_chat = _IN_GROUP if chat_id < 0 else _IN_CHAT
        limits = {"": _IN_ALL, str(chat_id): in_chat}
        wait_s = max(self._left_s(name, *limit) for name, limit in limits.items())
        if not wait_s:
            for name in limits:
                self._times[name].append(self._clock.now())
        return wait_s

    def _left_s(self, name: str, most: int, window_s: float) -> float:
        times, now = self._times[name], self._clock.now()
        while times and times[0] <= now - window_s:
            times.popleft()
        return times[0] + window_s - now if len(times) >= most else 0.0
