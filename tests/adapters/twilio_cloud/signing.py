"""Signatures of webhooks, computed from Twilio's description and without its library.

https://www.twilio.com/docs/usage/security#validating-requests: the URL as it was configured, then every parameter of
the form in the order of their names, name and value after one another; HMAC-SHA1 with the account's primary token,
in Base64. A JSON body is hashed into the URL instead.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

SIGNATURE: Final = "X-Twilio-Signature"


def sign(token: str, url: str, params: Mapping[str, str]) -> str:
    """Sign a form that is posted to a URL; blank values count."""
    text = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def with_body_hash(url: str, body: bytes) -> str:
    """Put a JSON body's hash into the URL; what is signed then is this URL alone."""
    parts = urlsplit(url)
    hashed = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    return urlunsplit(parts._replace(query=f"{parts.query}&{hashed}" if parts.query else hashed))


def with_port(url: str) -> str:
    """Name the scheme's own port in a URL, as Twilio has signed at times."""
    parts = urlsplit(url)
    if parts.port is not None:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}"))
