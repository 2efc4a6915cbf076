"""Updates come by polling or by webhook, each until it is confirmed, those of one chat in their order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.raw_bot import RawBot
from tests.adapters.telegram_bot.webhooks import SECRET


@pytest.fixture
def ann(control: Control):
    return control.people.user("Ann")


@pytest.fixture
def dm(control: Control, ann):
    return control.people.private(ann)


@dataclass
class Gateway:
    """Takes webhooks as it is told to."""

    url: str = ""
    answers: list[Callable[[], web.Response]] = field(default_factory=list)
    told: list[dict] = field(default_factory=list)
    headers: list = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.told.append(await request.json())
        self.headers.append(request.headers)
        return self.answers.pop(0)() if self.answers else web.Response()

    @property
    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.told]


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    taking, app = Gateway(), web.Application()
    app.router.add_post("/hook", taking.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        taking.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield taking
    finally:
        await runner.cleanup()


async def test_an_update_comes_again_until_a_higher_offset_confirms_it(
    bot: RawBot, control: Control, dm, ann
) -> None:
    for text in ("one", "two", "three"):
        control.talk.say(dm, ann, text)
    first, second, third = await bot.updates(limit=100)
    assert await bot.updates(limit=1) == [first]
    assert await bot.updates(offset=second["update_id"]) == [second, third]
    assert await bot.updates(offset=-1) == [third]
    assert await bot.updates(offset=third["update_id"] + 1) == []


async def test_a_poll_waits_for_what_comes(bot: RawBot, control: Control, dm, ann) -> None:
    poll = asyncio.create_task(bot.updates(timeout=20))
    await control.until(lambda: control.journal.made("getUpdates"))
    control.talk.say(dm, ann, "hello")
    assert (await poll)[0]["message"]["text"] == "hello"


async def test_a_second_poll_ends_the_first(bot: RawBot, control: Control) -> None:
    first = asyncio.create_task(bot("getUpdates", timeout=20))
    await control.until(lambda: control.journal.made("getUpdates"))
    second = asyncio.create_task(bot("getUpdates", timeout=0))
    answer = await first
    assert (answer.status, "terminated by other getUpdates request" in answer.why) == (409, True)
    assert (await second).result == []
    assert control.journal.conflicts == 1


async def test_polling_and_a_webhook_exclude_each_other(bot: RawBot) -> None:
    await bot("setWebhook", url="http://127.0.0.1:9/hook", secret_token="s")  # noqa: S106 - it guards nothing
    answer = await bot("getUpdates")
    assert (answer.status, "while webhook is active" in answer.why) == (409, True)
    await bot("deleteWebhook")
    assert await bot.updates() == []


async def test_only_what_was_asked_for_is_told(bot: RawBot, control: Control, dm, ann) -> None:
    await bot.updates(allowed_updates=["edited_message"])
    said = control.talk.say(dm, ann, "one")
    control.talk.edit(said, "two")
    assert [set(update) for update in await bot.updates()] == [{"update_id", "edited_message"}]


async def test_a_kind_of_update_that_does_not_exist_is_blamed(bot: RawBot, control: Control) -> None:
    assert (await bot("getUpdates", allowed_updates=["mesage"])).status == 400
    assert len(control.violations) == 1


async def test_an_update_is_lost_after_24_hours(bot: RawBot, control: Control, dm, ann) -> None:
    control.talk.say(dm, ann, "one")
    control.advance(86_401)
    assert await bot.updates() == []


async def test_dropping_what_people_said_is_blamed(bot: RawBot, control: Control, dm, ann) -> None:
    await bot("deleteWebhook", drop_pending_updates=True)
    assert control.violations == []
    control.talk.say(dm, ann, "one")
    await bot("deleteWebhook", drop_pending_updates=True)
    assert len(control.violations) == 1


async def test_a_webhook_carries_the_secret_and_is_told_what_waited(
    bot: RawBot, control: Control, dm, ann
) -> None:
    control.talk.say(dm, ann, "one")
    async with gateway() as taking:
        await bot("setWebhook", url=taking.url, secret_token="abc")  # noqa: S106 - it guards nothing
        control.talk.say(dm, ann, "two")
        await control.until(lambda: len(taking.told) == 2 and not control.mailbox.pending())
        assert taking.texts == ["one", "two"]
        assert {headers[SECRET] for headers in taking.headers} == {"abc"}
        info = (await bot("getWebhookInfo")).result
        assert (info["url"], info["pending_update_count"]) == (taking.url, 0)


async def test_a_chat_waits_for_its_first_update_while_others_go_on(
    bot: RawBot, control: Control, dm, ann
) -> None:
    bo = control.people.user("Bo")
    async with gateway() as taking:
        taking.answers = [lambda: web.Response(status=503), lambda: web.Response(status=500)]
        await bot("setWebhook", url=taking.url)
        control.talk.say(dm, ann, "one")
        control.talk.say(dm, ann, "two")
        await control.until(lambda: len(taking.told) >= 2)
        control.talk.say(control.people.private(bo), bo, "other")
        await control.until(lambda: not control.mailbox.pending())
        assert [text for text in taking.texts if text != "other"] == ["one", "one", "one", "two"]
        assert control.mailbox.told()[0].statuses == [503, 500, 200]


async def test_retry_after_is_honoured(bot: RawBot, control: Control, dm, ann) -> None:
    async with gateway() as taking:
        taking.answers = [lambda: web.Response(status=429, headers={"Retry-After": "3600"})]
        await bot("setWebhook", url=taking.url)
        control.talk.say(dm, ann, "one")
        await control.until(lambda: control.mailbox.told()[0].statuses)
        await control.news.wait(0.3)
        assert control.mailbox.told()[0].statuses == [429]


async def test_a_method_in_the_answer_is_blamed(bot: RawBot, control: Control, dm, ann) -> None:
    async with gateway() as taking:
        taking.answers = [lambda: web.json_response({"method": "sendMessage", "chat_id": 1, "text": "x"})]
        await bot("setWebhook", url=taking.url)
        control.talk.say(dm, ann, "one")
        await control.until(lambda: control.violations)
        assert control.texts() == []


async def test_an_update_can_come_twice(bot: RawBot, control: Control, dm, ann) -> None:
    async with gateway() as taking:
        await bot("setWebhook", url=taking.url)
        control.talk.say(dm, ann, "one")
        await control.until(lambda: not control.mailbox.pending())
        control.again(control.mailbox.told()[0])
        await control.until(lambda: len(taking.told) == 2)
        assert taking.told[0] == taking.told[1]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://bot.test/hook", "An HTTPS URL must be provided"),
        ("https://bot.test:9000/hook", "only on ports 80, 88, 443 or 8443"),
        ("nowhere", "invalid webhook URL"),
    ],
)
async def test_the_public_server_takes_https_on_four_ports(bot: RawBot, control: Control, url, why) -> None:
    control.rules.local = False
    assert why in (await bot("setWebhook", url=url)).why


@pytest.mark.parametrize("secret", ["with space", "", "x" * 257])
async def test_a_secret_has_a_few_characters_only(bot: RawBot, control: Control, secret) -> None:
    assert (await bot("setWebhook", url="http://127.0.0.1:9/", secret_token=secret)).status == 400
    assert len(control.violations) == 1
