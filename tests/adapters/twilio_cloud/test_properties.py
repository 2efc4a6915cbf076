"""Whatever is said, posted or asked for is told as it was, or refused: nothing breaks the cloud."""

from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from tests.adapters.twilio_cloud.account import Account
from tests.adapters.twilio_cloud.errors import Refused
from tests.adapters.twilio_cloud.overrides import Overrides
from tests.adapters.twilio_cloud.parameters import read_draft, read_form
from tests.adapters.twilio_cloud.segments import count_segments
from tests.adapters.twilio_cloud.signing import sign

NAMES = st.sampled_from(
    [
        "To",
        "From",
        "Body",
        "MediaUrl",
        "StatusCallback",
        "ValidityPeriod",
        "ContentSid",
        "ContentVariables",
        "Other",
    ]
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["whatsapp:+14155238886", "+15005550006", "https://a.example/b#rc=2", "HX" + "0" * 32, "60"]
    ),
)
#: What a form can carry: no lone surrogates.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_body_is_a_form_or_refused(body):
    try:
        fields = read_form(body)
    except Refused:
        return
    assert all(isinstance(name, str) for name, _ in fields)


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_any_parameters_are_a_draft_or_refused(fields):
    try:
        draft = read_draft(fields)
    except Refused:
        return
    assert draft.to == dict(fields)["To"]


@settings(deadline=None)
@given(TEXTS.filter(bool), st.dictionaries(TEXTS.filter(bool), TEXTS))
def test_a_form_survives_the_wire(body, params):
    sent = params | {"Body": body}
    assert dict(read_form(urlencode(sent).encode())) == sent


@settings(deadline=None)
@given(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=8), TEXTS.filter(bool))
def test_signatures_agree_with_twilios_own(params, token):
    url = "https://bot.example.org/hooks?x=1"
    assert sign(token, url, params) == RequestValidator(token).compute_signature(url, params)


@settings(deadline=None)
@given(st.text(max_size=700))
def test_segments_hold_what_they_must(text):
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    segments = count_segments(text)
    assert segments >= 1
    assert segments * 160 * 2 >= units
    assert count_segments(text + "x") >= segments


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_authorization_is_checked(header):
    assert not Account().knows(header)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/#rc=6",
        "https://a.example/#tt=99",
        "https://a.example/#rp=never",
        "https://a.example/#x=1",
    ],
)
def test_wrong_overrides_are_errors(url):
    with pytest.raises(ValueError, match="#"):
        Overrides.of(url)


def test_overrides():
    url, overrides = Overrides.of("https://a.example/hook?x=1#ct=200&rt=300&tt=900&rc=5&rp=ct,5xx")
    assert url == "https://a.example/hook?x=1"
    assert (overrides.connect_ms, overrides.read_ms, overrides.total_ms, overrides.retries) == (
        200,
        300,
        900,
        5,
    )
    assert overrides.tries_again("5xx")
    assert not overrides.tries_again("rt")
