"""What is sent is seen, once and in order; what can be changed or taken back is."""

import asyncio

import pytest

from adapters.base import Idempotency
from adapters.doubt import LABEL
from adapters.errors import AdapterError, Rejected
from adapters.markdown import parse
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.operations import edit, idempotency, send
from tests.contracts.adapters.subjects import having


@having()
async def test_what_is_sent_is_seen_once_and_in_order(harness) -> None:
    await send(harness, "one", op_id="1")
    await send(harness, "two", op_id="2")
    assert await harness.visible() == ["one", "two"]


@having(Ability.KEYED)
async def test_the_same_operation_twice_is_one_message_on_class_a(harness) -> None:
    assert await send(harness) == await send(harness)
    assert await harness.visible() == ["hello"]


@having(Ability.KEYED)
async def test_the_same_operation_at_the_same_time_is_one_message_on_class_a(harness) -> None:
    await asyncio.gather(*(send(harness) for _ in range(5)))
    assert await harness.visible() == ["hello"]


@having()
async def test_what_was_sent_can_be_found_on_class_b_and_where_a_look_may_help(harness) -> None:
    sent = await send(harness)
    is_looked_up = idempotency(harness) is Idempotency.READ_BACK or getattr(harness, "looks_up", False)
    found = await harness.adapter.find("op-1", harness.account, harness.conversation)
    assert found == (sent if is_looked_up else None)
    assert await harness.adapter.find("op-0", harness.account, harness.conversation) is None


@having(Ability.CHANGES)
async def test_an_edit_replaces_the_text_and_may_be_repeated(harness) -> None:
    sent = await send(harness, "one moment")
    for _ in range(2):
        assert await edit(harness, sent.message, "the answer") == sent
    assert await harness.visible() == ["the answer"]


@having(Ability.CHANGES)
async def test_an_edit_to_what_stands_changes_nothing(harness) -> None:
    sent = await send(harness, "hello")
    assert await edit(harness, sent.message, "hello") == sent
    assert await harness.visible() == ["hello"]


@having()
async def test_an_edit_of_nothing_is_an_adapter_error(harness) -> None:
    with pytest.raises(AdapterError):
        await edit(harness, "no such message", "x")


@having(Ability.CHANGES)
async def test_what_is_deleted_is_seen_no_more_and_deleting_may_be_repeated(harness) -> None:
    kept, gone = await send(harness, "kept", op_id="1"), await send(harness, "gone", op_id="2")
    for _ in range(2):
        await harness.adapter.delete(harness.account, harness.conversation, gone.message)
    assert await harness.visible() == ["kept"]
    assert await edit(harness, kept.message, "kept still") == kept


@having()
async def test_deleting_what_never_was_is_fine(harness) -> None:
    await harness.adapter.delete(harness.account, harness.conversation, "no such message")
    assert await harness.visible() == []


@having(Ability.CHANGES)
async def test_what_was_deleted_cannot_be_edited(harness) -> None:
    sent = await send(harness)
    await harness.adapter.delete(harness.account, harness.conversation, sent.message)
    with pytest.raises(Rejected):
        await edit(harness, sent.message, "back again")


@having(Ability.UNSURE)
async def test_a_possible_duplicate_says_so_and_goes_on_saying_it_when_edited(harness) -> None:
    sent = await send(harness, may_be_duplicate=True)
    [posted] = await harness.visible()
    assert (LABEL in posted, posted.endswith("hello")) == (True, True)
    if Ability.CHANGES in harness.lacks:
        return
    await edit(harness, sent.message, "edited", may_be_duplicate=True)
    [edited] = await harness.visible()
    assert (LABEL in edited, edited.endswith("edited")) == (True, True)


@having()
async def test_nothing_a_model_writes_pings_or_loads(harness) -> None:
    """A mention and an image come out as the characters they are."""
    await send(harness, parse("@everyone ![x](https://example.org/x.png)"))
    dead_link = getattr(harness, "dead_link", "https://example.org/x.png")
    assert await harness.visible() == [f"@everyone x ({dead_link})"]
