"""Messages that come in several pieces: albums, and long texts that people's clients cut. Nothing else waits.

What came first waits a moment for its rest, in SQL. The rest in a group often addresses nobody: for that moment it is
known here to whom it belongs. This is one process's memory: where a platform hands the pieces to different gateways, a
piece that addresses nobody is lost, as any other message that addresses nobody.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from adapters.base import Capabilities, Inbound
from adapters.split import measure_in

#: Seconds for which a piece waits for the next.
WAIT_S: Final = 1.0
#: The share of a client's limit from which on a text may have been cut there: clients cut between words.
_NEARLY = 0.95
#: No client cuts shorter texts, in code points.
_NEVER_CUT = 256

#: What a conversation allows, as its adapter tells.
Allows = Callable[[str], Capabilities]


class Bursts:
    """Knows which messages have a rest, and for a moment whose message is one."""

    def __init__(
        self, capabilities: Mapping[str, Allows], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep how to ask each adapter where its people's clients cut."""
        self._capabilities = capabilities
        self._monotonic = monotonic
        #: Until when, and of which album, in the order in which they end.
        self._expected: dict[tuple[str, str, str, str], tuple[float, str | None]] = {}

    def hold_back_s(self, event: Inbound) -> float:
        """Tell for how long to wait for the rest of a message, and expect it from now on; 0 where it is whole."""
        if event.group_key is None and not self._is_cut(event):
            return 0.0
        now_s = self._monotonic()
        self._forget(now_s)
        key = _whose(event)
        self._expected.pop(key, None)
        self._expected[key] = now_s + WAIT_S, event.group_key
        return WAIT_S

    def refused(self, event: Inbound) -> None:
        """Expect nothing more of a message that was not taken: its rest belongs to no other one."""
        self._expected.pop(_whose(event), None)

    def is_rest(self, event: Inbound) -> bool:
        """Tell whether a message is the rest of one that its sender wrote a moment ago. Costs nothing mostly."""
        if not self._expected:
            return False
        self._forget(self._monotonic())
        expected = self._expected.get(_whose(event))
        return expected is not None and expected[1] == event.group_key

    def _is_cut(self, event: Inbound) -> bool:
        if len(event.text) < _NEVER_CUT or event.adapter not in self._capabilities:
            return False
        allowed = self._capabilities[event.adapter](event.conversation.ref)
        limit = allowed.client_splits_at
        return limit is not None and measure_in(allowed.text_unit)(event.text) >= _NEARLY * limit

    def _forget(self, now_s: float) -> None:
        while self._expected:
            first = next(iter(self._expected))
            if self._expected[first][0] > now_s:
                return
            del self._expected[first]


def _whose(event: Inbound) -> tuple[str, str, str, str]:
    return event.adapter, event.account, event.conversation.ref, event.sender.id
