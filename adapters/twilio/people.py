"""People's addresses as Twilio writes them: a number for SMS, `whatsapp:` and a number or an id for WhatsApp. Pure."""

import hashlib
from collections.abc import Iterable

_WHATSAPP = "whatsapp:"


def is_whatsapp(address: str) -> bool:
    """Tell whether an address is one on WhatsApp."""
    return address.startswith(_WHATSAPP)


def on_whatsapp(number: str) -> str:
    """Write a number as an address on WhatsApp."""
    return number if is_whatsapp(number) else _WHATSAPP + number


def is_from(address: str, countries: Iterable[str]) -> bool:
    """Tell whether an address is in one of these countries (`+49`, or `DE` of an id like `DE.1349`); none is all.

    Countries that share a calling code (+1, +7) can be told apart only by more of the number: `+1868`.
    """
    bare = address.removeprefix(_WHATSAPP)
    wanted = tuple(country if country.startswith("+") else f"{country.upper()}." for country in countries)
    return not wanted or bare.upper().startswith(wanted)


def stream_of(kind: str, account: str, conversation: str) -> str:
    """Name the stream in which something about a conversation is kept; the number itself is not in it."""
    named = hashlib.sha256(f"{account}\0{conversation}".encode(errors="replace")).hexdigest()[:40]
    return f"{kind}:{named}"
