"""What fields mean, one by one; and unsigned bytes are never read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import AttachmentKind, DeliveryFailure, RawRequest
from adapters.errors import AdapterError, MalformedEvent
from adapters.records_memory import MemoryRecordStore
from adapters.twilio.adapter import platform
from adapters.twilio.keywords import Keyword, keyword_of
from adapters.twilio.parse import message_of
from adapters.twilio.people import is_from, stream_of
from adapters.twilio.refusals import failure_of, refusal
from adapters.twilio.settings import TwilioSettings
from adapters.twilio.template_text import in_one_line
from tests.adapters.twilio_cloud.signing import SIGNATURE, sign
from tests.contracts.adapters.pure.twilio import MEDIA_URL, MESSAGE, NOW, SID

TOKEN = "token"  # noqa: S105 - it guards nothing
PUBLIC = "https://bot.example.org"


@settings(max_examples=300, deadline=None)
@given(
    st.integers(100, 999),
    st.one_of(st.none(), st.text(), st.dictionaries(st.text(), st.integers())),
    st.text(),
)
def test_any_refused_call_is_an_error_of_ours(status, answer, retry_after):
    assert isinstance(refusal(status, answer, retry_after), AdapterError)


@given(st.text(max_size=8))
def test_any_code_is_a_failure(code):
    assert isinstance(failure_of(code), DeliveryFailure)


@given(st.text(max_size=3_000))
def test_a_templates_variable_is_one_line_and_never_empty(body):
    line = in_one_line(body)
    assert 0 < len(line) <= 700
    assert line == " ".join(line.split())


class Nobody:
    """The core's place, which must hear nothing."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was called")


def hooks():
    return platform(
        TwilioSettings(
            account_sid="AC0",
            api_key="SK0",
            api_secret="s",  # noqa: S106 - it guards nothing
            auth_tokens=(TOKEN,),
            public_url=PUBLIC,
            sms_from="+14155238886",
        ),
        MemoryRecordStore(),
        lambda: NOW,
    ).webhooks


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=40), st.text(max_size=30), st.booleans())
async def test_nothing_unsigned_is_read(body, signature, query, as_json):
    kind = "application/json" if as_json else "application/x-www-form-urlencoded"
    for webhook in hooks():
        request = RawRequest(
            method="POST",
            path=f"{webhook.path}?{query}",
            headers={SIGNATURE: signature, "Content-Type": kind},
            body=body,
        )
        assert (await webhook.ingest(request, Nobody())).status == 401


@pytest.mark.parametrize("blank", [True, False], ids=["with", "without"])
async def test_a_blank_field_that_a_proxy_drops_breaks_the_signature(blank):
    signed = sign(TOKEN, f"{PUBLIC}/hooks/twilio", {"A": "", "MessageSid": "x"})
    request = RawRequest(
        method="POST",
        path="/hooks/twilio",
        headers={SIGNATURE: signed, "Content-Type": "application/x-www-form-urlencoded"},
        body=b"A=&MessageSid=x" if blank else b"MessageSid=x",
    )
    if not blank:
        assert (await hooks()[0].ingest(request, Nobody())).status == 401
        return
    with pytest.raises(MalformedEvent) as raised:
        await hooks()[0].ingest(request, Nobody())
    assert raised.value.raw == request.body


@pytest.mark.parametrize(
    ("mime", "kind"),
    [
        ("image/jpeg", AttachmentKind.PICTURE),
        ("image/webp", AttachmentKind.STICKER),
        ("audio/ogg; codecs=opus", AttachmentKind.VOICE),
        ("audio/mpeg", AttachmentKind.AUDIO),
        ("video/mp4", AttachmentKind.VIDEO),
        ("application/pdf", AttachmentKind.DOCUMENT),
        ("text/vcard", AttachmentKind.CONTACT),
        ("", AttachmentKind.OTHER),
    ],
)
def test_what_is_attached_is_told_by_its_type(mime, kind):
    fields = MESSAGE | {"NumMedia": "1", "MediaUrl0": MEDIA_URL, "MediaContentType0": mime}
    (attachment,) = message_of(fields, received_at=NOW).attachments
    assert (attachment.kind, attachment.ref) == (kind, f"{SID}/ME{'1' * 32}")


def test_a_media_url_of_another_form_cannot_be_opened():
    fields = MESSAGE | {
        "NumMedia": "1",
        "MediaUrl0": "https://evil.example/x",
        "MediaContentType0": "image/png",
    }
    assert message_of(fields, received_at=NOW).attachments[0].ref == ""


@pytest.mark.parametrize(
    ("address", "countries", "served"),
    [
        ("+4917012345", (), True),
        ("+4917012345", ("+49",), True),
        ("whatsapp:+4917012345", ("+49",), True),
        ("whatsapp:+4917012345", ("+4",), True),
        ("whatsapp:+4917012345", ("DE",), False),
        ("whatsapp:DE.1349", ("de",), True),
        ("whatsapp:DE.1349", ("+49",), False),
        ("whatsapp:DEX.1349", ("DE",), False),
    ],
)
def test_countries(address, countries, served):
    assert is_from(address, countries) is served


def test_a_streams_name_holds_no_number():
    assert "4917012345" not in stream_of("window", "whatsapp:+14155238886", "whatsapp:+4917012345")


@pytest.mark.parametrize(
    ("fields", "keyword"),
    [
        ({"Body": " Stop\n", "From": "+49170"}, Keyword.STOP),
        ({"Body": "stop it", "From": "+49170"}, None),
        ({"Body": "Hilfe", "OptOutType": "HELP", "From": "+49170"}, Keyword.HELP),
        ({"Body": "STOP", "From": "whatsapp:+49170"}, None),
        ({"Body": "", "OptOutType": "ANOTHER", "From": "+49170"}, None),
    ],
    ids=str,
)
def test_keywords(fields, keyword):
    assert keyword_of(fields) is keyword
