"""Twilio: forms in, WhatsApp's marks and plain SMS out."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from adapters.content import Content
from adapters.links import KnownLinks, only_known
from adapters.twilio.form import Form
from adapters.twilio.keywords import keyword_of
from adapters.twilio.parse import message_of
from adapters.twilio.render import (
    body_length,
    longest_sms,
    longest_whatsapp,
    render_sms,
    render_whatsapp,
    split,
)
from adapters.twilio.status import delivery_of
from tests.contracts.adapters.pure.cases import Parser, Writer

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SID = "SM" + "0a" * 16
MEDIA_URL = f"https://api.twilio.com/2010-04-01/Accounts/AC{'0' * 32}/Messages/{SID}/Media/ME{'1' * 32}"
MESSAGE = {"MessageSid": SID, "From": "whatsapp:+4917012345", "To": "whatsapp:+14155238886", "Body": "hi"}
_NAMES = (
    *MESSAGE,
    *("NumMedia", "MediaUrl0", "MediaContentType0", "Latitude", "Longitude", "Label", "ProfileName"),
    *("OriginalRepliedMessageSid", "OriginalRepliedMessageSender", "ButtonText", "ListTitle", "OptOutType"),
    *("ExternalUserId", "MessageStatus", "ErrorCode", "SmsStatus", "SmsSid"),
)
_KNOWN = (SID, "1", "10", "999", "²", "stop", "START", "whatsapp:US.1", "failed", "63016", MEDIA_URL)
_FIELDS = st.dictionaries(
    st.sampled_from(_NAMES), st.text(max_size=40) | st.sampled_from(_KNOWN), max_size=12
)
#: Nearly a message each time, so that what stands behind the first look is reached.
_GIVEN = _FIELDS | _FIELDS.map(lambda fields: MESSAGE | fields)
_PAIRS = st.lists(st.tuples(st.sampled_from(_NAMES) | st.text(max_size=8), st.text(max_size=8)), max_size=8)


def _message(fields: dict[str, str]) -> Iterable[object]:
    keyword_of(fields)
    event = message_of(fields, received_at=NOW)
    assert event is None or event.text.strip() or event.attachments
    return () if event is None else (event,)


def _status(fields: dict[str, str]) -> Iterable[object]:
    delivery = delivery_of(fields)
    if delivery is None:
        return ()
    assert (delivery.state == "failed") == (delivery.failure is not None)
    return (delivery,)


def _form(body: bytes) -> Iterable[object]:
    form = Form.of(body)
    assert all(form[name] == form.getall(name)[0] for name in form)
    return ()


def _written(render: Any) -> Any:
    def write(content: Content, known: KnownLinks) -> str:
        return render(only_known(content, known))

    return write


_SIGNS = str.maketrans({"\u2217": "*", "\u02cd": "_", "\u223c": "~", "\u02cb": "`"})

PARSERS = (
    Parser(name="messages", given=_GIVEN, read=_message, covers=frozenset({"parse", "keywords"})),
    Parser(name="statuses", given=_GIVEN, read=_status, covers=frozenset({"status"})),
    Parser(
        name="forms",
        given=st.binary(max_size=200) | _PAIRS.map(lambda pairs: repr(pairs).encode(errors="replace")),
        read=_form,
        covers=frozenset({"form"}),
        refuses=(ValueError,),
    ),
)
WRITERS = (
    Writer(
        name="whatsapp",
        write=_written(render_whatsapp),
        cut=lambda markdown, limit: split(markdown, longest_whatsapp, limit),
        measure=body_length,
        reads=lambda text: text.translate(_SIGNS),
    ),
    Writer(
        name="sms",
        write=_written(render_sms),
        cut=lambda markdown, limit: split(markdown, longest_sms, limit),
        measure=body_length,
    ),
)
