"""What people write reaches the core as facts, once for each message, and is acknowledged only when it is committed."""

import pytest

from adapters.base import Addressed, ConversationKind
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.operations import send
from tests.contracts.adapters.subjects import having


@having(Ability.TAKES_IN)
async def test_an_inbound_message_states_facts(harness) -> None:
    assert await harness.deliver("k1")
    event = harness.sink.events[0]
    assert (event.adapter, event.text) == (harness.adapter.name, "hi")
    assert event.sent_at.tzinfo is not None
    assert (event.addressed is Addressed.DIRECT) == (event.conversation.kind is ConversationKind.DIRECT)
    for reference in (event.event_key, event.message, event.conversation.ref, event.sender.id, event.account):
        assert 0 < len(reference) <= 255


@having(Ability.TAKES_IN)
async def test_a_duplicate_delivery_is_the_same_event(harness) -> None:
    assert await harness.deliver("k1")
    assert await harness.deliver("k1")
    assert len({event.event_key for event in harness.sink.events}) == 1
    assert len({event.message for event in harness.sink.events}) == 1


@having(Ability.TAKES_IN)
async def test_another_message_is_another_event(harness) -> None:
    """Even where it says the same: what tells a duplicate is the message, not its words."""
    assert await harness.deliver("k1")
    assert await harness.deliver("k2")
    assert len({event.event_key for event in harness.sink.events}) == 2


@having(Ability.TAKES_IN)
async def test_our_own_messages_are_not_inbound(harness) -> None:
    await send(harness, "hello")
    await harness.visible()
    assert harness.sink.events == []


@having(Ability.ECHOES)
async def test_our_own_message_that_is_told_is_acknowledged_and_left(harness) -> None:
    assert await harness.echo()
    assert harness.sink.events == []


@having(Ability.OTHER_BOTS)
async def test_what_another_bot_says_to_us_is_acknowledged_and_left(harness) -> None:
    """Two programs that answer each other would never end."""
    assert await harness.deliver_from_bot()
    assert harness.sink.events == []


@having(Ability.TAKES_IN)
async def test_what_the_core_could_not_commit_is_not_acknowledged(harness) -> None:
    harness.sink.fails = True
    assert not await harness.deliver("k1")
    harness.sink.fails = False
    assert await harness.deliver("k1")
    assert len(harness.sink.events) == 1


@having(Ability.HORIZON)
@pytest.mark.parametrize(("age", "count"), [(-60, 1), (1, 0)], ids=["just within", "behind"])
async def test_what_is_older_than_the_horizon_is_acknowledged_and_left(harness, age, count) -> None:
    assert await harness.deliver_old(harness.horizon_s + age)
    assert len(harness.sink.events) == count
