"""What fits the engine that serves now."""

from bot.chat.budget import Limits
from engine.base import Engine, EngineState
from engine.errors import EngineNotReady


class EngineLimits:
    """Asks the engine how long its prompts may be; call it for every prompt, another model may serve by then."""

    def __init__(self, engine: Engine, *, max_reply_tokens: int, budget_tokens: int | None) -> None:
        self._engine = engine
        self._max_reply_tokens = max_reply_tokens
        self._budget_tokens = budget_tokens

    async def __call__(self) -> Limits:
        """Return the limits. Raises `EngineNotReady`."""
        status = await self._engine.status()
        if status.state is not EngineState.READY or status.max_model_len is None:
            raise EngineNotReady(status.detail or f"the model is {status.state.value}")
        return Limits(
            max_model_len=status.max_model_len,
            wanted_reply_tokens=self._max_reply_tokens,
            wanted_prompt_tokens=self._budget_tokens,
        )
