"""What the web chat is told at start."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from adapters.errors import AdapterError

#: The platform's name, equal to the folder's.
NAME = "webchat"
#: There is one account: this server.
ACCOUNT = "local"
#: The longest message of the assistant, in code points of its Markdown.
TEXT_LIMIT = 100_000
#: The longest message of a person, in code points.
SAID_LIMIT = 20_000
TITLE_LIMIT = 64
MEMBERS_LIMIT = 500


class Create(StrEnum):
    """Who may come in without an invitation, and make rooms."""

    #: Anyone where the page has a loopback address only, people inside otherwise.
    AUTO = "auto"
    #: Everybody who reaches the page.
    ANYONE = "anyone"
    #: Whoever is in a room already; everybody else needs an invitation.
    MEMBERS = "members"


class WebchatRefused(AdapterError):
    """The web chat cannot be served as it is set; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebchatSettings:
    """Where the page is, who may come in, and how much one person may send."""

    host: str = "127.0.0.1"
    port: int = 8471
    #: The address people type where a proxy serves the page: https://chat.example.org.
    public_url: str = ""
    #: The operator's word that a proxy with TLS passes requests on to this server.
    behind_proxy: bool = False
    create: Create = Create.AUTO
    #: The header in which the proxy's single sign-on names the person; empty asks people for a name.
    sso_header: str = ""
    #: The header with the name to show; empty shows what `sso_header` holds.
    sso_name_header: str = ""
    #: Days for which messages are kept, as the page tells people; 0 says that nothing drops them.
    retention_days: int = 0
    #: Whether the assistant sees, in groups, the messages that those to it reply to, where a group changed nothing.
    sees_quoted: bool = False
    #: The assistant's names; the first is the one it writes under.
    assistant_names: tuple[str, ...] = ("assistant",)
    #: What people should know of the model that answers, in a sentence or two; empty says only that an AI can be wrong.
    caution: str = ""
    #: How long the core may take to decide on a message.
    accept_timeout_s: float = 30.0
    #: How long somebody may take to read what is written to them before they are let go; they may come back.
    write_timeout_s: float = 30.0

    @property
    def anyone_may_enter(self) -> bool:
        """Whether people come in without an invitation, and may make rooms."""
        if self.create is Create.AUTO:
            if self.public_url:
                # Requests for any other address are refused: whoever comes in is on this machine.
                return is_loopback(urlsplit(self.public_url).hostname or "")
            return is_loopback(self.host) and not self.behind_proxy
        return self.create is Create.ANYONE

    @property
    def is_public_https(self) -> bool:
        """Whether people reach the page by TLS."""
        return urlsplit(self.public_url).scheme == "https"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself, by name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def checked(settings: WebchatSettings) -> WebchatSettings:
    """Return the settings if they are safe to serve. Raises `WebchatRefused`."""
    if not is_loopback(settings.host) and not settings.behind_proxy:
        raise WebchatRefused(
            f"the web chat listens on this machine only, not on {settings.host!r}: set webchat.host to 127.0.0.1, or "
            "webchat.behind_proxy to true where a proxy that speaks TLS (Caddy, nginx) is all that reaches it"
        )
    if settings.behind_proxy and not settings.public_url:
        raise WebchatRefused(
            "behind a proxy the web chat must know its own address: set webchat.public_url to what people type, "
            "such as https://chat.example.org"
        )
    if settings.sso_header and not settings.behind_proxy:
        raise WebchatRefused(
            "webchat.sso_header names people by a header that anybody could send: set webchat.behind_proxy to true "
            "and let the proxy drop that header from outside, or leave it empty"
        )
    return settings
