"""A call runs into what the test asked for, and what was done stands."""

import aiohttp
import pytest

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.faults import Fault
from tests.adapters.telegram_bot.raw_bot import RawBot


@pytest.fixture
def dm(control: Control):
    return control.people.private(control.people.user("Ann"))


@pytest.mark.parametrize(
    "case",
    [
        (Fault.RATE_LIMITED, 429, False),
        (Fault.RATE_LIMITED_SILENTLY, 429, False),
        (Fault.SERVER_ERROR, 500, False),
        (Fault.BAD_GATEWAY, 502, False),
        (Fault.BAD_GATEWAY_AFTER, 502, True),
        (Fault.UNAUTHORIZED, 401, False),
        (Fault.ENTITIES_REFUSED, 400, False),
        (Fault.SLOW, 200, True),
    ],
)
async def test_a_fault_that_is_answered(bot: RawBot, control: Control, dm, case) -> None:
    fault, status, stands = case
    control.fail(fault, slow_s=0.01)
    assert (await bot.send(dm, "x")).status == status
    assert bool(control.texts(dm)) is stands
    assert (await bot.send(dm, "y")).status == 200
    assert control.violations == []


@pytest.mark.parametrize(
    ("fault", "stands"), [(Fault.LOST_REQUEST, False), (Fault.LOST_RESPONSE, True)], ids=["before", "after"]
)
async def test_a_connection_is_cut_before_or_after(bot: RawBot, control: Control, dm, fault, stands) -> None:
    control.fail(fault)
    with pytest.raises(aiohttp.ClientError):
        await bot.send(dm, "x")
    assert bool(control.texts(dm)) is stands


@pytest.mark.parametrize(("fault", "stands"), [(Fault.HALF_OPEN, False), (Fault.SILENT, True)])
async def test_an_answer_never_comes(bot: RawBot, control: Control, dm, fault, stands) -> None:
    control.fail(fault)
    patience = aiohttp.ClientTimeout(total=0.3)
    with pytest.raises(TimeoutError):
        async with bot.session.post(
            bot.url("sendMessage"), json={"chat_id": dm.id, "text": "x"}, timeout=patience
        ):
            raise AssertionError("it was answered")
    assert bool(control.texts(dm)) is stands


async def test_a_429_says_how_long_to_wait_or_does_not(bot: RawBot, control: Control, dm) -> None:
    control.fail(Fault.RATE_LIMITED, retry_after_s=7)
    assert (await bot.send(dm, "x")).body == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 7",
        "parameters": {"retry_after": 7},
    }
    control.fail(Fault.RATE_LIMITED_SILENTLY)
    assert "parameters" not in (await bot.send(dm, "x")).body


async def test_a_flood_lasts_its_time_and_keeps_to_its_chat(bot: RawBot, control: Control, dm) -> None:
    other = control.people.private(control.people.user("Bo"))
    control.flood(10, dm)
    assert (await bot.send(dm, "x")).body["parameters"]["retry_after"] == 10
    assert (await bot.send(other, "x")).status == 200
    assert await bot.updates() == []
    control.advance(10.1)
    assert (await bot.send(dm, "x")).status == 200


async def test_a_fault_keeps_to_its_method_and_number(bot: RawBot, control: Control, dm) -> None:
    control.fail(Fault.SERVER_ERROR, "sendMessage", times=2)
    assert (await bot("sendChatAction", chat_id=dm.id, action="typing")).status == 200
    assert [(await bot.send(dm, "x")).status for _ in range(3)] == [500, 500, 200]
    assert [call.fault for call in control.journal.made("sendMessage")] == [
        "server_error",
        "server_error",
        "",
    ]


async def test_updates_fail_only_by_name(bot: RawBot, control: Control) -> None:
    control.fail(Fault.SERVER_ERROR, times=None)
    assert (await bot("getUpdates")).status == 200
    control.fail(Fault.SERVER_ERROR, "getUpdates")
    assert (await bot("getUpdates")).status == 500


async def test_spacing_can_be_read(bot: RawBot, control: Control, dm) -> None:
    for text in ("x", "y", "z"):
        await bot.send(dm, text)
    assert len(control.journal.gaps_s(dm.id, ["sendMessage"])) == 2


async def test_the_documented_rates_are_kept_where_that_is_asked(bot: RawBot, control: Control, dm) -> None:
    control.rules.enforces_rates = True
    assert [(await bot.send(dm, "x")).status for _ in range(4)] == [200, 200, 200, 429]
    group = control.people.group("Team", [control.people.user("Bo")])
    assert [(await bot.send(group, "x")).status for _ in range(21)].count(429) == 1
    control.advance(61)
    assert (await bot.send(group, "x")).status == 200
    assert control.violations == []
