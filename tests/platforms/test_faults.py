"""What the adapter of a fake platform is told of each fault, and what the platform's users see."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Edit, LiveOutput, Purpose, Send, Sent
from adapters.content import plain
from adapters.doubt import LABEL
from adapters.errors import AdapterError, Ambiguous, Rejected, RetryAfter, Unreachable
from adapters.registry import PlatformClass
from tests.platforms.adapter import CloudAdapter
from tests.platforms.client import ACCOUNT
from tests.platforms.cloud_settings import CloudSettings
from tests.platforms.harness import CloudHarness
from tests.platforms.seen import Endpoint, Fault

#: Short, so that a call that nobody answers ends soon.
IMPATIENT_S = 0.4

#: By fault: what the caller is told, and whether it happened.
TOLD = [
    (Fault.LOST_REQUEST, Ambiguous, False),
    (Fault.LOST_RESPONSE, Ambiguous, True),
    (Fault.RATE_LIMITED, RetryAfter, False),
    (Fault.RATE_LIMITED_SILENTLY, RetryAfter, False),
    (Fault.SERVER_ERROR, Ambiguous, False),
    (Fault.UNAVAILABLE, Unreachable, False),
    (Fault.HALF_OPEN, Ambiguous, False),
    (Fault.SILENT, Ambiguous, True),
]
faults = pytest.mark.parametrize(("fault", "error", "happened"), TOLD, ids=[fault for fault, *_ in TOLD])


@pytest.fixture(params=list(PlatformClass))
async def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CloudHarness]:
    async with CloudHarness(request.param).running(tmp_path) as harness:
        yield harness


@pytest.fixture
async def read_back(tmp_path: Path) -> AsyncIterator[CloudHarness]:
    async with CloudHarness(PlatformClass.B).running(tmp_path) as harness:
        yield harness


@asynccontextmanager
async def under(cloud: CloudHarness, fault: Fault, endpoint: Endpoint) -> AsyncIterator[CloudHarness]:
    """Let the next call run into a fault; a caller that nobody will answer does not wait long."""
    await cloud.client.fault(fault, endpoint=endpoint)
    patient = cloud.adapter
    if fault in (Fault.HALF_OPEN, Fault.SILENT):
        async with CloudAdapter(replace(patient.settings, call_s=IMPATIENT_S)) as cloud.adapter:
            yield cloud
    else:
        yield cloud
    cloud.adapter = patient


async def send(cloud: CloudHarness, *, op_id: str = "op-1", may_be_duplicate: bool = False) -> Sent:
    return await cloud.adapter.send(
        Send(
            op_id=op_id,
            account=ACCOUNT,
            conversation="room",
            content=plain("hello"),
            purpose=Purpose.REPLY,
            may_be_duplicate=may_be_duplicate,
        )
    )


async def edit(cloud: CloudHarness, message: str) -> Sent:
    return await cloud.adapter.edit(
        Edit(
            op_id="op-2",
            account=ACCOUNT,
            conversation="room",
            message=message,
            content=plain("other words"),
            purpose=Purpose.REPLY,
        )
    )


def test_every_fault_is_in_the_table():
    assert {fault for fault, *_ in TOLD} == set(Fault) - {Fault.SLOW}


@faults
async def test_a_send(cloud, fault, error, happened):
    async with under(cloud, fault, Endpoint.SEND):
        with pytest.raises(error) as raised:
            await send(cloud)
    assert raised.value.retryable is issubclass(error, RetryAfter | Unreachable)
    assert await cloud.visible() == (["hello"] if happened else [])


@faults
async def test_an_edit(cloud, fault, error, happened):
    sent = await send(cloud)
    async with under(cloud, fault, Endpoint.EDIT):
        with pytest.raises(error):
            await edit(cloud, sent.message)
    assert await cloud.visible() == (["other words"] if happened else ["hello"])


@faults
async def test_a_deletion(cloud, fault, error, happened):
    """Also shows that aiohttp does not repeat a request of its own accord, which it does for DELETE."""
    sent = await send(cloud)
    async with under(cloud, fault, Endpoint.DELETE):
        with pytest.raises(error):
            await cloud.adapter.delete(ACCOUNT, "room", sent.message)
    assert await cloud.visible() == ([] if happened else ["hello"])


@faults
async def test_a_look(read_back, fault, error, happened):
    await send(read_back)
    async with under(read_back, fault, Endpoint.FIND):
        with pytest.raises(error):
            await read_back.adapter.find("op-1", ACCOUNT, "room")


async def test_a_slow_call_is_done_late_and_may_be_done_after_the_caller_gave_up(cloud):
    await cloud.client.fault(Fault.SLOW, slow_s=IMPATIENT_S / 8)
    await send(cloud)
    await cloud.client.fault(Fault.SLOW, slow_s=IMPATIENT_S * 1.5)
    async with CloudAdapter(replace(cloud.adapter.settings, call_s=IMPATIENT_S)) as cloud.adapter:
        with pytest.raises(Ambiguous):
            await send(cloud, op_id="op-2")
    seen = await cloud.client.until(lambda seen: len(seen.texts("room")) > 1)
    assert seen.texts("room") == ["hello", "hello"]


async def test_a_429_says_how_long_to_wait(cloud):
    await cloud.client.fault(Fault.RATE_LIMITED, retry_after_s=7.5)
    with pytest.raises(RetryAfter) as raised:
        await send(cloud)
    assert raised.value.seconds == 7.5


async def test_faults_meet_so_many_calls_of_one_endpoint_and_conversation(cloud):
    await cloud.client.fault(Fault.UNAVAILABLE, endpoint=Endpoint.SEND, conversation="room", times=2)
    await cloud.client.fault(Fault.UNAVAILABLE, conversation="elsewhere", times=None)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await send(cloud)
    await send(cloud)
    assert await cloud.visible() == ["hello"]


@pytest.mark.parametrize("cloud", [PlatformClass.A], indirect=True)
async def test_what_is_drawn_comes_from_the_seed(cloud, tmp_path_factory):
    async def drawn(harness: CloudHarness) -> list[bool]:
        await harness.client.fault(Fault.UNAVAILABLE, times=None, probability=0.5)
        return [await _goes_through(harness, f"op-{number}") for number in range(20)]

    first = await drawn(cloud)
    async with CloudHarness(PlatformClass.A).running(tmp_path_factory.mktemp("again")) as again:
        assert await drawn(again) == first
    assert len(set(first)) == 2


async def _goes_through(harness: CloudHarness, op_id: str) -> bool:
    try:
        await send(harness, op_id=op_id)
    except AdapterError:
        return False
    return True


async def test_calm_ends_every_fault(cloud):
    await cloud.client.fault(Fault.UNAVAILABLE, times=None)
    await cloud.client.calm()
    await send(cloud)


async def test_the_faults_that_struck_stand_in_the_record(cloud):
    await cloud.client.fault(Fault.LOST_RESPONSE)
    with pytest.raises(Ambiguous):
        await send(cloud)
    (injected,) = (await cloud.client.seen()).faults
    assert (injected.fault, injected.endpoint, injected.operation) == ("lost_response", "send", "op-1")


@pytest.mark.parametrize(
    ("platform_class", "shown"),
    [(PlatformClass.A, ["hello"]), (PlatformClass.B, ["hello"]), (PlatformClass.C, ["hello"] * 2)],
    ids=str,
)
async def test_resolving_a_lost_response_as_each_class_allows(tmp_path, platform_class, shown):
    """A honours the key, B is looked up, C shows it twice and says so."""
    async with CloudHarness(platform_class).running(tmp_path) as cloud:
        await cloud.client.fault(Fault.LOST_RESPONSE)
        with pytest.raises(Ambiguous):
            await send(cloud)
        if await cloud.adapter.find("op-1", ACCOUNT, "room") is None:
            await send(cloud, may_be_duplicate=platform_class is PlatformClass.C)
        visible = await cloud.visible()
    assert [text.replace(f"*{LABEL}*\n\n", "") for text in visible] == shown
    assert [LABEL in text for text in visible] == [False] * (len(shown) - 1) + [
        platform_class is PlatformClass.C
    ]


async def test_nobody_there_is_told_as_not_happened():
    settings = CloudSettings(name="gone", url="http://127.0.0.1:9", platform_class=PlatformClass.C)
    async with CloudAdapter(settings) as adapter:
        with pytest.raises(Unreachable):
            await adapter.find("op", ACCOUNT, "room") or await adapter.delete(ACCOUNT, "room", "m")


async def test_a_platform_without_edits_refuses_them(tmp_path):
    async with CloudHarness(PlatformClass.C, live=LiveOutput.NONE).running(tmp_path) as cloud:
        sent = await send(cloud)
        with pytest.raises(Rejected):
            await edit(cloud, sent.message)
        assert await cloud.visible() == ["hello"]


async def test_calls_at_once_are_all_served(cloud):
    await asyncio.gather(*(send(cloud, op_id=f"op-{number}") for number in range(20)))
    assert await cloud.visible() == ["hello"] * 20
