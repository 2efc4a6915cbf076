"""How the settings reach the Twilio adapter, and what is said where one is missing."""

import pytest
from pydantic import ValidationError

from bot.bootstrap.twilio import twilio_settings
from bot.errors import StartupError
from bot.settings.sections import TwilioSection

GIVEN = {
    "account_sid": "AC" + "0" * 32,
    "api_key": "SK" + "0" * 32,
    "api_secret": "canary-secret",
    "auth_tokens": "canary-one, canary-two",
    "public_url": "https://bot.example.org/",
    "whatsapp_from": "+14155238886",
}


def test_both_tokens_of_a_rotation_are_taken_and_whatsapp_is_off():
    settings = twilio_settings(TwilioSection(**GIVEN))
    assert settings.auth_tokens == ("canary-one", "canary-two")
    assert settings.messages_url == "https://bot.example.org/hooks/twilio#rc=5&rp=all"
    assert (settings.has_whatsapp, settings.whatsapp_address) == (False, "")


def test_whatsapp_is_on_once_its_policy_is_acknowledged():
    settings = twilio_settings(TwilioSection(**GIVEN, whatsapp_policy_acknowledged=True))
    assert settings.whatsapp_address == "whatsapp:+14155238886"


@pytest.mark.parametrize("missing", ["api_key", "api_secret", "auth_tokens", "public_url", "whatsapp_from"])
def test_what_is_missing_is_named_and_nothing_secret_is_said(missing):
    with pytest.raises(StartupError) as raised:
        twilio_settings(TwilioSection(**GIVEN | {missing: ""}))
    assert f"twilio.{missing}" in str(raised.value)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account_sid", "SK" + "0" * 32),
        ("api_key", "AC" + "0" * 32),
        ("whatsapp_from", "0170 12345"),
        ("whatsapp_template", "HX1"),
        ("countries", ("Germany",)),
        ("public_url", "bot.example.org"),
        ("sms_per_s", -1),
    ],
)
def test_what_cannot_be_right_is_refused(name, value):
    with pytest.raises(ValidationError):
        TwilioSection(**GIVEN | {name: value})


def test_the_secret_never_leaves_this_machine_in_clear():
    with pytest.raises(StartupError, match=r"twilio\.api_url"):
        twilio_settings(TwilioSection(**GIVEN, api_url="http://relay.example.org"))
    assert (
        twilio_settings(TwilioSection(**GIVEN, api_url="http://127.0.0.1:9")).api_base == "http://127.0.0.1:9"
    )
