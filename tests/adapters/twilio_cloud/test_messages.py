"""The Messages resource takes what Twilio documents, and refuses the rest with Twilio's codes."""

from http import HTTPStatus

import pytest

from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.cloud import ANN, address

ME = address(ANN)
GOOD = {"To": ME, "From": WHATSAPP_SENDER, "Body": "hello"}
SMS = {"To": ANN, "From": SMS_SENDER, "Body": "hello"}


def without(name: str, fields: dict[str, str] = GOOD) -> dict[str, str]:
    return {key: value for key, value in fields.items() if key != name}


async def test_a_message_is_taken_and_read_back(cloud, caller):
    status, taken = await caller.send(GOOD)
    assert status == HTTPStatus.CREATED
    assert taken["status"] == "queued"
    assert (taken["from"], taken["to"], taken["body"]) == (WHATSAPP_SENDER, ME, "hello")
    status, read = await caller.get(
        f"{cloud.url}/2010-04-01/Accounts/{cloud.account.sid}/Messages/{taken['sid']}.json"
    )
    assert status == HTTPStatus.OK
    assert read["sid"] == taken["sid"]
    assert cloud.violations() == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param(without("To"), 21604, id="nobody to send to"),
        pytest.param(without("From"), 21603, id="nobody to send from"),
        pytest.param(without("Body"), 21619, id="nothing to say"),
        pytest.param(GOOD | {"Body": ""}, 21619, id="an empty body"),
        pytest.param(GOOD | {"To": "whatsapp:0170"}, 21211, id="no number"),
        pytest.param(SMS | {"To": "+0123456789"}, 21211, id="a country code never begins with 0"),
        pytest.param(GOOD | {"To": "whatsapp:us.123"}, 21211, id="no country"),
        pytest.param(SMS | {"From": "!"}, 21212, id="no sender"),
        pytest.param(SMS | {"From": "+15005550001"}, 21606, id="somebody else's number"),
        pytest.param(GOOD | {"From": "whatsapp:+15005550006"}, 63007, id="no WhatsApp sender"),
        pytest.param(GOOD | {"To": ANN}, 21910, id="two channels"),
        pytest.param(GOOD | {"Body": "x" * 1601}, 21617, id="too long"),
        pytest.param(GOOD | {"Body": "😀" * 801}, 21617, id="too long in UTF-16"),
        pytest.param(
            [*SMS.items(), *[("MediaUrl", "https://a.example/1.png")] * 11], 21623, id="eleven files"
        ),
        pytest.param(GOOD | {"MediaUrl": "file:///etc/passwd"}, 21620, id="no web address"),
        pytest.param(
            GOOD | {"StatusCallback": "bot.example.org/hook"}, 21609, id="a callback without a scheme"
        ),
        pytest.param(
            GOOD | {"StatusCallback": "https://my_bot.example.org/"}, 21609, id="an underscore in a host"
        ),
        pytest.param(
            GOOD | {"StatusCallback": "https://bot.example.org/#rc=9"}, 21609, id="a wrong override"
        ),
        pytest.param(GOOD | {"ValidityPeriod": "0"}, 21624, id="no time at all"),
        pytest.param(GOOD | {"ValidityPeriod": "36001"}, 21624, id="too much time"),
        pytest.param(without("Body") | {"ContentSid": "HX1"}, 21655, id="no template's SID"),
        pytest.param(without("Body") | {"ContentSid": "HX" + "0" * 32}, 21655, id="an unknown template"),
        pytest.param(GOOD | {"ContentVariables": "{}"}, 21654, id="variables of no template"),
        pytest.param(
            without("From") | {"MessagingServiceSid": "MG" + "0" * 32}, 21701, id="an unknown service"
        ),
    ],
)
async def test_what_twilio_refuses(cloud, caller, fields, code):
    status, answer = await caller.send(fields)
    assert status == HTTPStatus.BAD_REQUEST
    assert answer["code"] == code
    assert answer["more_info"].endswith(str(code))
    assert cloud.bubbles() == []


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(GOOD | {"Colour": "red"}, id="an unknown parameter"),
        pytest.param([*GOOD.items(), ("Body", "again")], id="a parameter twice"),
        pytest.param(GOOD | {"SendAt": "2027-01-01T00:00:00Z"}, id="one whose effect is not modelled"),
        pytest.param(GOOD | {"ContentSid": "HX" + "0" * 32}, id="a template and a body"),
    ],
)
async def test_what_an_adapter_must_not_do_is_a_violation(cloud, caller, fields):
    status, _ = await caller.send(fields)
    assert status == HTTPStatus.BAD_REQUEST
    assert len(cloud.violations()) == 1


@pytest.mark.parametrize(("body", "fits"), [("x" * 1600, True), ("😀" * 800, True), ("x" * 1601, False)])
async def test_the_limit_itself_fits(caller, body, fits):
    status, _ = await caller.send(GOOD | {"Body": body})
    assert (status == HTTPStatus.CREATED) is fits


async def test_a_json_body_is_a_violation(cloud, caller):
    async with caller.session.post(caller.messages, json=GOOD, headers=caller.auth) as answer:
        assert answer.status == HTTPStatus.BAD_REQUEST
    assert len(cloud.violations()) == 1


@pytest.mark.parametrize(
    "path", ["/2010-04-01/Accounts/{}/Calls.json", "/v3/Nothing", "/2010-04-01/Messages.json"]
)
async def test_an_unknown_resource_is_a_violation(cloud, caller, path):
    status, answer = await caller.get(cloud.url + path.format(cloud.account.sid))
    assert (status, answer["code"]) == (HTTPStatus.NOT_FOUND, 20404)
    assert len(cloud.violations()) == 1


async def test_a_service_chooses_the_sender(cloud, caller):
    service = "MG" + "1" * 32
    cloud.join_service(service, SMS_SENDER)
    status, taken = await caller.send({"To": ANN, "MessagingServiceSid": service, "Body": "hello"})
    assert (status, taken["status"], taken["num_segments"]) == (HTTPStatus.CREATED, "accepted", "0")
    assert taken["from"] == SMS_SENDER
    status, answer = await caller.send({"To": ME, "MessagingServiceSid": service, "Body": "hello"})
    assert (status, answer["code"]) == (HTTPStatus.BAD_REQUEST, 21703)


async def test_messages_are_found_by_address_newest_first(cloud, caller):
    for number in range(3):
        await caller.send(GOOD | {"Body": str(number)})
    await caller.send(SMS)
    cloud.say("from Ann")
    _, found = await caller.get(caller.messages, To=ME, From=WHATSAPP_SENDER)
    assert [message["body"] for message in found["messages"]] == ["2", "1", "0"]
    _, found = await caller.get(caller.messages, From=ME)
    assert [message["direction"] for message in found["messages"]] == ["inbound"]


async def test_pages_follow_one_another(cloud, caller):
    for number in range(5):
        await caller.send(GOOD | {"Body": str(number)})
    bodies, where, query = [], caller.messages, {"PageSize": "2", "To": ME}
    while where:
        _, page = await caller.get(where, **query)
        bodies += [message["body"] for message in page["messages"]]
        where, query = page["next_page_uri"] and cloud.url + page["next_page_uri"], {}
    assert bodies == ["4", "3", "2", "1", "0"]


async def test_a_message_that_waits_is_found_by_no_date(cloud, caller):
    cloud.carrier.manner.by_itself = False
    _, taken = await caller.send(GOOD)
    assert taken["date_sent"] is None
    _, found = await caller.get(caller.messages, **{"DateSent>": "2020-01-01T00:00:00Z"})
    assert found["messages"] == []
    cloud.move(taken["sid"], "sent")
    _, found = await caller.get(caller.messages, **{"DateSent>": "2020-01-01"})
    assert len(found["messages"]) == 1
    _, found = await caller.get(caller.messages, **{"DateSent<": "2020-01-01"})
    assert found["messages"] == []


@pytest.mark.parametrize("sid", ["SM" + "0" * 32, "nonsense"])
async def test_a_message_that_is_not_there(cloud, caller, sid):
    status, answer = await caller.get(caller.messages.replace(".json", f"/{sid}.json"))
    assert (status, answer["code"]) == (HTTPStatus.NOT_FOUND, 20404)
    assert cloud.violations() == []
