"""What people write on WhatsApp and SMS reaches the core as facts, signed, and acknowledged only when committed."""

import json
from dataclasses import replace

import pytest

from adapters.base import Addressed, AttachmentKind, ConversationKind, Membership, RawRequest
from adapters.records import RecordsUnavailable
from tests.adapters.twilio.world import ME, TwilioHarness
from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.cloud import ANN
from tests.adapters.twilio_cloud.harness import PUBLIC
from tests.adapters.twilio_cloud.people import Picture
from tests.adapters.twilio_cloud.signing import SIGNATURE, sign


async def test_a_message_is_told_as_facts(twilio):
    sid = await twilio.say("what is a heap? 🌱")
    (event,) = twilio.sink.events
    assert (event.account, event.conversation.ref, event.message) == (WHATSAPP_SENDER, ME, sid)
    assert (event.text, event.sender.name) == ("what is a heap? 🌱", "Ann Example")
    assert (event.addressed, event.conversation.kind) == (Addressed.DIRECT, ConversationKind.DIRECT)
    assert twilio.cloud.violations() == []


async def test_a_message_is_answered_with_empty_twiml_at_once(twilio):
    sid = await twilio.say("hi")
    assert [told.status for told in twilio.cloud.deliveries(sid)] == [200]
    assert twilio.cloud.violations() == []


async def test_whatsapps_own_id_names_the_person_and_a_hidden_number_is_answered_by_it(twilio):
    twilio.cloud.introduce(ANN, hides_number=True, username="ann", scoped_id="US.13491208655302741918")
    await twilio.say("hi")
    (event,) = twilio.sink.events
    assert event.sender.id == event.conversation.ref == "whatsapp:US.13491208655302741918"
    await twilio.send(conversation=event.conversation.ref)
    assert "hello" in await twilio.visible()


async def test_sms_has_no_name_and_no_mark_of_whatsapp(twilio):
    await twilio.say("hi", channel="sms")
    (event,) = twilio.sink.events
    assert (event.account, event.sender.id, event.sender.name) == (SMS_SENDER, ANN, "")


async def test_a_reply_to_one_of_ours_carries_its_words(twilio):
    ours = await twilio.send("the answer")
    await twilio.say("why?", reply_to=ours)
    (event,) = twilio.sink.events
    assert (event.quoted.ref, event.quoted.text, event.quoted.by_assistant) == (ours, "the answer", True)


async def test_a_reply_to_ones_own_message_carries_its_words(twilio):
    first = await twilio.say("Lunch at one.")
    await twilio.say("translate this", reply_to=first)
    quoted = twilio.sink.events[-1].quoted
    assert (quoted.text, quoted.by_assistant, quoted.author) == ("Lunch at one.", False, "Ann Example")


@pytest.mark.parametrize("fault", ["server_error", "half_open", "too_many"])
async def test_a_reply_is_taken_in_without_words_that_cannot_be_read(tmp_path, fault):
    async with TwilioHarness(quote_s=0.3).running(tmp_path) as twilio:
        ours = await twilio.send("the answer")
        twilio.cloud.fault(fault, endpoint="fetch", times=None)
        sid = await twilio.say("why?", reply_to=ours)
        (event,) = twilio.sink.events
        assert (event.message, event.quoted.ref, event.quoted.text) == (sid, ours, "")


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"body": "", "button": ("Yes, please", "yes-1")}, "Yes, please"),
        ({"body": "", "chosen": ("row-2", "Tuesday")}, "Tuesday"),
        ({"body": "Tuesday", "chosen": ("row-2", "Tuesday")}, "Tuesday"),
    ],
    ids=["button", "row of a list", "with a body"],
)
async def test_what_is_chosen_is_what_is_said(twilio, said, text):
    await twilio.say(**said)
    assert [event.text for event in twilio.sink.events] == [text]


async def test_a_picture_with_a_caption_is_told_with_it(twilio):
    await twilio.say("what is this?", pictures=[Picture()])
    (event,) = twilio.sink.events
    (picture,) = event.attachments
    assert (event.text, picture.kind, picture.mime) == ("what is this?", AttachmentKind.PICTURE, "image/png")
    assert "://" not in picture.ref


async def test_several_files_keep_their_order(twilio):
    pdf = Picture(data=b"%PDF-1.7 ...........", content_type="application/pdf")
    await twilio.say(pictures=[Picture(), pdf], channel="sms")
    kinds = [each.kind for each in twilio.sink.events[0].attachments]
    assert kinds == [AttachmentKind.PICTURE, AttachmentKind.DOCUMENT]


async def test_a_place_is_an_attachment(twilio):
    await twilio.say(place=("52.5", "13.4", "Unter den Linden", "Office"))
    (place,) = twilio.sink.events[0].attachments
    assert (place.kind, place.ref, place.name) == (AttachmentKind.LOCATION, "52.5,13.4", "Office")


async def test_nothing_at_all_is_acknowledged_and_left(twilio):
    sid = await twilio.say("  ")
    assert (twilio.sink.events, twilio.cloud.deliveries(sid)[-1].status) == ([], 200)


class TestSignatures:
    async def test_whoever_forges_is_refused(self, twilio):
        twilio.cloud.webhooks.style.forged_with = "guessed"
        sid = await twilio.say("let me in")
        assert ([told.status for told in twilio.cloud.deliveries(sid)], twilio.sink.events) == ([401], [])

    async def test_a_forged_status_is_refused(self, twilio):
        twilio.cloud.webhooks.style.forged_with = "guessed"
        sid = await twilio.send()
        await twilio.cloud.settled()
        assert {told.status for told in twilio.cloud.deliveries(sid)} == {401}
        assert twilio.sink.deliveries == []

    @pytest.mark.parametrize(
        "style", [{"port_signed": True}, {"as_json": True}, {"extra": {"New": ""}}], ids=str
    )
    async def test_every_way_in_which_twilio_signs_is_understood(self, twilio, style):
        for name, value in style.items():
            setattr(twilio.cloud.webhooks.style, name, value)
        await twilio.say("hi")
        assert len(twilio.sink.events) == 1

    async def test_a_query_is_part_of_what_is_signed(self, twilio):
        twilio.cloud.webhook(f"{PUBLIC}/hooks/twilio?a=1&b=#rc=5&rp=all")
        await twilio.say("hi")
        assert len(twilio.sink.events) == 1

    async def test_during_rotation_either_token_signs(self, tmp_path):
        async with TwilioHarness(auth_tokens=("primary-token", "next-token")).running(tmp_path) as twilio:
            await twilio.say("before")
            twilio.cloud.rotate("next-token", promote=True)
            await twilio.say("behind")
            assert [event.text for event in twilio.sink.events] == ["before", "behind"]

    async def test_a_body_without_its_hash_is_not_believed(self, twilio):
        """Otherwise a signed URL alone would let any JSON in."""
        (webhook, _) = twilio.platform.webhooks
        request = await captured(twilio)
        body = json.dumps(
            {"MessageSid": "SM" + "0" * 32, "From": ME, "To": WHATSAPP_SENDER, "Body": "x"}
        ).encode()
        forged = replace(
            request, body=body, headers=dict(request.headers) | {"Content-Type": "application/json"}
        )
        assert (await webhook.ingest(forged, twilio.sink)).status == 401

    async def test_only_posts_are_taken(self, twilio):
        for webhook in twilio.platform.webhooks:
            request = replace(await captured(twilio), method="GET")
            assert (await webhook.ingest(request, twilio.sink)).status == 405


async def captured(twilio):
    """Return a request as Twilio signs it."""
    fields = {"MessageSid": "SM" + "1" * 32, "From": ME, "To": WHATSAPP_SENDER, "Body": "hi", "Blank": ""}
    body = "&".join(
        f"{name}={value.replace(':', '%3A').replace('+', '%2B')}" for name, value in fields.items()
    )
    signature = sign(twilio.cloud.account.token, f"{PUBLIC}/hooks/twilio", fields)
    headers = {SIGNATURE: signature, "Content-Type": "application/x-www-form-urlencoded"}
    return RawRequest(method="POST", path="/hooks/twilio", headers=headers, body=body.encode())


class TestCommitting:
    async def test_what_cannot_be_committed_is_told_again(self, twilio):
        twilio.cloud.webhook(twilio.settings.messages_url)
        twilio.sink.fails = True
        sid = await twilio.say("hi")
        tries = [told.status for told in twilio.cloud.deliveries(sid)]
        assert (len(tries), set(tries)) == (6, {503})

    async def test_nothing_is_acknowledged_while_the_store_is_away(self, twilio, monkeypatch):
        async def away(*_: object) -> None:
            raise RecordsUnavailable("away")

        monkeypatch.setattr(twilio.records, "by_key", away)
        sid = await twilio.say("hi")
        assert ([told.status for told in twilio.cloud.deliveries(sid)], twilio.sink.events) == ([503], [])


class TestWhoIsServed:
    async def test_whatsapp_is_off_until_its_policy_is_acknowledged(self, tmp_path, caplog):
        async with TwilioHarness(whatsapp_policy_acknowledged=False).running(tmp_path) as twilio:
            sid = await twilio.say("hi")
            await twilio.say("still there?")
            assert (twilio.sink.events, twilio.cloud.deliveries(sid)[-1].status) == ([], 200)
        assert caplog.text.count("whatsapp_policy_acknowledged") == 1

    async def test_sms_needs_no_acknowledgement(self, tmp_path):
        async with TwilioHarness(whatsapp_policy_acknowledged=False).running(tmp_path) as twilio:
            await twilio.say("hi", channel="sms")
            assert len(twilio.sink.events) == 1

    @pytest.mark.parametrize(
        ("countries", "hides", "count"),
        [
            (("+49",), False, 1),
            (("+1", "+44"), False, 0),
            (("us",), True, 1),
            (("DE",), True, 0),
            ((), False, 1),
        ],
        ids=str,
    )
    async def test_only_listed_countries_are_served(self, tmp_path, countries, hides, count):
        async with TwilioHarness(countries=countries).running(tmp_path) as twilio:
            twilio.cloud.introduce(ANN, hides_number=hides)
            await twilio.say("hi")
            assert len(twilio.sink.events) == count


class TestStopping:
    """Twilio itself answers STOP, START and HELP."""

    async def test_stop_ends_what_waits_and_is_no_question(self, twilio):
        await twilio.say(" stop ", channel="sms")
        (change,) = twilio.sink.changes
        assert (change.change, change.conversation, twilio.sink.events) == (Membership.REMOVED, ANN, [])

    async def test_help_is_left_to_twilio(self, twilio):
        await twilio.say("HELP", channel="sms")
        assert (twilio.sink.events, twilio.sink.changes) == ([], [])

    async def test_start_counts_for_whoever_had_stopped_and_yes_is_an_answer_for_others(self, twilio):
        for word in ("yes", "stop", "yes", "yes"):
            await twilio.say(word, channel="sms")
        assert [event.text for event in twilio.sink.events] == ["yes", "yes"]
        assert [each.change for each in twilio.sink.changes] == [Membership.REMOVED, Membership.ADDED]

    async def test_a_messaging_service_says_what_it_made_of_a_word(self, tmp_path):
        service = "MG" + "0" * 32
        async with TwilioHarness(messaging_service=service).running(tmp_path) as twilio:
            twilio.cloud.join_service(service, SMS_SENDER)
            await twilio.say("START", channel="sms")
            assert [each.change for each in twilio.sink.changes] == [Membership.ADDED]

    async def test_on_whatsapp_they_are_words(self, twilio):
        await twilio.say("stop")
        assert [event.text for event in twilio.sink.events] == ["stop"]
