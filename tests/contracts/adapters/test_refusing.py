"""What a platform refuses and what gets lost: told apart by what the core must do, and never repeated by ourselves."""

import pytest

from adapters.base import Idempotency
from adapters.errors import Ambiguous, RetryAfter, WindowClosed
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.harness import Loss
from tests.contracts.adapters.operations import edit, idempotency, send
from tests.contracts.adapters.subjects import having


@having(Ability.RATE_LIMITS)
@pytest.mark.parametrize("seconds", [7, None], ids=["said", "not said"])
async def test_a_429_says_when_to_come_again_and_nothing_was_sent(harness, seconds) -> None:
    await harness.limit(seconds)
    with pytest.raises(RetryAfter) as refused:
        await send(harness)
    assert refused.value.retryable
    assert refused.value.seconds == seconds if seconds else 0 < refused.value.seconds <= 10
    assert await harness.visible() == []
    await send(harness)
    assert await harness.visible() == ["hello"]


@having(Ability.RATE_LIMITS, Ability.CHANGES)
@pytest.mark.parametrize("seconds", [7, None], ids=["said", "not said"])
async def test_a_429_of_an_edit_leaves_what_stands(harness, seconds) -> None:
    sent = await send(harness, "one moment")
    await harness.limit(seconds)
    with pytest.raises(RetryAfter):
        await edit(harness, sent.message, "the answer")
    assert await harness.visible() == ["one moment"]
    await edit(harness, sent.message, "the answer")
    assert await harness.visible() == ["the answer"]


@having(Ability.LOST_ANSWERS, call_s=0.5)
@pytest.mark.parametrize("loss", list(Loss))
async def test_a_send_without_an_answer_is_in_doubt_and_is_not_repeated(harness, loss) -> None:
    await harness.lose(loss)
    with pytest.raises(Ambiguous) as doubt:
        await send(harness)
    assert not doubt.value.retryable
    assert await harness.visible() == ([] if loss is Loss.REQUEST else ["hello"])


@having(Ability.LOST_ANSWERS, call_s=0.5)
@pytest.mark.parametrize("loss", [Loss.ANSWER, Loss.SILENCE])
async def test_after_a_doubt_the_class_says_what_helps(harness, loss) -> None:
    await harness.lose(loss)
    with pytest.raises(Ambiguous):
        await send(harness)
    found = await harness.adapter.find("op-1", harness.account, harness.conversation)
    if idempotency(harness) is Idempotency.KEYED:
        await send(harness)
        assert await harness.visible() == ["hello"]
    elif idempotency(harness) is Idempotency.READ_BACK or getattr(harness, "looks_up", False):
        assert found is not None
    else:
        assert found is None
        await send(harness, may_be_duplicate=True)
        first, second = await harness.visible()
        assert (first, second == first) == ("hello", False)


@having(Ability.LOST_ANSWERS, Ability.CHANGES, call_s=0.5)
async def test_an_edit_without_an_answer_may_be_repeated(harness) -> None:
    sent = await send(harness, "one moment")
    await harness.lose(Loss.ANSWER)
    with pytest.raises(Ambiguous):
        await edit(harness, sent.message, "the answer")
    assert await edit(harness, sent.message, "the answer") == sent
    assert await harness.visible() == ["the answer"]


@having(Ability.WINDOWS)
async def test_outside_the_window_nothing_is_sent_and_a_message_opens_it(harness) -> None:
    await harness.close_window()
    with pytest.raises(WindowClosed):
        await send(harness)
    assert await harness.visible() == []
    assert await harness.deliver("k1")
    await send(harness)
    assert await harness.visible() == ["hello"]
