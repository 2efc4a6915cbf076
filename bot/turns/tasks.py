"""Ending tasks: cancel, and wait until they have really ended."""

import asyncio
from collections.abc import Iterable
from typing import Any


async def end(tasks: Iterable["asyncio.Future[Any]"]) -> None:
    """Cancel tasks and wait for them; what they raise stays with them."""
    ending = set(tasks)
    for task in ending:
        task.cancel()
    if ending:
        await asyncio.wait(ending)
