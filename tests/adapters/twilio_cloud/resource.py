"""A message as the API writes it: https://www.twilio.com/docs/messaging/api/message-resource#message-properties."""

import sqlite3
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from tests.adapters.twilio_cloud.errors import FAILURES
from tests.adapters.twilio_cloud.shown import Direction


def rfc2822(at: float | None) -> str | None:
    """Write a time as the 2010 API does."""
    return None if at is None else format_datetime(datetime.fromtimestamp(int(at), UTC))


def message_resource(row: sqlite3.Row, account: str) -> dict[str, Any]:
    """Write a message; numbers are strings, as everywhere in this API, but for the error's code."""
    to_person = row["direction"] != Direction.INBOUND
    here = f"/2010-04-01/Accounts/{account}/Messages/{row['sid']}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": row["body"],
        "date_created": rfc2822(row["created_at"]),
        "date_sent": rfc2822(row["sent_at"]),
        "date_updated": rfc2822(row["updated_at"]),
        "direction": row["direction"],
        "error_code": row["error_code"],
        "error_message": FAILURES.get(row["error_code"], "Unknown error") if row["error_code"] else None,
        "from": row["sender"] if to_person else row["person"],
        "messaging_service_sid": row["service"] or None,
        "num_media": str(row["num_media"]),
        # A Messaging Service has not chosen a sender when it takes a message.
        "num_segments": "0" if row["status"] == "accepted" else str(row["segments"]),
        "price": None if row["price"] is None else f"{row['price']:.5f}",
        "price_unit": "USD",
        "sid": row["sid"],
        "status": row["status"],
        "subresource_uris": {"media": f"{here}/Media.json"},
        "to": row["person"] if to_person else row["sender"],
        "uri": f"{here}.json",
    }
