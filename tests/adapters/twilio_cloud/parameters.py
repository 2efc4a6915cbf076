"""What POST Messages.json may carry, checked before anything is done.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message. The real API passes over parameters it
does not know; here they are a violation, and so are known ones whose effect this cloud does not have.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from tests.adapters.twilio_cloud.addresses import channel_of, is_person, is_sender
from tests.adapters.twilio_cloud.errors import Refused, Unmodelled
from tests.adapters.twilio_cloud.overrides import Overrides
from tests.adapters.twilio_cloud.shown import Channel
from tests.adapters.twilio_cloud.sids import is_sid

_ONCE: Final = frozenset(
    {
        "To",
        "From",
        "MessagingServiceSid",
        "Body",
        "StatusCallback",
        "ValidityPeriod",
        "ContentSid",
        "ContentVariables",
    }
)
#: Twilio says characters without saying which; counted in UTF-16 units no reading allows more.
BODY_LIMIT: Final = 1600
_MEDIA_LIMIT: Final = {Channel.SMS: 10, Channel.WHATSAPP: 1}
#: Seconds that a message may wait; WhatsApp's queue is shorter than that of SMS.
_VALIDITY_S: Final = {Channel.SMS: 36_000, Channel.WHATSAPP: 14_400}
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that somebody asks to send."""

    to: str
    sender: str | None
    service: str
    body: str
    media: tuple[str, ...]
    callback: str | None
    validity_s: int
    content_sid: str | None
    variables: dict[str, str]

    @property
    def channel(self) -> Channel:
        """How it travels."""
        return channel_of(self.to)


def read_form(body: bytes) -> list[tuple[str, str]]:
    """Read a form, blank values included. Raises Unmodelled where it is none."""
    try:
        return parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            encoding="utf-8",
            errors="strict",
        )
    except ValueError as exc:
        raise Unmodelled(20001, "the body is no form") from exc


def once(fields: Iterable[tuple[str, str]], known: frozenset[str]) -> dict[str, str]:
    """Read parameters that may stand once each; none but these may stand at all."""
    found: dict[str, str] = {}
    for name, value in fields:
        if name not in known or name in found:
            raise Unmodelled(20001, f"{name} {'stands twice' if name in found else 'is not known here'}")
        found[name] = value
    return found


def read_draft(fields: list[tuple[str, str]]) -> Draft:
    """Check the parameters of a message."""
    media = tuple(value for name, value in fields if name == "MediaUrl")
    given = once([field for field in fields if field[0] != "MediaUrl"], _ONCE)
    to, sender, service = given.get("To", ""), given.get("From") or None, given.get("MessagingServiceSid", "")
    _require_addresses(to, sender, service)
    channel = channel_of(to)
    _require_content(given, media, channel)
    return Draft(
        to=to,
        sender=sender,
        service=service,
        body=given.get("Body", ""),
        media=media,
        callback=_callback(given),
        validity_s=_validity_s(given, channel),
        content_sid=given.get("ContentSid") or None,
        variables=_variables(given),
    )


def _require_addresses(to: str, sender: str | None, service: str) -> None:
    if not to:
        raise Refused(21604)
    if sender is None and not service:
        raise Refused(21603)
    if not is_person(to):
        raise Refused(21211, to)
    if sender is not None and not is_sender(sender):
        raise Refused(21212, sender)
    if sender is not None and channel_of(sender) is not channel_of(to):
        raise Refused(21910)
    if service and not is_sid(service, "MG"):
        raise Refused(21701)


def _require_content(given: Mapping[str, str], media: tuple[str, ...], channel: Channel) -> None:
    if not (given.get("Body") or media or given.get("ContentSid")):
        raise Refused(21619)
    if given.get("ContentSid") and (given.get("Body") or media):
        raise Unmodelled(
            20001, "ContentSid stands beside Body or MediaUrl, and which of them counts is not documented"
        )
    if len(given.get("Body", "").encode("utf-16-le")) // 2 > BODY_LIMIT:
        raise Refused(21617)
    if len(media) > _MEDIA_LIMIT[channel]:
        raise Refused(21623)
    for url in media:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise Refused(21620)


def _callback(given: Mapping[str, str]) -> str | None:
    url = given.get("StatusCallback")
    if not url:
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "") is not None
        _ = parts.port, Overrides.of(url)
    except ValueError:
        valid = False
    if not valid:
        raise Refused(21609)
    return url


def _validity_s(given: Mapping[str, str], channel: Channel) -> int:
    text = given.get("ValidityPeriod")
    if not text:
        return _VALIDITY_S[channel]
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _VALIDITY_S[Channel.SMS]:
        raise Refused(21624)
    return min(int(text), _VALIDITY_S[channel])


def _variables(given: Mapping[str, str]) -> dict[str, str]:
    text = given.get("ContentVariables")
    if given.get("ContentSid") and not is_sid(given["ContentSid"], "HX"):
        raise Refused(21655)
    if not text:
        return {}
    if not given.get("ContentSid"):
        raise Refused(21654)
    try:
        variables = json.loads(text)
    except ValueError as exc:
        raise Refused(21656) from exc
    # Blank values and ones of several lines are refused by WhatsApp.
    if not isinstance(variables, dict) or not all(
        isinstance(value, str) and value.strip() and "\n" not in value for value in variables.values()
    ):
        raise Refused(21656)
    return variables
