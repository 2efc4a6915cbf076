"""What a message cost: not told with its status, so that it is read at Twilio once it has arrived."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import replace
from typing import Final

from adapters.base import Delivery
from adapters.errors import AdapterError
from adapters.twilio.rest import Rest

logger = logging.getLogger(__name__)

#: Messages whose price was told already: a message is delivered and then read, and paid for once.
_REMEMBERED: Final = 4_096


class Prices:
    """Fills in prices, in a short time or not at all: what became of a message counts without one, too."""

    def __init__(self, rest: Rest, within_s: float) -> None:
        self._rest = rest
        self._within_s = within_s
        self._told: OrderedDict[str, None] = OrderedDict()

    async def filled_in(self, delivery: Delivery) -> Delivery:
        """Return the delivery with its price, the first time that Twilio knows one."""
        if delivery.message in self._told:
            return delivery
        try:
            async with asyncio.timeout(self._within_s):
                message = await self._rest.message(delivery.message)
        except (AdapterError, TimeoutError) as error:
            logger.info("the price of message %s is not known: %s", delivery.message, type(error).__name__)
            return delivery
        # Twilio writes what it takes as a negative number.
        price, currency = str(message.price or "").removeprefix("-"), str(message.price_unit or "")
        if price:
            self._remember(delivery.message)
        return replace(delivery, price=price, currency=currency if price else "")

    def _remember(self, message: str) -> None:
        self._told[message] = None
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
