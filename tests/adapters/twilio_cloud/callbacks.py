"""What a status callback carries, as captured ones show it.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status: parameters vary by channel and change
without notice.
"""

import sqlite3
import time
from typing import Final

from tests.adapters.twilio_cloud.addresses import bare
from tests.adapters.twilio_cloud.errors import FAILURES
from tests.adapters.twilio_cloud.shown import Channel

#: The install of WhatsApp in this account.
_INSTALL: Final = "XE" + "13ed08c80401d9e2" * 2
#: Statuses that WhatsApp tells as an event of its own.
_EVENTS: Final = {"delivered": "DELIVERED", "read": "READ", "undelivered": "UNDELIVERED", "failed": "FAILED"}


def status_params(row: sqlite3.Row, account: str, status: str, error_code: int | None) -> dict[str, str]:
    """Write the parameters that tell of one status of a message of ours."""
    params = {
        "SmsSid": row["sid"],
        "SmsStatus": status,
        "MessageStatus": status,
        "To": row["person"],
        "MessageSid": row["sid"],
        "AccountSid": account,
        "From": row["sender"],
        "ApiVersion": "2010-04-01",
    }
    if row["service"]:
        params["MessagingServiceSid"] = row["service"]
    if error_code is not None:
        params |= {"ErrorCode": str(error_code), "ErrorMessage": FAILURES.get(error_code, "Unknown error")}
    return params | (_whatsapp(row, status) if row["channel"] == Channel.WHATSAPP else _sms(status))


def _whatsapp(row: sqlite3.Row, status: str) -> dict[str, str]:
    params = {
        "ChannelPrefix": "whatsapp",
        "ChannelInstallSid": _INSTALL,
        "ChannelToAddress": bare(row["person"]),
        "StructuredMessage": "true" if row["content_sid"] else "false",
    }
    return params | ({"EventType": _EVENTS[status]} if status in _EVENTS else {})


def _sms(status: str) -> dict[str, str]:
    if status not in ("delivered", "undelivered"):
        return {}
    return {"RawDlrDoneDate": time.strftime("%y%m%d%H%M", time.gmtime())}
