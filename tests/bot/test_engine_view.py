"""What a platform's face shows of the engine."""

import pytest

from adapters.base import EngineNow
from bot.engine_view import EngineView
from engine.base import EngineState, EngineStatus


class Told:
    """An engine of which only the state matters."""

    def __init__(self, status: EngineStatus) -> None:
        self._status = status

    async def status(self) -> EngineStatus:
        return self._status


async def seen(status: EngineStatus) -> EngineNow:
    view = EngineView()
    view.attach(Told(status))
    return await view.now()


async def test_before_there_is_an_engine_it_is_starting() -> None:
    assert await EngineView().now() == EngineNow(ready=False, text="The model is starting")


async def test_a_ready_engine_is_not_talked_about() -> None:
    assert await seen(EngineStatus(state=EngineState.READY, model="m")) == EngineNow(ready=True)


async def test_a_starting_engine_says_how_far_it_is() -> None:
    now = await seen(EngineStatus(state=EngineState.STARTING, detail="loading", share=0.4))
    assert now == EngineNow(ready=False, text="The model is starting", share=0.4)


@pytest.mark.parametrize("state", [state for state in EngineState if state is not EngineState.READY])
async def test_people_are_not_told_what_operators_are(state: EngineState) -> None:
    now = await seen(EngineStatus(state=state, detail="ended with status 1, see /srv/engine.log"))
    assert not now.ready
    assert "/srv" not in now.text
    assert now.text
