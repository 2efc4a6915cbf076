"""Webhooks are tried as Twilio documents, their answers are looked at, and nothing leaves this machine."""

from http import HTTPStatus

import pytest

from tests.adapters.twilio_cloud.harness import PUBLIC, valid
from tests.adapters.twilio_cloud.webhooks import TOKEN


async def test_nothing_is_tried_again_by_default(told, gateway):
    gateway.statuses = [500]
    sid = told.say("hello")
    await told.settled()
    assert told.record.bubble(sid).tries == (500,)
    assert told.record.bubble(sid).acked_at is None
    assert told.violations() == []


async def test_a_refused_connection_is_tried_once_more(told):
    told.proxy(PUBLIC, ["http://127.0.0.1:9"])
    sid = told.say("hello")
    await told.settled()
    assert told.record.bubble(sid).tries == (0, 0)


@pytest.mark.parametrize(
    ("fragment", "statuses", "tries"),
    [
        pytest.param("rc=2&rp=all", [503, 404, 200], (503, 404, 200), id="everything"),
        pytest.param("rc=5&rp=5xx", [503, 404, 200], (503, 404), id="only 5xx"),
        pytest.param("rc=1&rp=ct,4xx,5xx", [500], (500, 500), id="no more than asked for"),
        pytest.param("rc=0", [500], (500,), id="never"),
    ],
)
async def test_overrides_ask_for_more_tries(told, gateway, fragment, statuses, tries):
    gateway.statuses = statuses
    told.webhook(f"{PUBLIC}/hooks#{fragment}")
    sid = told.say("hello")
    await told.settled()
    assert told.record.bubble(sid).tries == tries
    assert valid(told, gateway, f"{PUBLIC}/hooks")
    assert len({headers[TOKEN] for _, headers, _ in gateway.requests}) == 1


async def test_the_fallback_is_asked_last(told, gateway):
    gateway.statuses = [500, 200]
    told.webhook(f"{PUBLIC}/first", fallback=f"{PUBLIC}/second")
    sid = told.say("hello")
    await told.settled()
    assert valid(told, gateway, f"{PUBLIC}/second")
    told.say("once more")
    await told.settled()
    assert [path for path, _, _ in gateway.requests] == ["/first", "/second", "/first"]
    assert gateway.got[1]["ErrorUrl"] == f"{PUBLIC}/first"
    assert told.record.bubble(sid).acked_at is not None


async def test_a_wrong_override_is_refused_at_once(cloud):
    with pytest.raises(ValueError, match="rc=9"):
        cloud.webhook(f"{PUBLIC}/hooks#rc=9")


async def test_a_message_can_be_told_many_times(told, gateway):
    sid = told.say("hello", copies=3)
    await told.settled()
    told.again(sid)
    await told.settled()
    assert [got["MessageSid"] for got in gateway.got] == [sid] * 4


@pytest.mark.parametrize(
    ("content_type", "body", "well"),
    [
        pytest.param("text/xml", "<Response/>", True, id="empty"),
        pytest.param("application/xml", "<Response></Response>", True, id="empty too"),
        pytest.param(
            "text/xml", "<Response><Message>hi</Message></Response>", False, id="an answer by TwiML"
        ),
        pytest.param("text/xml", "", False, id="nothing"),
        pytest.param("text/xml", "<Response>", False, id="torn"),
        pytest.param("text/plain", "OK", False, id="a text that Twilio would send on"),
        pytest.param("application/json", "{}", False, id="JSON"),
    ],
)
async def test_the_answer_must_be_empty_twiml(told, gateway, content_type, body, well):
    gateway.content_type, gateway.body = content_type, body
    told.say("hello")
    await told.settled()
    assert (told.violations() == []) is well


async def test_a_late_answer_is_none(told, gateway):
    """Fifteen seconds are all there is, here in a thousandth of the time."""
    told.webhooks.style.time_scale = 0.001
    gateway.opened.clear()
    sid = told.say("hello")
    await told.settled()
    gateway.opened.set()
    assert told.record.bubble(sid).tries == (0,)


async def test_nothing_leaves_this_machine(cloud):
    cloud.webhook("https://bot.example.org/hooks")
    sid = cloud.say("hello")
    await cloud.settled()
    assert set(cloud.record.bubble(sid).tries) == {0}
    assert cloud.violations() != []


async def test_gateways_behind_a_proxy_take_turns(told, gateway):
    told.proxy(PUBLIC, [gateway.url, "http://127.0.0.1:9"])
    told.webhook(f"{PUBLIC}/hooks#rc=0")
    for _ in range(4):
        told.say("hello")
    await told.settled()
    assert sorted(delivery.status for delivery in told.deliveries()) == [0, 0, HTTPStatus.OK, HTTPStatus.OK]


async def test_what_is_said_later_may_arrive_earlier(told, gateway):
    first = told.say("first", delay_s=0.5)
    second = told.say("second")
    await told.settled()
    assert [got["MessageSid"] for got in gateway.got] == [second, first]
