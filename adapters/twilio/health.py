"""How the adapter fares, by what its calls run into; an outage is logged once, and its end once."""

import logging

from adapters.base import AdapterState
from adapters.errors import AdapterError, AuthFailed, Unreachable
from adapters.twilio.refusals import Suspended

logger = logging.getLogger(__name__)

_WORDS = {
    AdapterState.TRANSIENT_DISCONNECT: "Twilio is out of reach",
    AdapterState.BAD_CREDENTIALS: "Twilio refuses our credentials: see twilio.account_sid, api_key and api_secret",
    AdapterState.BLOCKED: "Twilio has shut the account: its console says why",
}


class Health:
    """The adapter's state in this process."""

    def __init__(self) -> None:
        self.state = AdapterState.CONNECTED

    def answered(self) -> None:
        """Hear that a call was carried out."""
        self._become(AdapterState.CONNECTED)

    def failed(self, error: AdapterError) -> None:
        """Hear what a call ran into; a refusal of one message says nothing of the rest."""
        match error:
            case Suspended():
                self._become(AdapterState.BLOCKED)
            case AuthFailed():
                self._become(AdapterState.BAD_CREDENTIALS)
            case Unreachable():
                self._become(AdapterState.TRANSIENT_DISCONNECT)
            case _:
                pass

    def _become(self, state: AdapterState) -> None:
        if state is self.state:
            return
        self.state = state
        if state is AdapterState.CONNECTED:
            logger.info("Twilio answers again")
        else:
            logger.error("%s", _WORDS[state])
