"""What the Twilio adapter is told at start."""

from dataclasses import dataclass, field

from adapters.twilio.people import is_from, on_whatsapp

#: The platform's name, equal to the folder's.
NAME = "twilio"
#: Where people's messages are told, behind the public URL.
MESSAGES_PATH = "/hooks/twilio"
#: Where it is told what became of ours.
STATUS_PATH = "/hooks/twilio/status"
#: How often Twilio tries to tell: up to five times, whatever failed. This part of a URL is neither sent nor signed
#: (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
INSIST = "#rc=5&rp=all"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings:
    """The account, its senders, and what WhatsApp's policy allows."""

    #: AC...
    account_sid: str
    #: SK... and its secret: what calls are made with.
    api_key: str
    api_secret: str = field(repr=False)
    #: What webhooks are signed with: the primary auth token, and during rotation the next one as well.
    auth_tokens: tuple[str, ...] = field(repr=False)
    #: What the world calls the gateway: https://bot.example.org.
    public_url: str
    #: Our number on WhatsApp and for SMS, as +14155238886; empty where there is none.
    whatsapp_from: str = ""
    sms_from: str = ""
    #: MG...: Twilio chooses among its senders for SMS.
    messaging_service: str = ""
    #: The operator's word that WhatsApp's policy on general-purpose assistants was read and allows this use.
    whatsapp_policy_acknowledged: bool = False
    #: HX...: sent in place of an answer when WhatsApp's window is closed; its one variable {{1}} is the answer.
    whatsapp_template: str = ""
    #: Who is served, by `+49` and, where WhatsApp tells an id in place of a number, by `DE`; empty is everybody.
    countries: tuple[str, ...] = ()
    #: Messages a second that the senders were given; 0 is what Twilio gives every one.
    whatsapp_per_s: int = 0
    sms_per_s: int = 0
    #: Another place than Twilio's own hosts: a local cloud.
    api_base: str = ""
    #: How long one call may take, and its connection.
    call_s: float = 10.0
    connect_s: float = 5.0
    #: How long it may take to read what somebody replied to; the message goes on without it then.
    quote_s: float = 2.0

    @property
    def whatsapp_address(self) -> str:
        """Our sender on WhatsApp while it is switched on; else empty."""
        return on_whatsapp(self.whatsapp_from) if self.whatsapp_from and self.has_whatsapp else ""

    @property
    def has_whatsapp(self) -> bool:
        """Whether WhatsApp is on: there is a sender, and its policy was acknowledged."""
        return bool(self.whatsapp_from) and self.whatsapp_policy_acknowledged

    def serves(self, sender: str, person: str) -> bool:
        """Tell whether one of our senders, which is on, may talk to a person."""
        is_ours = sender in {self.whatsapp_address, self.sms_from} - {""}
        in_service = bool(self.messaging_service) and sender.startswith("+")
        return (is_ours or in_service) and is_from(person, self.countries)

    @property
    def messages_url(self) -> str:
        """What the operator enters at Twilio."""
        return self.public_url + MESSAGES_PATH + INSIST

    @property
    def status_url(self) -> str:
        """What every message names for its statuses."""
        return self.public_url + STATUS_PATH + INSIST
