"""What the bot is set to at BotFather is told with the exact remedy."""

import pytest

from adapters.base import AdapterState
from adapters.checking import Standing
from adapters.errors import AuthFailed, Unreachable
from tests.adapters.telegram.conftest import SECRET, Subject, subject_on
from tests.adapters.telegram_bot.faults import Fault


async def findings(subject: Subject):
    assert subject.platform.checks is not None
    return {finding.name: finding for finding in await subject.platform.checks.check()}


async def test_what_is_missing_is_named_with_what_to_do(subject: Subject) -> None:
    rules = subject.control.rules
    rules.inline = rules.guests = False
    found = await findings(subject)
    assert found["bot"].found == "The bot is @aside_bot."
    for name, remedy in (
        ("privacy mode", "/setprivacy"),
        ("inline mode", "/setinlinefeedback"),
        ("guest mode", "Guest Mode"),
    ):
        assert found[name].standing is Standing.WARN
        assert remedy in found[name].remedy
    assert "add it again" in found["privacy mode"].remedy


async def test_what_is_as_it_should_be_asks_for_nothing(subject: Subject) -> None:
    subject.control.rules.reads_all = True
    found = await findings(subject)
    assert [(name, each.remedy) for name, each in found.items() if each.standing is not Standing.OK] == []


async def test_what_is_switched_off_is_not_asked_for(telegram) -> None:
    telegram.control.rules.inline = telegram.control.rules.guests = False
    async with subject_on(telegram, inline=False, guest=False) as subject:
        assert {"inline mode", "guest mode"}.isdisjoint(await findings(subject))


async def test_a_webhook_that_is_not_set_and_one_that_fails_are_told(telegram) -> None:
    async with subject_on(telegram, public_url="https://bot.example.org", secret_token=SECRET) as subject:
        assert (await findings(subject))["webhook"].standing is Standing.WARN
        await subject.platform.checks.set_webhook()
        assert (await findings(subject))["webhook"].standing is Standing.OK
        subject.control.webhooks.last_error = (0.0, "Connection refused")
        assert "Connection refused" in (await findings(subject))["webhook"].found


async def test_a_check_changes_nothing(subject: Subject, dm, ann) -> None:
    subject.control.talk.say(dm, ann, "waits")
    await findings(subject)
    assert {call.method for call in subject.control.journal.calls} == {"getMe", "getWebhookInfo"}
    assert len(subject.control.mailbox.pending()) == 1


async def test_a_token_that_is_refused_is_an_error(subject: Subject) -> None:
    subject.control.fail(Fault.UNAUTHORIZED, "getMe")
    with pytest.raises(AuthFailed):
        await findings(subject)
    assert subject.platform.adapter.state is AdapterState.BAD_CREDENTIALS


async def test_an_address_where_nobody_answers_is_an_error(telegram) -> None:
    async with subject_on(telegram, base_url="http://127.0.0.1:9/bot") as subject:
        with pytest.raises(Unreachable):
            await findings(subject)


async def test_what_is_missing_is_logged_once_at_start_without_the_token(subject: Subject, caplog) -> None:
    async with subject.polling():
        await subject.control.until(lambda: subject.control.journal.made("getUpdates"))
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("adapters.telegram")]
    assert sum("/setprivacy" in line for line in lines) == 1
    assert not any(subject.fake.token in line for line in lines)
