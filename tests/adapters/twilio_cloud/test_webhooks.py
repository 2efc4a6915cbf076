"""What a person says is told by signed webhooks, as Twilio's documents and captured requests have them."""

import json

import pytest
from twilio.request_validator import RequestValidator

from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.cloud import ANN
from tests.adapters.twilio_cloud.harness import PUBLIC, valid
from tests.adapters.twilio_cloud.people import Picture
from tests.adapters.twilio_cloud.shown import Channel
from tests.adapters.twilio_cloud.signing import sign

NEW = "a token after rotation"


def test_the_documented_signature():
    """The example of Twilio's security page, and one with a blank field and a sign beyond ASCII."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    params = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    assert sign("12345", url, params) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    params |= {"Blank": "", "Body": "日本語 é"}
    assert sign("12345", url, params) == RequestValidator("12345").compute_signature(url, params)


async def test_a_text_on_whatsapp(told, gateway):
    sid = told.say("hello")
    await told.settled()
    got = gateway.got[0]
    assert (got["MessageSid"], got["Body"], got["NumMedia"]) == (sid, "hello", "0")
    assert (got["From"], got["To"]) == (f"whatsapp:{ANN}", WHATSAPP_SENDER)
    assert (got["WaId"], got["ProfileName"], got["MessageType"]) == (ANN[1:], "Ann Example", "text")
    assert got["MessagingServiceSid"] == ""
    assert gateway.requests[0][0] == "/hooks/twilio?a=1&b="
    assert valid(told, gateway)
    assert told.record.bubble(sid).acked_at is not None
    assert told.violations() == []


async def test_proxies_show_themselves(told, gateway):
    told.say("hello")
    await told.settled()
    _, headers, _ = gateway.requests[0]
    assert (headers["Host"], headers["X-Forwarded-Proto"]) == ("bot.example.org", "https")
    assert headers["User-Agent"] == "TwilioProxy/1.1"


async def test_a_text_message_has_blank_fields(told, gateway):
    told.say("hello", channel=Channel.SMS)
    await told.settled()
    got = gateway.got[0]
    assert (got["From"], got["To"], got["FromCity"], got["ToZip"]) == (ANN, SMS_SENDER, "", "")
    assert "WaId" not in got
    assert valid(told, gateway)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"body": "日本語 & é = ?\n+x"}, id="signs"),
        pytest.param({"body": "go", "forwarded": True}, id="forwarded"),
        pytest.param({"place": ("52.5", "13.4", "A street 1", "")}, id="a place"),
        pytest.param({"body": "x", "extra": {"Future": "", "A B": "&"}}, id="new parameters"),
    ],
)
async def test_whatever_is_said_is_signed_well(told, gateway, said):
    told.say(**said)
    await told.settled()
    assert valid(told, gateway)


async def test_a_reply_names_the_message_and_its_author(told, gateway):
    first = told.say("what is this?")
    told.say("this", reply_to=first)
    await told.settled()
    reply = next(got for got in gateway.got if got["Body"] == "this")
    assert reply["OriginalRepliedMessageSid"] == first
    assert reply["OriginalRepliedMessageSender"] == f"whatsapp:{ANN}"


async def test_a_button_and_a_row(told, gateway, caller):
    _, sent = await caller.send()
    told.press("Stop", "stop:7", of=sent["sid"])
    await told.settled()
    pressed = gateway.got[-1]
    assert (pressed["ButtonText"], pressed["ButtonPayload"], pressed["Body"]) == ("Stop", "stop:7", "Stop")
    assert pressed["OriginalRepliedMessageSender"] == WHATSAPP_SENDER
    told.choose("row-1", "The first", of=sent["sid"])
    await told.settled()
    assert (gateway.got[-1]["ListId"], gateway.got[-1]["ListTitle"]) == ("row-1", "The first")
    assert gateway.got[-1]["MessageType"] == "interactive"


async def test_pictures(told, gateway):
    sid = told.say("look", pictures=[Picture(), Picture(content_type="application/pdf")])
    await told.settled()
    got = gateway.got[0]
    assert sid.startswith("MM")
    assert (got["NumMedia"], got["MediaContentType1"], got["MessageType"]) == (
        "2",
        "application/pdf",
        "image",
    )
    assert got["MediaUrl0"].startswith(
        f"{told.url}/2010-04-01/Accounts/{told.account.sid}/Messages/{sid}/Media/ME"
    )


async def test_whoever_hides_the_number_has_an_id(told, gateway):
    told.introduce(ANN, name="Ann", username="ann.example", hides_number=True, scoped_id="DE.42")
    told.say("hello")
    await told.settled()
    got = gateway.got[0]
    assert (got["From"], got["ExternalUserId"], got["Username"]) == (
        "whatsapp:DE.42",
        "whatsapp:DE.42",
        "ann.example",
    )
    assert "WaId" not in got
    assert ANN not in json.dumps(got)


async def test_a_json_body_is_hashed_into_the_url(told, gateway):
    told.webhooks.style.as_json = True
    told.say("hello")
    await told.settled()
    path, headers, body = gateway.requests[0]
    assert json.loads(body)["Body"] == "hello"
    validator = RequestValidator(told.account.token)
    assert validator.validate(PUBLIC + path, body.decode(), headers["X-Twilio-Signature"])
    assert not validator.validate(PUBLIC + path, body.decode() + " ", headers["X-Twilio-Signature"])


async def test_a_port_may_be_part_of_what_is_signed(told, gateway):
    told.webhooks.style.port_signed = True
    told.say("hello")
    await told.settled()
    assert valid(told, gateway)


async def test_who_forges_has_another_token(told, gateway):
    told.webhooks.style.forged_with = "stolen"
    told.say("hello")
    await told.settled()
    assert not valid(told, gateway)


async def test_the_secondary_token_signs_once_it_is_promoted(told, gateway):
    told.rotate(NEW)
    told.say("before")
    await told.settled()
    assert valid(told, gateway)
    assert told.account.token != NEW
    told.rotate(NEW, promote=True)
    told.say("after")
    await told.settled()
    assert told.account.token == NEW
    assert valid(told, gateway)


@pytest.mark.parametrize(
    ("service", "kind"), [("MG" + "1" * 32, "STOP"), ("", None)], ids=["service", "number"]
)
async def test_a_service_says_what_it_made_of_a_word(told, gateway, service, kind):
    told.join_service(service, SMS_SENDER)
    told.say("unsubscribe", channel=Channel.SMS)
    await told.settled()
    assert gateway.got[0].get("OptOutType") == kind
    assert valid(told, gateway)
