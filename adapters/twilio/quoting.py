"""What somebody replied to: WhatsApp tells the message's SID alone, so that its words are read at Twilio."""

import asyncio
import logging
from dataclasses import replace

from adapters.base import Inbound
from adapters.errors import AdapterError
from adapters.twilio.rest import Rest

logger = logging.getLogger(__name__)


class Quoting:
    """Fills in quoted words, in a short time or not at all: a message is taken in without them, too."""

    def __init__(self, rest: Rest, within_s: float) -> None:
        self._rest = rest
        self._within_s = within_s

    async def filled_in(self, event: Inbound) -> Inbound:
        """Return the event with the words it replies to."""
        if event.quoted is None:
            return event
        try:
            async with asyncio.timeout(self._within_s):
                message = await self._rest.message(event.quoted.ref)
        except (AdapterError, TimeoutError) as error:
            logger.info(
                "message %s is taken in without what it replies to: %s", event.message, type(error).__name__
            )
            return event
        if {message.from_, message.to} != {event.account, event.conversation.ref}:
            return event
        return replace(event, quoted=replace(event.quoted, text=message.body or ""))
