"""What happens beside messages reaches the core, and is acknowledged only when the core has it."""

import pytest

from adapters.base import (
    ConversationMoved,
    Delivery,
    Edited,
    MembershipChanged,
    Pressed,
    StopRequested,
    Withdrawn,
)
from adapters.errors import AdapterError, Moved
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.operations import edit, send
from tests.contracts.adapters.subjects import each_happening, having

KINDS = {
    Ability.EDITS: Edited,
    Ability.WITHDRAWALS: Withdrawn,
    Ability.STOPS: StopRequested,
    Ability.PRESSES: Pressed,
    Ability.MOVES: ConversationMoved,
    Ability.MEMBERSHIPS: MembershipChanged,
    Ability.REPORTS: Delivery,
}


@each_happening()
async def test_it_is_told_and_told_again_it_is_the_same(harness, what) -> None:
    deliver = await harness.happening(what)
    assert await deliver()
    told = harness.sink.of(KINDS[what])
    assert told
    assert told == [told[0]] * len(told)
    assert await deliver()
    assert set(map(repr, harness.sink.of(KINDS[what]))) == {repr(told[0])}


@each_happening()
async def test_it_is_not_acknowledged_before_the_core_has_it(harness, what) -> None:
    deliver = await harness.happening(what)
    harness.sink.fails = True
    assert not await deliver()
    assert harness.sink.heard == []
    harness.sink.fails = False
    assert await deliver()
    assert harness.sink.of(KINDS[what])


@having(Ability.EDITS)
async def test_an_edit_before_the_answer_is_the_whole_message_under_its_first_key(harness) -> None:
    deliver = await harness.happening(Ability.EDITS)
    (said,) = harness.sink.events
    assert await deliver()
    edited = harness.sink.of(Edited)[-1].inbound
    assert (edited.event_key, edited.message, edited.text) == (said.event_key, said.message, "two")
    assert (edited.conversation.ref, edited.sender) == (said.conversation.ref, said.sender)


@having(Ability.WITHDRAWALS)
async def test_a_withdrawal_before_the_answer_names_the_message(harness) -> None:
    deliver = await harness.happening(Ability.WITHDRAWALS)
    (said,) = harness.sink.events
    assert await deliver()
    withdrawn = harness.sink.of(Withdrawn)[-1]
    assert (withdrawn.conversation, withdrawn.message) == (said.conversation.ref, said.message)


@having(Ability.MOVES)
async def test_a_conversation_that_moves_while_a_reply_grows_says_where_to(harness) -> None:
    old = await harness.movable()
    standing = await send(harness, "one moment", conversation=old)
    new = await harness.move(old)
    with pytest.raises(Moved) as told:
        await send(harness, "the answer", op_id="op-3", conversation=old)
    assert told.value.conversation == new
    with pytest.raises(AdapterError):
        await edit(harness, standing.message, "the answer", conversation=old)
    await send(harness, "the answer", op_id="op-3", conversation=new)
    assert await harness.visible_in(new) == ["the answer"]


@having(Ability.PRESSES)
async def test_a_press_names_the_message_it_stands_under(harness) -> None:
    deliver = await harness.happening(Ability.PRESSES)
    assert await deliver()
    (pressed,) = harness.sink.of(Pressed)
    assert (pressed.conversation, pressed.action) == (harness.conversation, "stop")
    # It can be edited by that reference.
    assert (await edit(harness, pressed.message, "stopped")).message == pressed.message
    assert await harness.visible() == ["stopped"]
