"""`aside adapters check twilio` finds what is wrong with the set-up, says what to do, and shows no secret."""

from dataclasses import replace

import pytest

from adapters.checking import Standing
from tests.adapters.twilio.world import TwilioHarness
from tests.adapters.twilio_cloud.harness import PUBLIC


async def found(twilio, **settings):
    """Check with other settings; give the findings by name."""
    checks = twilio.platform.checks
    checks._settings = replace(twilio.settings, **settings)
    findings = await checks.check()
    for finding in findings:
        assert (finding.standing is Standing.OK) == (finding.remedy == "")
        for secret in (twilio.settings.api_secret, *twilio.settings.auth_tokens):
            assert secret not in finding.found + finding.remedy
    return {finding.name: finding for finding in findings}


@pytest.fixture
async def set_up(twilio: TwilioHarness) -> TwilioHarness:
    twilio.cloud.webhook(twilio.settings.messages_url)
    return twilio


async def test_all_is_well(set_up):
    template = set_up.cloud.template("Your answer: {{1}}", defaults={"1": "it is"})
    findings = await found(set_up, whatsapp_template=template)
    assert {name: finding.standing for name, finding in findings.items()} == dict.fromkeys(
        ("public URL", "credentials", "signatures", "sms", "whatsapp", "template"), Standing.OK
    )
    assert set_up.cloud.violations() == []


@pytest.mark.parametrize(
    ("settings", "name", "standing", "remedy"),
    [
        ({"public_url": "http://bot.example.org"}, "public URL", "warn", "https://"),
        ({"auth_tokens": ("wrong",)}, "signatures", "fail", "primary auth token"),
        ({"auth_tokens": ("primary-token", "old")}, "signatures", "warn", "rotation"),
        ({"sms_from": "+15550001111"}, "sms", "fail", "numbers"),
        ({"whatsapp_from": "+15550001111"}, "whatsapp", "warn", "sandbox"),
        ({"whatsapp_policy_acknowledged": False}, "whatsapp", "warn", "policy"),
        (
            {"public_url": "https://other.example.org"},
            "whatsapp",
            "fail",
            "https://other.example.org/hooks/twilio",
        ),
        ({"whatsapp_template": "HX" + "0" * 32}, "template", "fail", "Content SID"),
        ({"whatsapp_from": "", "sms_from": ""}, "senders", "fail", "twilio.whatsapp_from"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_wrong_is_named_with_its_remedy(set_up, settings, name, standing, remedy):
    finding = (await found(set_up, **settings))[name]
    assert (finding.standing, remedy in finding.remedy) == (standing, True)


async def test_a_messaging_service_alone_can_send_and_what_cannot_be_seen_of_it_is_said(set_up):
    findings = await found(set_up, whatsapp_from="", sms_from="", messaging_service="MG" + "0" * 32)
    assert "senders" not in findings
    assert set_up.settings.messages_url in findings["service"].found


async def test_refused_credentials_are_all_there_is_to_say(set_up):
    set_up.cloud.account.keys.clear()
    findings = await found(set_up)
    assert findings["credentials"].standing is Standing.FAIL
    assert "sms" not in findings


@pytest.mark.parametrize(
    ("url", "standing"),
    [("", "fail"), (f"{PUBLIC}/hooks/twilio", "warn"), ("https://x.example/y?t=1", "fail")],
)
async def test_a_webhook_that_is_missing_or_leads_elsewhere_is_found(set_up, url, standing):
    set_up.cloud.webhook(url)
    findings = await found(set_up)
    assert findings["sms"].standing == findings["whatsapp"].standing == standing
    assert "t=1" not in findings["sms"].found


@pytest.mark.parametrize(
    ("body", "approved", "defaults"),
    [("{{1}}", False, {"1": "x"}), ("{{1}} {{2}}", True, {"1": "x", "2": "y"})],
    ids=["not approved", "two variables"],
)
async def test_a_template_that_cannot_be_filled_or_sent_is_found(set_up, body, approved, defaults):
    template = set_up.cloud.template(body, approved=approved, defaults=defaults)
    findings = await found(set_up, whatsapp_template=template)
    assert findings["template"].standing is Standing.FAIL
