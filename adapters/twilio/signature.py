"""Whether a webhook comes from Twilio: `X-Twilio-Signature`, by the public URL that was configured there.

https://www.twilio.com/docs/usage/security#validating-requests. The signature is computed by Twilio's library and
compared here, in constant time: whatever a proxy made of the request's own host and scheme does not count.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    add_port,
    get_signature_algorithm,
    remove_port,
)

from adapters.twilio.form import Form

_BODY_HASH = "bodySHA256"


def is_form_signed(url: str, fields: Form, headers: Mapping[str, str], tokens: Iterable[str]) -> bool:
    """Tell whether a form posted to a URL is signed by one of the tokens; blank fields count. Pure."""
    return _is_signed(url, fields, headers, tokens)


def is_body_signed(url: str, body: bytes, headers: Mapping[str, str], tokens: Iterable[str]) -> bool:
    """Tell whether a body that is no form is signed: the URL carries its hash, and is signed itself. Pure."""
    hashes = parse_qs(urlsplit(url).query).get(_BODY_HASH, [])
    is_same = len(hashes) == 1 and _are_same(hashes[0], hashlib.sha256(body).hexdigest())
    return is_same and _is_signed(url, Form(), headers, tokens)


def _is_signed(url: str, fields: Form, headers: Mapping[str, str], tokens: Iterable[str]) -> bool:
    given = headers.get(SIGNATURE_HEADER, "")
    algorithm = get_signature_algorithm(headers.get(SIGNATURE_SETTINGS_HEADER, "")).upper()
    if algorithm not in (HMAC_SHA1, HMAC_SHA256):
        return False
    return any(
        _are_same(given, RequestValidator(token).compute_signature(spelling, fields, algorithm))
        for token in tokens
        for spelling in _spellings(url)
    )


def _spellings(url: str) -> Iterator[str]:
    """Spell a URL without its port and with it: what Twilio signs is not always the same."""
    parts = urlsplit(url)
    yield remove_port(parts)
    yield add_port(parts)


def _are_same(given: str, computed: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), computed.encode())
