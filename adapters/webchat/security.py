"""Who may ask what of the server, by the headers browsers send; and what the page may do once it is there. Pure.

Sources: RFC 6454 (Origin), Fetch metadata (https://www.w3.org/TR/fetch-metadata/), CSP 3
(https://www.w3.org/TR/CSP3/), Trusted Types (https://www.w3.org/TR/trusted-types/).
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from adapters.webchat.settings import WebchatSettings, is_loopback

#: Sent with every answer.
COMMON_HEADERS: Mapping[str, str] = {
    "Server": "Aside",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
#: Sent with the page alone: nothing else is a document, and there are many small files.
PAGE_HEADERS: Mapping[str, str] = {
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), midi=(), "
        "display-capture=(), browsing-topics=()"
    ),
}
#: What is not a page may do nothing at all.
BARE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page_policy(nonce: str) -> str:
    """Write the page's Content-Security-Policy: our own scripts by nonce, our own files, and nobody else's."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}' 'strict-dynamic'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


class Gate:
    """Tells requests of our own page from those that other pages make a browser send."""

    def __init__(self, settings: WebchatSettings) -> None:
        parts = urlsplit(settings.public_url)
        self._public_host = parts.netloc.lower()
        self._public_origin = f"{parts.scheme}://{self._public_host}" if self._public_host else ""

    def knows_host(self, host: str) -> bool:
        """Tell whether a Host header names us: a name of somebody else's that leads here is DNS rebinding."""
        host = host.lower()
        return bool(host) and (host == self._public_host or is_loopback(_without_port(host)))

    def knows_origin(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a request that changes something, or opens a stream, was made by our own page."""
        site = headers.get("Sec-Fetch-Site")
        if site is not None and site != "same-origin":
            return False
        origin, host = headers.get("Origin", "").lower(), headers.get("Host", "").lower()
        if not origin or not self.knows_host(host):
            return False
        if self._public_origin and origin == self._public_origin:
            return host == self._public_host or is_loopback(_without_port(host))
        return host != self._public_host and origin == f"http://{host}"


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0]
