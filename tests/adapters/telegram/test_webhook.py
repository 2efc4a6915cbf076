"""Telegram calls us: nothing without the secret, and no 2xx before the core has it."""

import json

import pytest

from adapters.base import RawRequest
from adapters.telegram.settings import TelegramRefused, checked
from tests.adapters.telegram.conftest import SECRET, settings_for, subject_on

PUBLIC = "https://bot.example.org"


@pytest.fixture
async def subject(telegram):
    async with subject_on(telegram, public_url=PUBLIC, secret_token=SECRET) as subject:
        yield subject


def update(text="hi", **others):
    user = {"id": 7, "is_bot": False, "first_name": "Ann"}
    message = {"message_id": 5, "date": 4_000_000_000, "chat": {"id": 7, "type": "private"}, "from": user}
    return {"update_id": 1, "message": message | {"text": text} | others}


async def deliver(subject, body, **headers):
    (webhook,) = subject.platform.webhooks
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = RawRequest(method="POST", path=webhook.path, headers=headers, body=raw)
    return (await webhook.ingest(request, subject.sink)).status


SIGNED = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Telegram-Bot-Api-Secret-Token": ""}, {"X-Telegram-Bot-Api-Secret-Token": SECRET + "x"}],
    ids=["none", "empty", "wrong"],
)
async def test_without_the_secret_nothing_is_believed(subject, headers) -> None:
    assert await deliver(subject, update(), **headers) == 401
    assert subject.sink.events == []
    assert subject.control.journal.calls.__len__() == 0


@pytest.mark.parametrize("name", ["X-Telegram-Bot-Api-Secret-Token", "x-telegram-bot-api-secret-token"])
async def test_with_the_secret_it_is_taken(subject, name) -> None:
    assert await deliver(subject, update(), **{name: SECRET}) == 200
    assert [event.text for event in subject.sink.events] == ["hi"]


async def test_what_the_core_could_not_take_is_not_acknowledged(subject) -> None:
    subject.sink.fails = True
    with pytest.raises(OSError, match="no commit"):
        await deliver(subject, update(), **SIGNED)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b'{"update_id": "x", "message": 5}'], ids=repr)
async def test_nonsense_with_the_secret_is_taken_so_that_nothing_waits_behind_it(subject, body) -> None:
    assert await deliver(subject, body, **SIGNED) == 200
    assert subject.sink.events == []


async def test_the_webhook_is_set_with_its_secret_and_what_waits_stays(subject) -> None:
    ann = subject.control.people.user("Ann")
    subject.control.talk.say(subject.control.people.private(ann), ann, "waits")
    async with subject.polling():
        await subject.control.until(lambda: subject.control.webhooks.hook)
    hook = subject.control.webhooks.hook
    assert (hook.url, hook.secret) == (f"{PUBLIC}/hooks/telegram", SECRET)
    assert len(subject.control.mailbox.told()) == 1


async def test_a_platform_that_polls_has_no_route(telegram) -> None:
    async with subject_on(telegram) as polling:
        assert polling.platform.webhooks == ()


@pytest.mark.parametrize(
    ("others", "named"),
    [
        ({"token": "x"}, "telegram.token"),
        ({"public_url": PUBLIC}, "telegram.secret_token"),
        ({"public_url": PUBLIC, "secret_token": "short"}, "telegram.secret_token"),
        ({"secret_token": SECRET}, "telegram.public_url"),
    ],
    ids=["token", "no-secret", "short-secret", "no-address"],
)
async def test_what_is_not_safe_is_refused_with_what_to_do(telegram, others, named) -> None:
    with pytest.raises(TelegramRefused, match=named) as refused:
        checked(settings_for(telegram, **others))
    assert telegram.token not in str(refused.value)
