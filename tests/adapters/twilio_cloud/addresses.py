"""The forms of addresses: E.164 numbers, WhatsApp's with a prefix, and WhatsApp's ids of people without a number.

https://www.twilio.com/docs/messaging/channels and /docs/glossary/what-e164. A person who hides the number has a
business-scoped id (`US.13491208655302741918`) in its place.
"""

import re
from typing import Final

from tests.adapters.twilio_cloud.shown import Channel

WHATSAPP_PREFIX: Final = "whatsapp:"
_NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")
_SCOPED_ID: Final = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")
_SHORT_CODE: Final = re.compile(r"\d{5,6}")
#: Letters, digits and some signs, with one letter at least.
_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}")


def channel_of(address: str) -> Channel:
    """Tell which channel an address belongs to."""
    return Channel.WHATSAPP if address.startswith(WHATSAPP_PREFIX) else Channel.SMS


def bare(address: str) -> str:
    """Take the channel's prefix away."""
    return address.removeprefix(WHATSAPP_PREFIX)


def on(channel: Channel, address: str) -> str:
    """Write a bare address as a channel does."""
    return WHATSAPP_PREFIX + address if channel is Channel.WHATSAPP else address


def is_number(text: str) -> bool:
    """Tell whether a text is an E.164 number."""
    return _NUMBER.fullmatch(text) is not None


def is_person(address: str) -> bool:
    """Tell whether a message can be addressed so. Twilio mends some other forms of numbers; this cloud mends none."""
    if channel_of(address) is Channel.WHATSAPP:
        return is_number(bare(address)) or _SCOPED_ID.fullmatch(bare(address)) is not None
    return is_number(address)


def is_sender(address: str) -> bool:
    """Tell whether a message can come from such an address."""
    if channel_of(address) is Channel.WHATSAPP:
        return is_number(bare(address))
    return any(form.fullmatch(address) for form in (_NUMBER, _SHORT_CODE, _NAME))
