"""Updates are asked for by one process at a time, and confirmed when the core has them."""

import asyncio
import contextlib

from adapters.base import AdapterState
from adapters.telegram.parse import kinds_wanted
from tests.adapters.telegram.conftest import Subject, subject_on
from tests.adapters.telegram_bot.faults import Fault


async def test_what_the_core_could_not_take_comes_again_in_order(subject: Subject, dm, ann) -> None:
    subject.sink.fails = True
    for text in ("one", "two", "three"):
        subject.control.talk.say(dm, ann, text)
    async with subject.polling() as sink:
        await subject.control.until(lambda: len(subject.control.journal.made("getUpdates")) > 3)
        assert len(subject.control.mailbox.pending()) == 3
        sink.fails = False
        events = await sink.first(3)
    assert [event.text for event in events] == ["one", "two", "three"]


async def test_what_was_taken_is_confirmed_although_something_behind_it_failed(subject: Subject, ann) -> None:
    bo = subject.control.people.user("Bo")
    here, there = subject.control.people.private(ann), subject.control.people.private(bo)
    taken = []
    accept = subject.sink.accept

    async def accept_some(event):
        if event.text == "bad":
            raise OSError("no commit")
        taken.append(event.text)
        return await accept(event)

    subject.sink.accept = accept_some
    for chat, who, text in ((here, ann, "one"), (there, bo, "bad"), (here, ann, "two"), (there, bo, "three")):
        subject.control.talk.say(chat, who, text)
    async with subject.polling():
        await subject.control.until(lambda: len(subject.control.mailbox.pending()) == 3)
    # One chat's trouble holds up its own order only; what comes again is known to the record.
    assert taken[:2] == ["one", "two"]
    assert "three" not in taken


async def test_an_update_that_cannot_be_read_holds_nothing_up(subject: Subject, dm, ann, caplog) -> None:
    subject.control.mailbox.tell("message", {"chat": "nonsense"}, lane="x", about="x")
    subject.control.talk.say(dm, ann, "a person")
    async with subject.polling() as sink:
        (event,) = await sink.first()
        await subject.control.until(lambda: not subject.control.mailbox.pending())
    assert event.text == "a person"
    assert [record.getMessage() for record in caplog.records if "cannot be read" in record.message]


async def test_a_process_that_ends_leaves_the_next_one_nothing_twice(subject: Subject, dm, ann) -> None:
    subject.control.talk.say(dm, ann, "one")
    async with subject.polling() as sink:
        await sink.first()
        await subject.control.until(lambda: not subject.control.mailbox.pending())
    subject.control.talk.say(dm, ann, "two")
    async with subject.polling() as sink:
        events = await sink.first(2)
    assert [event.text for event in events] == ["one", "two"]


async def test_one_of_two_replicas_polls_and_the_other_takes_over(telegram) -> None:
    async with subject_on(telegram) as one, subject_on(telegram) as other:
        other.platform.source._polling._lease = one.leases.of("telegram")
        ann = one.control.people.user("Ann")
        dm = one.control.people.private(ann)
        async with contextlib.AsyncExitStack() as first:
            await first.enter_async_context(one.polling())
            async with other.polling():
                one.control.talk.say(dm, ann, "one")
                await one.sink.first()
                assert other.sink.events == []
                await first.aclose()
                one.control.talk.say(dm, ann, "two")
                events = await other.sink.first()
    assert events[-1].text == "two"
    assert one.control.journal.conflicts == 0


async def test_a_webhook_that_is_set_is_taken_away_and_nothing_is_dropped(subject: Subject, dm, ann) -> None:
    subject.control.webhooks.set(None)
    await subject.platform.lifetime._calls("setWebhook", url="http://127.0.0.1:9/x")
    subject.control.talk.say(dm, ann, "waits")
    async with subject.polling() as sink:
        (event,) = await sink.first()
    assert event.text == "waits"
    assert subject.control.webhooks.hook is None


async def test_the_kinds_of_updates_are_named(subject: Subject) -> None:
    async with subject.polling():
        call = await subject.control.until(lambda: subject.control.journal.made("getUpdates"))
    assert tuple(call[0].params["allowed_updates"]) == kinds_wanted(drafts=True, inline=True, guest=True)


async def test_a_wrong_token_is_told_and_asked_again(subject: Subject, caplog) -> None:
    subject.control.fail(Fault.UNAUTHORIZED, "getMe", times=2)
    async with subject.polling():
        await subject.control.until(lambda: subject.platform.adapter.state is AdapterState.BAD_CREDENTIALS)
        await subject.control.until(lambda: subject.platform.adapter.state is AdapterState.CONNECTED)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("adapters")]
    assert sum("telegram.token" in line for line in lines) == 1
    assert not any(subject.fake.token in line for line in lines)


async def test_an_outage_ends_by_itself(subject: Subject, dm, ann) -> None:
    subject.control.fail(Fault.BAD_GATEWAY, "getUpdates", times=2)
    subject.control.fail(Fault.LOST_RESPONSE, "getUpdates")
    subject.control.fail(Fault.RATE_LIMITED_SILENTLY, "getMe")
    subject.control.talk.say(dm, ann, "after it")
    async with subject.polling() as sink:
        (event,) = await sink.first()
    assert event.text == "after it"


async def test_a_run_may_be_cancelled_and_begun_again(subject: Subject) -> None:
    for _ in range(2):
        async with subject.polling():
            await asyncio.sleep(0)
