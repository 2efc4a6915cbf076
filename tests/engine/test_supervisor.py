"""The supervisor's states, restarts and drain, with a small real process in vLLM's place."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.base import ChatMessage, ChatRequest, EngineState, EngineStatus, Finish, Role
from engine.child import Command
from engine.client import EngineClient
from engine.errors import EngineFailed, EngineNotReady, LaunchError
from engine.listen import Listen
from engine.patience import Patience
from engine.probe import EngineProbe
from engine.scripted import ScriptedEngine
from engine.supervised import SupervisedEngine
from engine.supervisor import EngineSupervisor

FAKE = Path(__file__).with_name("fake_vllm.py")
STARTING, WARMING, READY = EngineState.STARTING, EngineState.WARMING, EngineState.READY
DRAINING, DEAD = EngineState.DRAINING, EngineState.DEAD
QUICK = Patience(
    start_s=30, poll_s=0.01, check_every_s=0.01, checks_failed=3, backoff_s=0.01, backoff_cap_s=0.04
)


class Stage:
    """A supervisor over a fake process, and everything it said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.listen = Listen.on_socket(folder / "engine.sock")
        self.engine = ScriptedEngine(["hello", " there"])
        self.seen: list[EngineStatus] = []
        self.starts = 0
        self.argv: tuple[str, ...] = (sys.executable, str(FAKE), str(self.listen.place))

    @property
    def states(self) -> list[EngineState]:
        return [status.state for status in self.seen]

    @property
    def log(self) -> Path:
        return self.folder / "engine.log"

    def prepare(self) -> Command:
        self.starts += 1
        self.listen.make_way()
        return Command(name="vLLM", argv=self.argv, env=dict(os.environ), log=self.log, grace_s=5)

    @asynccontextmanager
    async def supervised(
        self, patience: Patience = QUICK, **means: object
    ) -> AsyncIterator[EngineSupervisor]:
        async with EngineClient(self.listen.url) as client:
            supervisor = EngineSupervisor(
                prepare=means.pop("prepare", self.prepare),
                engine=self.engine,
                probe=EngineProbe(client, self.listen),
                usual_start_s=45,
                patience=patience,
                on_change=self.seen.append,
                **means,
            )
            async with asyncio.timeout(60), supervisor:
                yield supervisor


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def request() -> ChatRequest:
    message = ChatMessage(role=Role.USER, content="hi")
    return ChatRequest(
        request_id="r", messages=(message,), max_tokens=8, first_token_s=5, stall_s=5, total_s=5
    )


async def test_the_states_come_in_order(stage: Stage) -> None:
    async with stage.supervised() as supervisor:
        await supervisor.until(READY)
    assert stage.states == [STARTING, WARMING, READY, DRAINING, DEAD]


async def test_ready_means_that_it_has_generated(stage: Stage) -> None:
    async with stage.supervised() as supervisor:
        await supervisor.until(READY)
        assert list(stage.engine.finished) == ["canary"]


async def test_ready_tells_model_and_context(stage: Stage) -> None:
    async with stage.supervised() as supervisor:
        status = await supervisor.until(READY)
    assert (status.model, status.max_model_len) == ("fake", 128)


async def test_draining_lets_the_process_leave_in_order(stage: Stage) -> None:
    async with stage.supervised() as supervisor:
        await supervisor.until(READY)
        pid = supervisor.pid
    assert stage.log.read_text().endswith("left in order\n")
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_killed_engine_is_started_again(stage: Stage) -> None:
    async with stage.supervised() as supervisor:
        await supervisor.until(READY)
        first = supervisor.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        dead = await supervisor.until(DEAD)
        assert "ended with status -9" in dead.detail
        await supervisor.until(READY)
        assert supervisor.pid != first
    assert stage.states == [STARTING, WARMING, READY, DEAD, STARTING, WARMING, READY, DRAINING, DEAD]


async def test_backoff_doubles_up_to_its_cap_with_jitter(stage: Stage) -> None:
    """Six failed starts wait 1, 2, 4, 8, 8, 8 s, each times the drawn share of its upper half."""
    waits: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) >= 6:
            enough.set()
            await asyncio.Event().wait()

    def prepare() -> Command:
        raise LaunchError("the model is missing")

    patience = Patience(backoff_s=1, backoff_cap_s=8)
    async with stage.supervised(patience, sleep=sleep, chance=lambda: 0.5, prepare=prepare) as supervisor:
        await enough.wait()
        assert supervisor.status().detail.startswith("the model is missing; trying again in ")
    assert waits == [0.75, 1.5, 3.0, 6.0, 6.0, 6.0]


class Hand:
    """A clock moved by hand, and sleeps that let backoffs pass at once but hold health checks."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.backoffs: list[float] = []

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        if seconds >= 1000:  # a health check of a ready engine: none in these tests
            await asyncio.Event().wait()
        if seconds >= 1:
            self.backoffs.append(seconds)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(("ready_for_s", "second_wait_s"), [(10, 2.0), (300, 1.0)], ids=["shortly", "long"])
async def test_backoff_starts_over_after_a_healthy_while(
    stage: Stage, ready_for_s: float, second_wait_s: float
) -> None:
    hand = Hand()
    patience = Patience(poll_s=0.01, check_every_s=1000, backoff_s=1, healthy_s=300)
    async with stage.supervised(
        patience, sleep=hand.sleep, clock=hand.clock, chance=lambda: 1.0
    ) as supervisor:
        for lived_s in (0, ready_for_s):
            await supervisor.until(READY)
            hand.now_s += lived_s
            os.kill(supervisor.pid or 0, signal.SIGKILL)
            await supervisor.until(DEAD)
        await supervisor.until(READY)
    assert hand.backoffs == [1.0, second_wait_s]


async def test_a_failing_canary_keeps_it_from_ready(stage: Stage) -> None:
    patience = Patience(poll_s=0.01, backoff_s=600, canary_attempts=3)
    for _ in range(3):
        stage.engine.fail_next(EngineFailed("out of order"))
    async with stage.supervised(patience) as supervisor:
        dead = await supervisor.until(DEAD)
        assert dead.detail.startswith("its first generation failed: out of order")
        assert READY not in stage.states


async def test_a_canary_may_fail_once(stage: Stage) -> None:
    stage.engine.fail_next(EngineFailed("a hiccup"))
    async with stage.supervised() as supervisor:
        await supervisor.until(READY)
    assert stage.starts == 1


async def test_an_engine_that_fails_its_health_checks_is_replaced(stage: Stage) -> None:
    async with stage.supervised() as supervisor:
        await supervisor.until(READY)
        stage.listen.place.unlink()  # alive, but no longer to be reached
        dead = await supervisor.until(DEAD)
        assert "failed 3 health checks" in dead.detail
        await supervisor.until(READY)
    assert stage.starts == 2


async def test_an_unhealthy_process_never_becomes_ready_and_is_given_up(stage: Stage) -> None:
    stage.argv = (*stage.argv, "--health", "503")
    async with stage.supervised(Patience(start_s=2, poll_s=0.01, backoff_s=600)) as supervisor:
        dead = await supervisor.until(DEAD)
        assert "it was not ready within 2 s" in dead.detail
    assert WARMING not in stage.states


async def test_a_process_that_fails_while_loading_is_quoted(stage: Stage) -> None:
    stage.argv = (sys.executable, "-c", "print('working'); raise SystemExit('no such model')")
    async with stage.supervised(Patience(poll_s=0.01, backoff_s=600)) as supervisor:
        dead = await supervisor.until(DEAD)
    assert "ended with status 1 while loading" in dead.detail
    assert "no such model" in dead.detail


async def test_loading_says_how_long_it_takes(stage: Stage) -> None:
    now = [100.0]
    stage.argv = (sys.executable, "-c", "import time; time.sleep(600)")
    async with stage.supervised(clock=lambda: now[0]) as supervisor:
        await supervisor.until(STARTING)
        now[0] += 23.4
        assert supervisor.status().detail == "loading the model, 23 s so far, usually about 45 s"
        assert supervisor.status().share == pytest.approx(0.52)


async def test_a_start_that_takes_long_never_looks_done(stage: Stage) -> None:
    now = [100.0]
    stage.argv = (sys.executable, "-c", "import time; time.sleep(600)")
    async with stage.supervised(clock=lambda: now[0]) as supervisor:
        await supervisor.until(STARTING)
        now[0] += 450
        assert 0.9 < supervisor.status().share < 1


async def test_draining_while_loading_ends_the_process(stage: Stage) -> None:
    stage.argv = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
    async with stage.supervised() as supervisor:
        await supervisor.until(STARTING)
        while supervisor.pid is None:
            await asyncio.sleep(0.01)
    assert stage.states == [STARTING, DRAINING, DEAD]


async def test_draining_during_backoff_does_not_wait(stage: Stage) -> None:
    stage.argv = (sys.executable, "-c", "raise SystemExit(1)")
    async with stage.supervised(Patience(backoff_s=3600, backoff_cap_s=3600)) as supervisor:
        await supervisor.until(DEAD)
    assert stage.seen[-1].detail == "it was stopped"


async def test_a_cancelled_drain_kills(stage: Stage) -> None:
    """A second Ctrl-C does not wait for the grace."""
    stage.argv = (
        sys.executable,
        "-c",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
    )
    pids: list[int] = []

    def prepare() -> Command:
        command = stage.prepare()
        return Command(name="vLLM", argv=command.argv, env=command.env, log=command.log, grace_s=600)

    async def hold() -> None:
        async with stage.supervised(prepare=prepare) as supervisor:
            while not stage.log.exists() or "up" not in stage.log.read_text():
                await asyncio.sleep(0.01)
            pids.append(supervisor.pid or 0)

    task = asyncio.create_task(hold())
    while DRAINING not in stage.states:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task], timeout=10)
    assert task.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_a_caller_is_refused_until_ready(stage: Stage) -> None:
    stage.argv = (sys.executable, "-c", "import time; time.sleep(600)")
    async with stage.supervised() as supervisor:
        await supervisor.until(STARTING)
        engine = SupervisedEngine(stage.engine, supervisor)
        assert (await engine.status()).state is STARTING
        with pytest.raises(EngineNotReady, match="loading the model"):
            async with engine.stream(request()):
                pass


async def test_a_caller_streams_from_a_ready_engine(stage: Stage) -> None:
    async with stage.supervised() as supervisor:
        await supervisor.until(READY)
        engine = SupervisedEngine(stage.engine, supervisor)
        async with engine.stream(request()) as events:
            received = [event async for event in events]
    assert "".join(event.text for event in received[:-1]) == "hello there"
    assert isinstance(received[-1], Finish)


async def test_a_caller_is_refused_after_the_drain(stage: Stage) -> None:
    async with stage.supervised() as supervisor:
        await supervisor.until(READY)
    with pytest.raises(EngineNotReady, match="it was stopped"):
        async with SupervisedEngine(stage.engine, supervisor).stream(request()):
            pass
