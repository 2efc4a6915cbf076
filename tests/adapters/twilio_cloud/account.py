"""One customer's account: its credentials, its senders and its content templates."""

import base64
import binascii
import hmac
from dataclasses import dataclass, field

from tests.adapters.twilio_cloud.sids import new_sid

#: Twilio's sandbox sender, and its test number.
WHATSAPP_SENDER = "whatsapp:+14155238886"
SMS_SENDER = "+15005550006"


@dataclass(slots=True, kw_only=True)
class Sender:
    """A number or a WhatsApp sender, and where its messages are told."""

    address: str
    webhook: str | None = None
    #: Asked after the webhook has failed.
    fallback: str | None = None
    #: Where statuses are told of messages that name no callback of their own.
    status_callback: str | None = None
    #: The Messaging Service it belongs to, if any.
    service: str = ""
    sid: str = field(default_factory=lambda: new_sid("PN"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A message that WhatsApp has seen beforehand; `{{1}}` and so on are filled in."""

    sid: str = field(default_factory=lambda: new_sid("HX"))
    body: str
    #: Values of placeholders that a message does not fill.
    defaults: dict[str, str] = field(default_factory=dict)
    #: An unapproved one may only be sent inside the window.
    approved: bool = True


@dataclass(slots=True, kw_only=True)
class Account:
    """An account as Twilio's console shows it."""

    sid: str = "AC" + "0123456789abcdef" * 2
    #: The primary token: it signs webhooks.
    token: str = "primary-token"  # noqa: S105 - it guards nothing
    #: Made during rotation; it opens the API but signs nothing until it is promoted.
    secondary: str | None = None
    #: API keys with their secrets.
    keys: dict[str, str] = field(default_factory=lambda: {"SK" + "fedcba9876543210" * 2: "key-secret"})
    senders: dict[str, Sender] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    active: bool = True

    def promote(self) -> None:
        """Make the secondary token the primary one; the old one is worth nothing any more."""
        assert self.secondary is not None, "there is no secondary token to promote"
        self.token, self.secondary = self.secondary, None

    def knows(self, authorization: str | None) -> bool:
        """Check a Basic authorization: the account with a token, or an API key with its secret."""
        user, secret = _basic(authorization)
        valid = [self.token, self.secondary] if user == self.sid else [self.keys.get(user)]
        return any(known and hmac.compare_digest(known.encode(), secret.encode()) for known in valid)

    def by_key(self, authorization: str | None) -> bool:
        """Tell whether a Basic authorization is by an API key."""
        return _basic(authorization)[0] in self.keys

    def service_senders(self, service: str) -> list[Sender]:
        """List a Messaging Service's pool."""
        return [sender for sender in self.senders.values() if sender.service == service]


def standard_account() -> Account:
    """Make an account with one WhatsApp sender and one number."""
    senders = [Sender(address=WHATSAPP_SENDER), Sender(address=SMS_SENDER)]
    return Account(senders={sender.address: sender for sender in senders})


def _basic(authorization: str | None) -> tuple[str, str]:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, secret
