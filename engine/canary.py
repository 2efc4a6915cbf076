"""The canary: what an engine must generate before anybody else is sent to it."""

import logging
from collections.abc import Awaitable, Callable

from engine.base import ChatMessage, ChatRequest, Engine, Finish, Role
from engine.errors import EngineError, EngineMisbehaved
from engine.patience import Patience

logger = logging.getLogger(__name__)


async def first_generation(
    engine: Engine, patience: Patience, sleep: Callable[[float], Awaitable[None]]
) -> None:
    """Make an engine generate something; raise the last `EngineError` after several attempts."""
    for attempts_left in reversed(range(patience.canary_attempts)):
        try:
            await _generate(engine, patience.canary_s)
        except EngineError as exc:
            if not attempts_left:
                raise
            logger.warning("engine's first generation failed, trying again: %s", type(exc).__name__)
            await sleep(patience.poll_s)
        else:
            return


async def _generate(engine: Engine, limit_s: float) -> None:
    request = ChatRequest(
        request_id="canary",
        messages=(ChatMessage(role=Role.USER, content="Say hello."),),
        max_tokens=4,
        first_token_s=limit_s,
        stall_s=limit_s,
        total_s=limit_s,
        temperature=0.0,
    )
    async with engine.stream(request) as events:
        async for event in events:
            if isinstance(event, Finish) and event.usage.output_tokens > 0:
                return
    raise EngineMisbehaved("the generation ended without a token")
