"""Every order of steps: the schedulers against a model that keeps one plain record a chat and forgets nothing."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.errors import ScheduleErased
from bot.turns.scheduler.base import DoneOutcome, ScheduleCounts, Take
from tests.fixtures.schedulers import LONG_MS, Subject, open_subject
from tests.fixtures.valkey import RealServer

CHATS = st.sampled_from("abcd")
WEIGHTS = st.sampled_from([1.0, 0.5, 4.0])


@dataclass(slots=True)
class ChatModel:
    """One chat: where it is, and what it owes."""

    place: str = "out"  # out, ready, leased, later
    held: bool = False
    noted: bool = False
    weight: float = 1.0
    start: float = 0.0
    finish: float = 0.0
    until_ms: int = 0
    token: int = 0
    taken_ms: int = 0
    charged_weight: float = 1.0


@dataclass(slots=True)
class Model:
    """The schedule as sentences of design.md 5.1 would have it."""

    chats: dict[str, ChatModel] = field(default_factory=lambda: {chat: ChatModel() for chat in "abcd"})
    now_ms: int = 0
    virtual: float = 0.0
    begun: bool = False
    paused: bool = False

    def at(self, place: str) -> list[str]:
        return [name for name, chat in self.chats.items() if chat.place == place]

    def offer(self, name: str) -> None:
        chat = self.chats[name]
        chat.place = "out" if chat.held else "ready"
        chat.noted = chat.held
        chat.start = max(self.virtual, chat.finish)

    def free(self, name: str, until_ms: int) -> None:
        chat = self.chats[name]
        served = (until_ms - chat.taken_ms) / 1000 / chat.charged_weight
        chat.finish = chat.start + served
        # Half the pace at which each of all that are busy would be served.
        self.virtual += served / (2 * len(self.at("ready") + self.at("leased")))
        chat.place = "out"

    def wake_due(self) -> None:
        for name in self.at("later"):
            if self.chats[name].until_ms <= self.now_ms:
                self.offer(name)
        for name in sorted(self.at("leased"), key=lambda name: self.chats[name].token):
            if self.chats[name].until_ms <= self.now_ms:
                self.free(name, self.chats[name].until_ms)
                self.offer(name)

    def end_busy_period(self) -> None:
        if not self.at("ready") and not self.at("leased"):
            self.virtual = max([self.virtual, *(chat.finish for chat in self.chats.values())])


class SchedulerMachine(RuleBasedStateMachine):
    """Drives a scheduler and the model side by side."""

    #: Whether the schedule's clock is ours, so that order and expiry can be predicted to the digit.
    exact = True
    kind = "memory"
    server: RealServer | None = None

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.model = Model()
        self.takes: list[Take] = []
        self.last_token = 0
        self.lifted = False
        self.subject: Subject = self.run_async(
            self._stack.enter_async_context(open_subject(self.kind, lambda _: self.server))
        )

    def run_async(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def teardown(self) -> None:
        self.run_async(self._stack.aclose())
        self._runner.close()

    @rule(name=CHATS, weight=WEIGHTS)
    def put(self, name: str, weight: float) -> None:
        self.run_async(self.subject.scheduler.put(name, weight=weight))
        chat = self.model.chats[name]
        chat.weight = weight
        if chat.place in ("leased", "later"):
            chat.noted = True
        elif chat.place == "out":
            self.model.offer(name)

    @rule(lease_ms=st.sampled_from([7, LONG_MS]))
    def take(self, lease_ms: int) -> None:
        lease_ms = lease_ms if self.exact else LONG_MS
        if not self.model.begun:
            with pytest.raises(ScheduleErased):
                self.run_async(self.subject.scheduler.take(lease_ms))
            return
        self.model.wake_due()
        take = self.run_async(self.subject.scheduler.take(lease_ms))
        ready = [] if self.model.paused else self.model.at("ready")
        if not ready:
            assert take is None
            self.model.end_busy_period()
            return
        self._check_take(take, ready)
        chat = self.model.chats[take.chat_id]
        self.model.virtual = max(self.model.virtual, chat.start)
        chat.place, chat.noted = "leased", False
        chat.token, chat.taken_ms, chat.charged_weight = take.token, self.model.now_ms, chat.weight
        chat.until_ms = self.model.now_ms + lease_ms

    def _check_take(self, take: Take, ready: list[str]) -> None:
        if self.exact:
            assert take.chat_id == min(ready, key=lambda name: (self.model.chats[name].start, name))
        assert take.chat_id in ready
        assert take.token > self.last_token
        self.last_token = take.token
        self.takes.append(take)

    @precondition(lambda self: self.takes)
    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        take = data.draw(st.sampled_from(self.takes))
        mine = self._is_mine(take)
        assert self.run_async(self.subject.scheduler.keep(take, LONG_MS)) == mine
        if mine:
            self.model.chats[take.chat_id].until_ms = self.model.now_ms + LONG_MS

    @precondition(lambda self: self.takes)
    @rule(data=st.data(), outcome=st.sampled_from(DoneOutcome), delay_ms=st.sampled_from([0, 5, LONG_MS]))
    def done(self, data: st.DataObject, outcome: DoneOutcome, delay_ms: int) -> None:
        delay_ms = delay_ms if self.exact or delay_ms == 0 else LONG_MS
        take = data.draw(st.sampled_from(self.takes))
        mine = self._is_mine(take)
        assert self.run_async(self.subject.scheduler.done(take, outcome, delay_ms=delay_ms)) == mine
        if not mine:
            return
        chat = self.model.chats[take.chat_id]
        self.model.free(take.chat_id, self.model.now_ms)
        if outcome is DoneOutcome.LATER:
            chat.place, chat.until_ms = "later", self.model.now_ms + delay_ms
        elif chat.noted or outcome is DoneOutcome.AGAIN:
            self.model.offer(take.chat_id)
        else:
            chat.weight = 1.0
        self.model.end_busy_period()

    def _is_mine(self, take: Take) -> bool:
        chat = self.model.chats[take.chat_id]
        return chat.place == "leased" and chat.token == take.token

    @rule(name=CHATS)
    def hold(self, name: str) -> None:
        self.run_async(self.subject.scheduler.hold(name))
        chat = self.model.chats[name]
        chat.held = True
        if chat.place == "ready":
            self.model.offer(name)

    @rule(name=CHATS)
    def release(self, name: str) -> None:
        self.run_async(self.subject.scheduler.release(name))
        chat = self.model.chats[name]
        was_held, chat.held = chat.held, False
        if was_held and chat.noted and chat.place == "out":
            self.model.offer(name)

    @rule(paused=st.booleans())
    def pause_or_resume(self, paused: bool) -> None:
        self.run_async(self.subject.scheduler.pause() if paused else self.subject.scheduler.resume())
        self.model.paused = paused

    @rule(milliseconds=st.sampled_from([1, 6, 40]))
    def time_passes(self, milliseconds: int) -> None:
        if self.exact:
            self.run_async(self.subject.pass_ms(milliseconds))
            self.model.now_ms += milliseconds

    @rule()
    def erase(self) -> None:
        self.run_async(self.subject.erase())
        if self.lifted:  # a lift may have led the clock by more than passed; rows that outrank us lift again
            self.last_token, self.lifted = 0, False
        self.model = Model(now_ms=self.model.now_ms + 1)

    @rule()
    def begin_epoch(self) -> None:
        self.run_async(self.subject.scheduler.begin_epoch())
        self.model.begun = True

    @rule(above=st.integers(min_value=1, max_value=1000))
    def lift(self, above: int) -> None:
        self.run_async(self.subject.scheduler.lift(self.last_token + above))
        self.last_token += above
        self.lifted = True

    @invariant()
    def counts_agree(self) -> None:
        assert self.run_async(self.subject.scheduler.counts()) == ScheduleCounts(
            ready=len(self.model.at("ready")),
            leased=len(self.model.at("leased")),
            later=len(self.model.at("later")),
            held=sum(chat.held for chat in self.model.chats.values()),
            paused=self.model.paused,
        )


def test_memory_follows_the_model_to_the_digit():
    run_state_machine_as_test(
        SchedulerMachine,
        settings=settings(max_examples=150, stateful_step_count=50, deadline=None, database=None),
    )


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_real_servers_follow_the_model(kind, request):
    """Under the server's own clock: who is ready, noted, held and fenced, whatever the order of steps."""

    class RealMachine(SchedulerMachine):
        exact = False
        server = request.getfixturevalue(f"{kind}_server")

    RealMachine.kind = kind
    run_state_machine_as_test(
        RealMachine, settings=settings(max_examples=40, stateful_step_count=40, deadline=None, database=None)
    )
