"""Ending tasks, and letting nothing cut what must not be cut."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)


async def end(tasks: Iterable["asyncio.Future[Any]"]) -> None:
    """Cancel tasks and wait for them; what they raise stays with them."""
    ending = set(tasks)
    for task in ending:
        task.cancel()
    if ending:
        await asyncio.wait(ending)
        for task in ending:
            if not task.cancelled():
                task.exception()  # or the loop would complain of one that nobody asked for


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Carry something out to its end and return what it returns.

    A cancellation is raised behind it, a second one cuts it short. For calls to a platform, which have timeouts
    of their own: one that is cut off in the middle may have arrived, and nobody would know.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            await end({task})
        if not task.cancelled() and (error := task.exception()):
            logger.info("what was let end first ended with %s", type(error).__name__)
        raise
