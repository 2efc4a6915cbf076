"""What becomes of a message: windows, templates, statuses and their callbacks, prices, opting out."""

import json
from http import HTTPStatus

import pytest

from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.cloud import ANN, address
from tests.adapters.twilio_cloud.shown import Channel

ME = address(ANN)
DAY_S = 24 * 3600
GOOD = {"To": ME, "From": WHATSAPP_SENDER, "Body": "hello"}
SMS = {"To": ANN, "From": SMS_SENDER, "Body": "hello"}


async def statuses(cloud, caller, fields=GOOD) -> list[tuple[str, int | None]]:
    """Send a message, and list the statuses that it took."""
    _, taken = await caller.send(fields)
    await cloud.settled()
    return [(change.status, change.error_code) for change in cloud.record.bubble(taken["sid"]).changes]


async def test_an_open_window_lets_free_text_through(cloud, caller):
    cloud.say("hi")
    steps = await statuses(cloud, caller)
    assert [step for step, _ in steps] == ["queued", "sending", "sent", "delivered", "read"]
    assert cloud.seen() == ["hello"]


@pytest.mark.parametrize(("passed_s", "last"), [(DAY_S - 60, "read"), (DAY_S + 1, "failed")])
async def test_the_window_closes_a_day_after_the_last_message(cloud, caller, passed_s, last):
    cloud.say("hi")
    cloud.advance(passed_s)
    assert (await statuses(cloud, caller))[-1][0] == last


@pytest.mark.parametrize("status", ["failed", "undelivered"])
async def test_free_text_outside_the_window_is_taken_and_fails_later(cloud, caller, status):
    cloud.carrier.manner.window_closed_as = status
    assert (await statuses(cloud, caller))[-1] == (status, 63016)
    assert cloud.seen() == []


async def test_the_window_is_each_persons_own(cloud, caller):
    cloud.say("hi", number="+491709999999")
    assert (await statuses(cloud, caller))[-1] == ("failed", 63016)


async def test_a_template_opens_a_closed_window(cloud, caller):
    sid = cloud.template("Your answer about {{1}} is ready.", defaults={"1": "it"})
    fields = {"To": ME, "From": WHATSAPP_SENDER, "ContentSid": sid}
    assert (await statuses(cloud, caller, fields))[-1] == ("read", None)
    await statuses(cloud, caller, fields | {"ContentVariables": json.dumps({"1": "cats"})})
    assert cloud.seen() == ["Your answer about it is ready.", "Your answer about cats is ready."]


@pytest.mark.parametrize("variables", ["no json", "[]", '{"1": 5}', '{"1": " "}', '{"1": "a\\nb"}'])
async def test_wrong_variables_are_refused(cloud, caller, variables):
    fields = {"To": ME, "From": WHATSAPP_SENDER, "ContentSid": cloud.template("{{1}}")}
    status, answer = await caller.send(fields | {"ContentVariables": variables})
    assert (status, answer["code"]) == (HTTPStatus.BAD_REQUEST, 21656)


async def test_a_template_that_is_not_filled_fails(cloud, caller):
    fields = {"To": ME, "From": WHATSAPP_SENDER, "ContentSid": cloud.template("About {{1}}")}
    assert (await statuses(cloud, caller, fields))[-1] == ("failed", 63028)


async def test_an_unapproved_template_needs_an_open_window(cloud, caller):
    fields = {"To": ME, "From": WHATSAPP_SENDER, "ContentSid": cloud.template("Hello", approved=False)}
    assert (await statuses(cloud, caller, fields))[-1] == ("failed", 63016)
    cloud.say("hi")
    assert (await statuses(cloud, caller, fields))[-1] == ("read", None)


async def test_callbacks_tell_every_status_but_the_first(cloud, caller, gateway):
    cloud.say("hi")
    await statuses(cloud, caller, GOOD | {"StatusCallback": f"{gateway.url}/status?turn=7"})
    assert [got["MessageStatus"] for got in gateway.got] == ["sending", "sent", "delivered", "read"]
    assert {path for path, _, _ in gateway.requests} == {"/status?turn=7"}
    last = gateway.got[-1]
    assert (last["From"], last["To"], last["EventType"]) == (WHATSAPP_SENDER, ME, "READ")
    assert last["UnheardOfAndBlank"] == ""


async def test_a_failure_is_told_with_its_code(cloud, caller, gateway):
    cloud.webhook(f"{gateway.url}/in", status_callback=f"{gateway.url}/status")
    await statuses(cloud, caller)
    assert (gateway.got[-1]["MessageStatus"], gateway.got[-1]["ErrorCode"]) == ("failed", "63016")


async def test_callbacks_come_out_of_order_and_twice_if_asked(cloud, caller, gateway):
    cloud.carrier.manner.shuffled, cloud.carrier.manner.copies = True, 2
    cloud.say("hi")
    await statuses(cloud, caller, GOOD | {"StatusCallback": gateway.url})
    told = [got["MessageStatus"] for got in gateway.got]
    assert sorted(told) == sorted(["sending", "sent", "delivered", "read"] * 2)
    assert told != sorted(told, key=["sending", "sent", "delivered", "read"].index)


async def test_callbacks_may_come_before_the_answer(cloud, caller, gateway):
    cloud.carrier.manner.before_answer = True
    await caller.send(SMS | {"StatusCallback": gateway.url})
    assert [got["MessageStatus"] for got in gateway.got] == ["sending", "sent", "delivered"]


@pytest.mark.parametrize(
    ("fields", "code"), [(SMS, 30003), (GOOD, 63024)], ids=[str(Channel.SMS), str(Channel.WHATSAPP)]
)
async def test_a_phone_out_of_reach(cloud, caller, fields, code):
    cloud.say("hi")
    cloud.habits(reachable=False)
    assert (await statuses(cloud, caller, fields))[-1] == ("undelivered", code)


async def test_whoever_hides_reading_never_reads(cloud, caller):
    cloud.say("hi")
    cloud.habits(reads=False)
    assert (await statuses(cloud, caller))[-1] == ("delivered", None)


async def test_a_message_can_be_made_to_fail_later(cloud, caller):
    cloud.say("hi")
    cloud.fail(63018)
    assert (await statuses(cloud, caller))[-1] == ("failed", 63018)
    assert (await statuses(cloud, caller))[-1] == ("read", None)


async def test_what_waits_too_long_is_given_up(cloud, caller):
    cloud.carrier.manner.by_itself = False
    _, taken = await caller.send(SMS | {"ValidityPeriod": "60"})
    cloud.advance(59)
    assert cloud.record.bubble(taken["sid"]).status == "queued"
    cloud.advance(2)
    assert cloud.record.bubble(taken["sid"]).error_code == 30036


@pytest.mark.parametrize(
    ("fields", "segments", "cost"),
    [
        pytest.param(SMS, "1", 0.0079, id="one segment"),
        pytest.param(SMS | {"Body": "x" * 161}, "2", 0.0158, id="two"),
        pytest.param(SMS | {"Body": "ж" * 71}, "2", 0.0158, id="two in UCS-2"),
        pytest.param(SMS | {"MediaUrl": "https://a.example/1.png"}, "1", 0.02, id="a picture"),
    ],
)
async def test_what_a_text_message_costs(cloud, caller, fields, segments, cost):
    _, taken = await caller.send(fields)
    await cloud.settled()
    assert taken["num_segments"] == segments
    assert taken["price"] is None
    assert cloud.cost() == pytest.approx(cost)


async def test_whatsapp_costs_what_was_delivered(cloud, caller):
    await statuses(cloud, caller)
    assert cloud.cost() == 0
    cloud.say("hi")
    await statuses(cloud, caller)
    assert cloud.cost() == pytest.approx(0.005)


async def test_whoever_says_stop_gets_no_text_messages(cloud, caller):
    for word in ("stop", " STOP "):
        cloud.say(word, channel=Channel.SMS)
    status, answer = await caller.send(SMS)
    assert (status, answer["code"]) == (HTTPStatus.BAD_REQUEST, 21610)
    cloud.say("START", channel=Channel.SMS)
    status, _ = await caller.send(SMS)
    assert status == HTTPStatus.CREATED


@pytest.mark.parametrize("text", ["please stop", "stop it", "yes"])
async def test_other_words_unsubscribe_nobody(cloud, caller, text):
    cloud.say(text, channel=Channel.SMS)
    assert [bubble.body for bubble in cloud.bubbles(ANN)] == [text]
    status, _ = await caller.send(SMS)
    assert status == HTTPStatus.CREATED


async def test_twilio_itself_answers_stop_and_help_on_sms_alone(cloud):
    cloud.say("HELP", channel=Channel.SMS)
    cloud.say("HELP")
    assert len(cloud.seen()) == 1
    assert [bubble.direction for bubble in cloud.bubbles(ANN)] == ["inbound", "outbound-reply", "inbound"]


async def test_stop_on_whatsapp_is_a_word_like_others(cloud, caller):
    cloud.say("STOP")
    assert (await statuses(cloud, caller))[-1] == ("read", None)
