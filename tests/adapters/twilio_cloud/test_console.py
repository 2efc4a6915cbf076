"""What an operator's check can read of the account."""

from http import HTTPStatus

import pytest

from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.harness import basic

HOOK = "https://bot.example.org/hooks/twilio"


async def test_a_numbers_webhook(cloud, caller):
    cloud.webhook(HOOK)
    url = f"{cloud.url}/2010-04-01/Accounts/{cloud.account.sid}/IncomingPhoneNumbers.json"
    _, found = await caller.get(url, PhoneNumber=SMS_SENDER)
    (number,) = found["incoming_phone_numbers"]
    assert (number["phone_number"], number["sms_url"], number["sms_method"]) == (SMS_SENDER, HOOK, "POST")
    _, found = await caller.get(url, PhoneNumber="+49")
    assert found["incoming_phone_numbers"] == []


async def test_a_whatsapp_senders_webhook(cloud, caller):
    cloud.webhook(HOOK, sender=WHATSAPP_SENDER, status_callback=f"{HOOK}/status")
    _, found = await caller.get(f"{cloud.url}/v2/Channels/Senders", Channel="whatsapp")
    (sender,) = found["senders"]
    assert (sender["sender_id"], sender["status"]) == (WHATSAPP_SENDER, "ONLINE")
    assert sender["webhook"]["callback_url"] == HOOK
    assert sender["webhook"]["status_callback_url"] == f"{HOOK}/status"


@pytest.mark.parametrize(("approved", "status"), [(True, "approved"), (False, "unsubmitted")])
async def test_a_template(cloud, caller, approved, status):
    sid = cloud.template("About {{1}}", approved=approved, defaults={"1": "it"})
    _, found = await caller.get(f"{cloud.url}/v1/Content/{sid}")
    assert (found["types"]["twilio/text"]["body"], found["variables"]) == ("About {{1}}", {"1": "it"})
    _, found = await caller.get(f"{cloud.url}/v1/Content/{sid}/ApprovalRequests")
    assert found["whatsapp"]["status"] == status


async def test_the_account_is_shown_to_its_token_alone(cloud, caller):
    url = f"{cloud.url}/2010-04-01/Accounts/{cloud.account.sid}.json"
    assert (await caller.get(url))[0] == HTTPStatus.UNAUTHORIZED
    caller.auth = basic(cloud.account.sid, cloud.account.token)
    status, shown = await caller.get(url)
    assert (status, shown["status"]) == (HTTPStatus.OK, "active")
    assert cloud.violations() == []
