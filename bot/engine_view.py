"""How the engine fares, for platforms that have a face of their own to show it on."""

from adapters.base import EngineNow
from engine.base import Engine, EngineState, EngineStatus

#: What a person reads while the engine cannot answer, by its state.
_WORDS = {
    EngineState.STARTING: "The model is starting",
    EngineState.WARMING: "The model is warming up",
    EngineState.DRAINING: "The model is being stopped",
    EngineState.DEAD: "The model does not answer at the moment",
}


class EngineView:
    """An `EngineWatch`. Platforms are built before the engine: until it is attached, it counts as starting."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def attach(self, engine: Engine) -> None:
        """Look at this engine from now on."""
        self._engine = engine

    async def now(self) -> EngineNow:
        """Tell how it fares. What went wrong is for operators; people are told that it does not answer."""
        if self._engine is None:
            return EngineNow(ready=False, text=_WORDS[EngineState.STARTING])
        return _said(await self._engine.status())


def _said(status: EngineStatus) -> EngineNow:
    if status.state is EngineState.READY:
        return EngineNow(ready=True)
    return EngineNow(ready=False, text=_WORDS[status.state], share=status.share)
