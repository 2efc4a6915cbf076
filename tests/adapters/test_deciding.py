"""An outage of the core is told once for an adapter, and so is its end; nothing but `NoDecision` comes through."""

import logging
from datetime import UTC, datetime

import pytest

from adapters.base import (
    Addressed,
    Conversation,
    ConversationKind,
    Inbound,
    Outcome,
    Person,
    Receipt,
    StopRequested,
)
from adapters.deciding import Decisions, NoDecision

EVENT = Inbound(
    adapter="terminal",
    account="main",
    event_key="e1",
    conversation=Conversation(ref="room", kind=ConversationKind.GROUP),
    message="m1",
    sender=Person(id="ann", name="Ann"),
    text="hello",
    addressed=Addressed.MENTION,
    sent_at=datetime(2026, 1, 1, tzinfo=UTC),
)


class Core:
    """A sink that is there or is not."""

    def __init__(self) -> None:
        self.is_out = False

    async def accept(self, event: Inbound) -> Receipt:
        if self.is_out:
            raise OSError("the disk says something about ann")
        return Receipt(outcome=Outcome.IGNORED)

    async def stop(self, event: StopRequested) -> Receipt:
        return Receipt(outcome=Outcome.DONE)

    async def _heard(self, event: object) -> Receipt:
        if self.is_out:
            raise OSError("the disk says something about ann")
        return Receipt(outcome=Outcome.DONE, told=repr(event))

    pressed = moved = membership = delivered = _heard


async def test_an_outage_is_told_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    core = Core()
    decisions = Decisions(core, 1.0, "terminal")
    core.is_out = True
    for _ in range(3):
        with pytest.raises(NoDecision):
            await decisions.accept(EVENT)
    core.is_out = False
    for _ in range(2):
        assert (await decisions.accept(EVENT)).outcome is Outcome.IGNORED
    assert caplog.messages == [
        "the core takes no decisions for terminal: OSError",
        "the core takes decisions for terminal again",
    ]


@pytest.mark.parametrize("name", ["pressed", "moved", "membership", "delivered"])
async def test_whatever_is_handed_over_reaches_the_core_or_is_not_decided(name: str) -> None:
    core = Core()
    hand_over = getattr(Decisions(core, 1.0, "terminal"), name)
    assert (await hand_over("this")).told == "'this'"
    core.is_out = True
    with pytest.raises(NoDecision):
        await hand_over("this")
