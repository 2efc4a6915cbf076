"""From a status callback to what became of a message of ours. Pure.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status. Callbacks overtake each other; whoever hears
of a state keeps the furthest one.
"""

from collections.abc import Mapping
from typing import Final

from adapters.base import Delivery, DeliveryState
from adapters.twilio.parse import address_of, sid_of
from adapters.twilio.refusals import failure_of
from adapters.twilio.settings import NAME

_STATES: Final = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending"), DeliveryState.QUEUED),
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    **dict.fromkeys(("failed", "undelivered", "canceled"), DeliveryState.FAILED),
}


def delivery_of(fields: Mapping[str, str]) -> Delivery | None:
    """Read a callback; None for a status that says nothing to us. Raises `MalformedEvent`."""
    state = _STATES.get((fields.get("MessageStatus") or fields.get("SmsStatus", "")).lower())
    message, account = sid_of(fields), address_of(fields, "From")
    if state is None:
        return None
    code = fields.get("ErrorCode", "")[:10]
    return Delivery(
        adapter=NAME,
        account=account,
        message=message,
        state=state,
        failure=failure_of(code) if state is DeliveryState.FAILED else None,
        code=code,
    )
