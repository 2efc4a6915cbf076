"""Keeping the queue's gauges current."""

import asyncio
import logging

from bot.errors import StoreUnavailable
from bot.telemetry.metrics import Metrics
from bot.turns.journal import Journal

logger = logging.getLogger(__name__)

#: Seconds between two readings.
EVERY_S = 5.0


async def watch_queue(journal: Journal, metrics: Metrics) -> None:
    """Read the queue from SQL and set the gauges, until cancelled; while SQL is away they stand still."""
    while True:
        try:
            counts = await journal.counts()
        except StoreUnavailable:
            logger.debug("the queue's gauges stand still: the database does not answer")
        else:
            metrics.set_queue(
                waiting=counts.waiting,
                oldest_s=counts.oldest_waiting_s,
                running=counts.running,
                dead=counts.dead,
            )
        await asyncio.sleep(EVERY_S)
