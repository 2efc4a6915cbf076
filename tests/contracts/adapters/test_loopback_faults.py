"""What a caller and a person see of each fault of the platform in memory."""

import asyncio
import contextlib

import pytest

from adapters.base import Idempotency
from adapters.errors import AdapterError
from adapters.loopback.faults import Fault
from tests.contracts.adapters.loopback_world import LoopbackHarness
from tests.contracts.adapters.operations import send


@pytest.fixture
def loopback() -> LoopbackHarness:
    return LoopbackHarness(Idempotency.NONE)


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_fault_is_raised_once(loopback, fault) -> None:
    loopback.adapter.faults.next_call(fault)
    with pytest.raises(AdapterError) as raised:
        await send(loopback)
    assert await loopback.visible() == (["hello"] if fault is Fault.LOST_ANSWER else [])
    assert raised.value.retryable is (fault in (Fault.RETRY_AFTER, Fault.UNREACHABLE))
    await send(loopback, "again", op_id="op-2")
    assert (await loopback.visible())[-1] == "again"


async def test_a_lost_answer_shows_twice_on_class_c_when_sent_again(loopback) -> None:
    loopback.adapter.faults.next_call(Fault.LOST_ANSWER)
    with contextlib.suppress(AdapterError):
        await send(loopback)
    await send(loopback)
    assert await loopback.visible() == ["hello", "hello"]


async def test_a_held_call_waits_until_released(loopback) -> None:
    loopback.adapter.faults.hold()
    sending = asyncio.create_task(send(loopback))
    await loopback.adapter.faults.waiting.wait()
    assert await loopback.visible() == []
    loopback.adapter.faults.release()
    await sending
    assert await loopback.visible() == ["hello"]
