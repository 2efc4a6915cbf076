"""How the connection to Telegram fares, as the calls find it; an outage is logged once, and its end once."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.base import AdapterState
from adapters.errors import Ambiguous, AuthFailed, Unreachable
from adapters.telegram.refusals import Conflicted

logger = logging.getLogger(__name__)

_REMEDIES = {
    AdapterState.BAD_CREDENTIALS: "Telegram refuses the bot's token: put the one from @BotFather into telegram.token",
    AdapterState.BLOCKED: (
        "another process takes this bot's updates: stop it, or give each deployment a bot of its own"
    ),
    AdapterState.TRANSIENT_DISCONNECT: "Telegram cannot be reached",
}


class Standing:
    """The adapter's state in this process."""

    def __init__(self) -> None:
        self.state = AdapterState.CONNECTING

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Learn from one call how things stand."""
        try:
            yield
        except AuthFailed:
            self._set(AdapterState.BAD_CREDENTIALS)
            raise
        except Conflicted:
            self._set(AdapterState.BLOCKED)
            raise
        except (Unreachable, Ambiguous):
            self._set(AdapterState.TRANSIENT_DISCONNECT)
            raise
        else:
            self._set(AdapterState.CONNECTED)

    def _set(self, state: AdapterState) -> None:
        before, self.state = self.state, state
        if state is before:
            return
        if state is AdapterState.CONNECTED:
            if before is not AdapterState.CONNECTING:
                logger.info("Telegram answers again")
        else:
            logger.warning("%s", _REMEDIES[state])
