"""What we send on WhatsApp and SMS: once, within the window, and what cannot be sent says why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.base import AdapterState, Edit, Purpose, Send
from adapters.content import plain
from adapters.doubt import LABEL
from adapters.errors import (
    Ambiguous,
    AuthFailed,
    Gone,
    PolicyBlocked,
    RateScope,
    Rejected,
    RetryAfter,
    Unreachable,
    WindowClosed,
)
from adapters.markdown import parse
from adapters.records import RecordsUnavailable
from adapters.twilio.refusals import Suspended
from tests.adapters.twilio.world import ME, TwilioHarness
from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.cloud import ANN

DAY_S = 24 * 3600
OPERATION = Send(
    op_id="op", account=WHATSAPP_SENDER, conversation=ME, content=plain("hello"), purpose=Purpose.REPLY
)


async def test_markdown_is_whatsapps_and_only_known_links_are_live(twilio):
    await twilio.send(
        parse("**Bold** [a](https://example.org/a) [b](https://example.com/b)"),
        links=frozenset({"https://example.org/a"}),
    )
    assert await twilio.visible() == ["*Bold* a (https://example.org/a) b (https[://]example[.]com/b)"]


async def test_sms_is_plain_and_in_the_cheap_alphabet(twilio):
    sid = await twilio.send(parse("**Bold** \u2013 \u201cquoted\u201d"), account=SMS_SENDER, conversation=ANN)
    await twilio.visible()
    bubble = twilio.cloud.record.bubble(sid)
    assert (bubble.body, bubble.segments) == ('Bold - "quoted"', 1)


async def test_a_messaging_service_sends_sms(tmp_path):
    service = "MG" + "0" * 32
    async with TwilioHarness(messaging_service=service).running(tmp_path) as twilio:
        twilio.cloud.join_service(service, SMS_SENDER)
        sid = await twilio.send(account=SMS_SENDER, conversation=ANN)
        await twilio.send()
        await twilio.visible()
        assert twilio.cloud.record.bubble(sid).sender == SMS_SENDER
        assert twilio.cloud.violations() == []


async def test_what_is_sent_cannot_be_changed_and_taking_it_back_does_nothing(twilio):
    sent = await twilio.send()
    with pytest.raises(Rejected):
        await twilio.adapter.edit(
            Edit(
                op_id="e",
                account=WHATSAPP_SENDER,
                conversation=ME,
                message=sent,
                content=plain("x"),
                purpose=Purpose.REPLY,
            )
        )
    await twilio.adapter.delete(WHATSAPP_SENDER, ME, sent)
    assert await twilio.visible() == ["hello"]


@pytest.mark.parametrize("conversation", [ME, ANN], ids=["whatsapp", "sms"])
async def test_parts_fit_also_under_the_label(twilio, conversation):
    account = WHATSAPP_SENDER if conversation == ME else SMS_SENDER
    parts = twilio.adapter.split("🌱 word. " * 900, conversation)
    for number, part in enumerate(parts):
        operation = replace(OPERATION, op_id=f"p{number}", account=account, conversation=conversation)
        await twilio.adapter.send(replace(operation, content=parse(part), may_be_duplicate=True))
    seen = await twilio.visible()
    assert len(seen) == len(parts) > 1
    assert all(LABEL in text for text in seen)


class TestWindow:
    async def test_behind_24_hours_nothing_is_asked_of_twilio(self, twilio):
        await twilio.say("hi")
        twilio.cloud.advance(DAY_S + 60)
        with pytest.raises(WindowClosed):
            await twilio.send()
        assert twilio.cloud.calls("send") == []

    async def test_a_message_opens_it_again(self, twilio):
        await twilio.say("hi")
        twilio.cloud.advance(2 * DAY_S)
        await twilio.say("hi again")
        await twilio.send()
        assert await twilio.visible() == ["hello"]

    async def test_a_message_that_is_told_once_more_opens_nothing(self, twilio):
        sid = await twilio.say("hi")
        twilio.cloud.advance(DAY_S + 60)
        twilio.cloud.again(sid)
        await twilio.cloud.settled()
        with pytest.raises(WindowClosed):
            await twilio.send()

    async def test_what_whatsapp_says_of_it_counts(self, twilio):
        """Nobody here knows when a person wrote who did so before there was a webhook."""
        twilio.cloud.advance(DAY_S + 60)
        sid = await twilio.send("first")
        await twilio.cloud.settled()
        failed = twilio.sink.deliveries[-1]
        assert (failed.message, failed.state, failed.failure, failed.code) == (
            sid,
            "failed",
            "window_closed",
            "63016",
        )
        with pytest.raises(WindowClosed):
            await twilio.send("second")

    async def test_the_template_goes_in_place_of_the_answer(self, tmp_path):
        async with TwilioHarness().running(tmp_path) as before:
            sid = before.cloud.template("Your answer: {{1}}")
            settings = replace(before.settings, whatsapp_template=sid)
            before.adapter._settings = settings
            await before.say("hi")
            before.cloud.advance(DAY_S + 60)
            await before.send(parse("One\n\n**two**"))
            assert await before.visible() == ["Your answer: One *two*"]

    async def test_sms_has_none(self, twilio):
        twilio.cloud.advance(10 * DAY_S)
        await twilio.send(account=SMS_SENDER, conversation=ANN)
        assert await twilio.visible() == ["hello"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("fault", "seconds"),
        [
            ("too_many_silently", 1),
            ("channel_rate", 5),
            ("queue_full", 600),
            ("daily_limit", 3600),
        ],
        ids=str,
    )
    async def test_later_is_later_and_nothing_was_sent(self, twilio, fault, seconds):
        twilio.cloud.fault(fault)
        with pytest.raises(RetryAfter) as refused:
            await twilio.send()
        assert (refused.value.seconds, refused.value.scope) == (seconds, RateScope.ACCOUNT)
        assert await twilio.visible() == []

    async def test_whoever_stopped_is_gone(self, twilio):
        await twilio.say("STOP", channel="sms")
        with pytest.raises(Gone):
            await twilio.send(account=SMS_SENDER, conversation=ANN)

    async def test_another_country_or_sender_is_left_out(self, tmp_path):
        async with TwilioHarness(countries=("+44",)).running(tmp_path) as twilio:
            with pytest.raises(PolicyBlocked):
                await twilio.send()
            with pytest.raises(PolicyBlocked):
                await twilio.send(account="+15005550001", conversation="+447700900000")
            assert twilio.cloud.calls("send") == []

    async def test_wrong_credentials_are_the_operators_and_end_with_a_call_that_works(self, twilio, caplog):
        key, secret = next(iter(twilio.cloud.account.keys.items()))
        twilio.cloud.account.keys[key] = "another"
        for _ in range(2):
            with pytest.raises(AuthFailed):
                await twilio.send()
        assert twilio.adapter.state is AdapterState.BAD_CREDENTIALS
        twilio.cloud.account.keys[key] = secret
        await twilio.send()
        assert twilio.adapter.state is AdapterState.CONNECTED
        assert caplog.text.count("refuses our credentials") == 1

    async def test_a_shut_account_is_blocked(self, twilio):
        twilio.cloud.suspend()
        with pytest.raises(Suspended):
            await twilio.send()
        assert twilio.adapter.state is AdapterState.BLOCKED

    async def test_no_connection_is_unreachable(self, twilio):
        twilio.adapter._rest._settings = replace(twilio.settings, api_base="http://127.0.0.1:1")
        with pytest.raises(Unreachable):
            await twilio.send()
        assert twilio.adapter.state is AdapterState.TRANSIENT_DISCONNECT

    async def test_without_a_store_nothing_is_sent(self, twilio, monkeypatch):
        async def away(*_: object) -> None:
            raise RecordsUnavailable("away")

        monkeypatch.setattr(twilio.records, "append", away)
        with pytest.raises(Unreachable):
            await twilio.send()
        assert twilio.cloud.calls("send") == []


class TestDoubt:
    """Of most sends of which nobody knows what became it can be found out."""

    @pytest.mark.parametrize(
        ("fault", "was_sent"),
        [
            ("lost_request", False),
            ("lost_response", True),
            ("server_error", False),
            ("server_error_done", True),
            ("unavailable", False),
            ("silent", True),
        ],
    )
    async def test_it_is_found_exactly_where_it_was_sent(self, tmp_path, fault, was_sent):
        async with TwilioHarness(call_s=0.5).running(tmp_path) as twilio:
            twilio.cloud.fault(fault)
            with pytest.raises(Ambiguous):
                await twilio.send("in doubt", op_id="op")
            found = await twilio.adapter.find("op", WHATSAPP_SENDER, ME)
            texts = [bubble.body for bubble in twilio.cloud.bubbles(ANN) if not bubble.inbound]
            assert (found is not None, texts) == (was_sent, ["in doubt"] if was_sent else [])
            if found:
                assert twilio.cloud.record.bubble(found.message).body == "in doubt"

    async def test_what_still_waits_at_twilio_is_found(self, twilio):
        twilio.cloud.carrier.manner.by_itself = False
        sid = await twilio.send(op_id="op")
        found = await twilio.adapter.find("op", WHATSAPP_SENDER, ME)
        assert found.message == sid

    async def test_what_will_not_arrive_is_not_what_is_looked_for(self, twilio):
        twilio.cloud.fail(63018)
        await twilio.send(op_id="op")
        assert await twilio.adapter.find("op", WHATSAPP_SENDER, ME) is None

    async def test_it_is_found_under_its_label(self, twilio):
        sent = await twilio.adapter.send(replace(OPERATION, may_be_duplicate=True))
        assert await twilio.adapter.find("op", WHATSAPP_SENDER, ME) == sent

    async def test_an_older_message_with_the_same_words_is_another(self, twilio):
        await twilio.send("same", op_id="one")
        twilio.cloud.advance(60)
        twilio.cloud.fault("lost_request")
        with pytest.raises(Ambiguous):
            await twilio.send("same", op_id="two")
        assert await twilio.adapter.find("two", WHATSAPP_SENDER, ME) is None

    async def test_of_two_that_say_the_same_each_finds_its_own(self, twilio):
        first = await twilio.send("same", op_id="one")
        second = await twilio.send("same", op_id="two")
        assert [(await twilio.adapter.find(op, WHATSAPP_SENDER, ME)).message for op in ("one", "two")] == [
            first,
            second,
        ]

    async def test_a_later_one_is_not_taken_for_one_that_was_lost(self, twilio):
        twilio.cloud.fault("lost_request")
        with pytest.raises(Ambiguous):
            await twilio.send("same", op_id="one")
        await twilio.send("same", op_id="two")
        assert await twilio.adapter.find("one", WHATSAPP_SENDER, ME) is None

    async def test_what_was_never_tried_is_not_found(self, twilio):
        await twilio.send()
        assert await twilio.adapter.find("another", WHATSAPP_SENDER, ME) is None

    async def test_a_list_that_cannot_be_had_is_asked_for_again(self, twilio):
        await twilio.send(op_id="op")
        twilio.cloud.fault("server_error", endpoint="list")
        with pytest.raises((Ambiguous, Unreachable)):
            await twilio.adapter.find("op", WHATSAPP_SENDER, ME)
        assert await twilio.adapter.find("op", WHATSAPP_SENDER, ME)


class TestTyping:
    async def test_it_is_shown_for_the_last_message_and_marks_it_as_read(self, twilio):
        sid = await twilio.say("hi")
        await twilio.adapter.typing(WHATSAPP_SENDER, ME)
        assert twilio.cloud.sees_typing()
        assert twilio.cloud.record.bubble(sid).read_at is not None

    async def test_nobody_who_never_wrote_and_nobody_on_sms_sees_it(self, twilio):
        await twilio.say("hi", channel="sms")
        await twilio.adapter.typing(WHATSAPP_SENDER, "whatsapp:+49170111")
        await twilio.adapter.typing(SMS_SENDER, ANN)
        assert twilio.cloud.calls("typing") == []
        assert twilio.adapter.capabilities(ANN).typing_lasts_s == 0


class TestStatuses:
    async def test_each_state_is_told_and_the_price_once_it_has_arrived(self, twilio):
        sid = await twilio.send()
        await twilio.cloud.settled()
        told = [(each.state, each.price, each.currency) for each in twilio.sink.deliveries]
        assert {each.message for each in twilio.sink.deliveries} == {sid}
        assert told == [
            ("queued", "", ""),
            ("sent", "", ""),
            ("delivered", "0.00500", "USD"),
            ("read", "", ""),
        ]

    @pytest.mark.parametrize(
        ("code", "failure"),
        [
            (63016, "window_closed"),
            (63024, "gone"),
            (63018, "limited"),
            (63013, "policy"),
            (63028, "refused"),
        ],
    )
    async def test_a_failure_says_what_can_be_done(self, twilio, code, failure):
        twilio.cloud.fail(code)
        await twilio.send()
        await twilio.cloud.settled()
        last = twilio.sink.deliveries[-1]
        assert (last.state, last.failure, last.code) == ("failed", failure, str(code))

    async def test_a_price_that_cannot_be_read_costs_no_status(self, tmp_path):
        async with TwilioHarness(quote_s=0.3).running(tmp_path) as twilio:
            twilio.cloud.fault("half_open", endpoint="fetch", times=None)
            await twilio.send()
            await twilio.cloud.settled()
            assert [each.state for each in twilio.sink.deliveries][-1] == "read"

    async def test_what_cannot_be_committed_is_told_again(self, twilio):
        twilio.sink.fails = True
        sid = await twilio.send()
        await twilio.cloud.settled()
        statuses = [told.status for told in twilio.cloud.deliveries(sid) if told.what == "delivered"]
        assert statuses == [503] * 6


async def test_old_notes_are_swept(twilio):
    await twilio.say("hi")
    await twilio.send(op_id="op")
    assert await twilio.platform.source.sweep() == 0
    twilio.cloud.advance(timedelta(days=3).total_seconds())
    assert await twilio.platform.source.sweep() == 1
    twilio.cloud.advance(timedelta(days=5).total_seconds())
    assert await twilio.platform.source.sweep() == 1
