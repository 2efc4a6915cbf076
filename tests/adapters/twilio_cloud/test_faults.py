"""Credentials, limits, failures and cut connections, each as Twilio's callers meet them."""

import asyncio
from http import HTTPStatus

import aiohttp
import pytest

from tests.adapters.twilio_cloud.cloud import ANN, address
from tests.adapters.twilio_cloud.harness import basic
from tests.adapters.twilio_cloud.shown import Endpoint, Fault
from tests.fixtures.eventually import eventually

ME = address(ANN)


@pytest.mark.parametrize(
    ("user", "secret", "well"),
    [
        pytest.param("account", "primary-token", True, id="the account's token"),
        pytest.param("account", "wrong", False, id="a wrong token"),
        pytest.param("account", "", False, id="no token"),
        pytest.param("SK" + "fedcba9876543210" * 2, "key-secret", True, id="a key"),
        pytest.param("SK" + "fedcba9876543210" * 2, "primary-token", False, id="a key with the token"),
        pytest.param("SK" + "0" * 32, "key-secret", False, id="an unknown key"),
    ],
)
async def test_who_may_call(cloud, caller, user, secret, well):
    caller.auth = basic(cloud.account.sid if user == "account" else user, secret)
    status, answer = await caller.get(caller.messages)
    assert status == (HTTPStatus.OK if well else HTTPStatus.UNAUTHORIZED)
    assert answer.get("code") == (None if well else 20003)


@pytest.mark.parametrize("header", ["Bearer x", "Basic", "Basic ***", "Basic /w=="])
async def test_no_basic_authorization(caller, header):
    caller.auth = {"Authorization": header}
    assert (await caller.get(caller.messages))[0] == HTTPStatus.UNAUTHORIZED


async def test_somebody_elses_account(cloud, caller):
    url = caller.messages.replace(cloud.account.sid, "AC" + "f" * 32)
    assert (await caller.get(url))[0] == HTTPStatus.UNAUTHORIZED


async def test_rotation(cloud, caller):
    caller.auth = basic(cloud.account.sid, "second")
    assert (await caller.get(caller.messages))[0] == HTTPStatus.UNAUTHORIZED
    cloud.rotate("second")
    assert (await caller.get(caller.messages))[0] == HTTPStatus.OK
    cloud.rotate("second", promote=True)
    assert (await caller.get(caller.messages))[0] == HTTPStatus.OK
    caller.auth = basic(cloud.account.sid, "primary-token")
    assert (await caller.get(caller.messages))[0] == HTTPStatus.UNAUTHORIZED


async def test_a_suspended_account(cloud, caller):
    cloud.suspend()
    status, answer = await caller.send()
    assert (status, answer["code"]) == (HTTPStatus.FORBIDDEN, 20005)
    cloud.suspend(active=True)
    assert (await caller.send())[0] == HTTPStatus.CREATED


@pytest.mark.parametrize(
    ("fault", "status", "code", "done"),
    [
        (Fault.TOO_MANY, 429, 20429, 0),
        (Fault.TOO_MANY_SILENTLY, 429, 20429, 0),
        (Fault.CHANNEL_RATE, 429, 63018, 0),
        (Fault.DAILY_LIMIT, 429, 63038, 0),
        (Fault.QUEUE_FULL, 429, 21611, 0),
        (Fault.SERVER_ERROR, 500, 20500, 0),
        (Fault.SERVER_ERROR_DONE, 500, 20500, 1),
        (Fault.UNAVAILABLE, 503, 20503, 0),
    ],
    ids=str,
)
async def test_a_fault_that_is_answered(cloud, caller, *, fault, status, code, done):
    cloud.fault(fault, endpoint=Endpoint.SEND)
    answered, answer = await caller.send()
    assert (answered, answer["code"]) == (status, code)
    assert len(cloud.bubbles()) == done
    assert (await caller.send())[0] == HTTPStatus.CREATED


@pytest.mark.parametrize(("fault", "wait"), [(Fault.TOO_MANY, "3"), (Fault.TOO_MANY_SILENTLY, None)], ids=str)
async def test_a_429_may_say_how_long_to_wait(cloud, caller, fault, wait):
    cloud.fault(fault, retry_after_s=3.0)
    async with caller.session.get(caller.messages, headers=caller.auth) as answer:
        assert answer.headers.get("Retry-After") == wait


@pytest.mark.parametrize(("fault", "done"), [(Fault.LOST_REQUEST, 0), (Fault.LOST_RESPONSE, 1)], ids=str)
async def test_a_cut_connection(cloud, caller, fault, done):
    cloud.fault(fault)
    with pytest.raises(aiohttp.ClientError):
        await caller.send()
    _, found = await caller.get(caller.messages, To=ME)
    assert len(found["messages"]) == done


@pytest.mark.parametrize(("fault", "done"), [(Fault.HALF_OPEN, 0), (Fault.SILENT, 1)], ids=str)
async def test_an_answer_that_never_comes(cloud, caller, fault, done):
    cloud.fault(fault)

    async def struck():
        return bool(cloud.calls(Endpoint.SEND))

    sending = asyncio.create_task(caller.send())
    await eventually(struck)
    assert not sending.done()
    sending.cancel()
    assert len(cloud.bubbles()) == done


async def test_a_slow_call_is_done(cloud, caller):
    cloud.fault(Fault.SLOW, slow_s=0.01)
    assert (await caller.send())[0] == HTTPStatus.CREATED


async def test_a_fault_meets_one_person(cloud, caller):
    cloud.fault(Fault.SERVER_ERROR, to="whatsapp:+491709999999", times=None)
    assert (await caller.send())[0] == HTTPStatus.CREATED
    assert (await caller.send(To="whatsapp:+491709999999"))[0] == HTTPStatus.INTERNAL_SERVER_ERROR
    cloud.calm()
    assert (await caller.send(To="whatsapp:+491709999999"))[0] == HTTPStatus.CREATED


async def test_every_call_is_recorded(cloud, caller):
    cloud.fault(Fault.TOO_MANY)
    await caller.send()
    await caller.send(Body="")
    await caller.send()
    calls = cloud.calls(Endpoint.SEND)
    assert [(call.status, call.code, call.fault) for call in calls] == [
        (429, 20429, "too_many"),
        (400, 21619, None),
        (201, None, None),
    ]
    assert {call.person for call in calls} == {ME}
