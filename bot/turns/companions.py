"""Keeping what runs beside the turns alive: its own faults must not end it for as long as the process lives."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

#: Seconds before a companion that broke is begun anew: at first, and the longest.
PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
#: What the task of each is called.
COMPANION = "companion"
#: Something that runs while the worker does, until it is cancelled.
Companion = Callable[[], Coroutine[Any, Any, None]]


async def kept_alive(companion: Companion, *, pause_s: float = PAUSE_S) -> None:
    """Run a companion until it is cancelled; begin it anew, each time later, whenever it breaks."""
    wait_s = pause_s
    while True:
        try:
            await companion()
        except Exception as error:
            logger.exception(
                "what runs beside the turns ended with an unexpected %s, and is begun anew in about %.0f s",
                type(error).__name__,
                wait_s,
            )
        else:
            return
        await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
        wait_s = min(2 * wait_s, LONGEST_PAUSE_S)
