"""Journal and schedule together, every step of every worker apart: takes, expiries, duplicates, erasures, crashes.

What must hold in whatever order it happens: an accepted event ends exactly once, a chat's turns are answered in
order, a stored final text never changes, and of two holders only the newer changes anything.
"""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from adapters.base import SendsFrom
from bot.errors import ScheduleErased
from bot.turns.model import NoticeKind, TurnState
from bot.turns.scheduler.base import DoneOutcome
from tests.fixtures.turn_world import LEASE_MS, STORED, UNFINISHED, Hand, World

ROOMS = st.sampled_from(["lobby", "attic"])
PEOPLE = st.sampled_from(["ann", "bob"])
SENDS = st.sampled_from([SendsFrom.ANY, SendsFrom.ANY, SendsFrom.OWNER])
ANY_STATE = {state.value for state in TurnState}


class TurnMachine(RuleBasedStateMachine):
    """Every rule is one step of one party; between any two steps anything else may happen."""

    @initialize(people=st.lists(PEOPLE, min_size=1, max_size=3), sends_from=SENDS)
    def open(self, people: list[str], sends_from: SendsFrom) -> None:
        self.world = World()
        self.hands: list[Hand] = []
        for person in people:
            self.world.accept("lobby", person, sends_from, put=True)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.world.finish_everything()
            finally:
                self.world.close()

    @rule(room=ROOMS, person=PEOPLE, sends_from=SENDS, put=st.booleans())
    def accept(self, room: str, person: str, sends_from: SendsFrom, put: bool) -> None:
        self.world.accept(room, person, sends_from, put=put)

    @rule(data=st.data())
    def say_more(self, data: Any) -> None:
        """Have somebody who wrote before write again in the same room."""
        event = data.draw(st.sampled_from(sorted(self.world.accepted)))
        wrote = self.world.accepted[event]
        room = wrote.inbound.conversation.ref.partition(" ")[0]
        self.world.accept(room, wrote.inbound.sender.id, wrote.sends_from, put=True)

    @rule(data=st.data())
    def deliver_again(self, data: Any) -> None:
        self.world.deliver_again(data.draw(st.sampled_from(sorted(self.world.accepted))))

    @rule(data=st.data())
    def edit(self, data: Any) -> None:
        self.world.edit(data.draw(st.sampled_from(sorted(self.world.accepted))))

    @rule(data=st.data())
    def withdraw(self, data: Any) -> None:
        self.world.withdraw(data.draw(st.sampled_from(sorted(self.world.accepted))))

    @rule(data=st.data())
    def ask_to_stop(self, data: Any) -> None:
        self.world.ask_to_stop(data.draw(st.sampled_from(sorted(self.world.accepted))))

    @rule(claim=st.sampled_from([True, True, False]))
    def take(self, claim: bool) -> None:
        """Take, and in most cases claim before anything else happens."""
        world = self.world
        try:
            take = world.run(world.scheduler.take(LEASE_MS))
        except ScheduleErased:
            world.run(world.reconciler.put_all())
            take = world.run(world.scheduler.take(LEASE_MS))
        if take is None:
            return
        self.hands.append(Hand(take))
        if claim:
            world.claim(self.hands[-1])

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def claim(self, data: Any) -> None:
        hand = self.hands[data.draw(st.integers(0, len(self.hands) - 1))]
        if hand.turn is None:
            self.world.claim(hand)

    @rule()
    def take_over(self) -> None:
        """Let every lease run out, and have somebody else take what was left."""
        self.world.clock.advance(LEASE_MS / 1000 + 1)
        self.take(claim=True)

    def working(self) -> list[Hand]:
        """Give the hands that believe they have a turn."""
        return [hand for hand in self.hands if hand.turn is not None]

    def pick(self, data: Any) -> Hand:
        """Draw one of them."""
        working = self.working()
        return working[data.draw(st.integers(0, len(working) - 1))]

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def store(self, data: Any) -> None:
        hand = self.pick(data)
        self.world.store(hand)

    @precondition(lambda self: self.working())
    @rule(
        data=st.data(), number=st.sampled_from([0, 1]), step=st.sampled_from(["start", "arrived", "refused"])
    )
    def part(self, data: Any, number: int, step: str) -> None:
        hand = self.pick(data)
        journal, turn = self.world.journal, hand.turn
        steps = {
            "start": (journal.start_part, (turn, number), "sending"),
            "arrived": (journal.part_sent, (turn, number, f"m{number}"), "sending"),
            "refused": (journal.part_not_sent, (turn, number), "replied"),
        }
        change, arguments, becomes = steps[step]
        expected = self.world.turns[turn.id]
        if self.world.change(hand, change(*arguments), STORED, becomes) and step == "arrived":
            expected.attempts = 0  # a part that arrived is progress

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def deliver(self, data: Any) -> None:
        hand = self.pick(data)
        self.world.deliver(hand)

    @precondition(lambda self: self.working())
    @rule(data=st.data(), backoff_s=st.sampled_from([0, 5]))
    def fail(self, data: Any, backoff_s: int) -> None:
        hand = self.pick(data)
        world, expected = self.world, self.world.turns[hand.turn.id]
        step = world.journal.fail(hand.turn, "Broken", world.clock.now() + timedelta(seconds=backoff_s))
        if world.change(hand, step, {*UNFINISHED, "sent"}):
            expected.attempts += 1
            expected.held = False
            world.let_go(hand, DoneOutcome.LATER, backoff_s * 1000)

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def release(self, data: Any) -> None:
        hand = self.pick(data)
        expected = self.world.turns[hand.turn.id]
        if self.world.change(hand, self.world.journal.release(hand.turn), ANY_STATE):
            expected.held = False
            self.world.let_go(hand)

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def give_up(self, data: Any) -> None:
        hand = self.pick(data)
        step = self.world.journal.give_up(hand.turn, TurnState.DEAD, NoticeKind.FAILED, "Sorry.")
        if self.world.change(hand, step, UNFINISHED, "dead"):
            self.world.let_go(hand)

    def dead(self) -> list[str]:
        """Give the turns that were given up."""
        return [turn_id for turn_id, expected in self.world.turns.items() if expected.state == "dead"]

    @precondition(lambda self: self.dead())
    @rule(data=st.data())
    def requeue(self, data: Any) -> None:
        """Requeue a dead letter; its chat is put by the reconciler."""
        self.world.requeue(data.draw(st.sampled_from(self.dead())))

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def stop(self, data: Any) -> None:
        hand = self.pick(data)
        step = self.world.journal.cancel(hand.turn, "Stopped.")
        if self.world.change(hand, step, {"waiting"}, "cancelled"):
            self.world.let_go(hand)

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def late_edit(self, data: Any) -> None:
        hand = self.pick(data)
        if self.world.turns[hand.turn.id].token != hand.turn.token:
            self.world.late_edit(hand)

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def restate(self, data: Any) -> None:
        hand = self.pick(data)
        if hand.turn.state is TurnState.SENT:
            self.world.restate(hand)

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def crash(self, data: Any) -> None:
        """Lose a worker; row and lease stay as they are."""
        self.hands.pop(data.draw(st.integers(0, len(self.hands) - 1)))

    @rule()
    def owner_sends(self) -> None:
        self.world.owner_sends()

    @rule(seconds=st.sampled_from([1, 5, 40]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(told=st.booleans())
    def erase_the_schedule(self, told: bool) -> None:
        self.world.scheduler.erase()
        if told:
            self.world.run(self.world.reconciler.put_all())

    @rule()
    def put_unclaimed(self) -> None:
        self.world.run(self.world.reconciler.put_unclaimed())

    @invariant()
    def everything_agrees(self) -> None:
        if hasattr(self, "world"):
            self.world.check()


TestTurns = TurnMachine.TestCase
TestTurns.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
