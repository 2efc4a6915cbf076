"""What Twilio refuses, by its own codes.

https://www.twilio.com/docs/api/errors/CODE explains each; the HTTP statuses are those that its API is seen to answer
with, and 400 where no source was found.
"""

from http import HTTPStatus
from typing import Any, Final

_BAD = HTTPStatus.BAD_REQUEST
_LATER = HTTPStatus.TOO_MANY_REQUESTS

REFUSALS: Final = {
    20001: (_BAD, "Unknown parameters"),
    20003: (HTTPStatus.UNAUTHORIZED, "Authenticate"),
    20004: (HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed"),
    20005: (HTTPStatus.FORBIDDEN, "Account not active"),
    20404: (HTTPStatus.NOT_FOUND, "The requested resource was not found"),
    20429: (_LATER, "Too Many Requests"),
    20500: (HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error"),
    20503: (HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable"),
    21211: (_BAD, "Invalid 'To' Phone Number"),
    21212: (_BAD, "Invalid 'From' Number"),
    21603: (_BAD, "A 'From' phone number is required."),
    21604: (_BAD, "A 'To' phone number is required."),
    21606: (_BAD, "The 'From' phone number provided is not a valid message-capable Twilio phone number."),
    21609: (_BAD, "Invalid 'StatusCallback' URL"),
    21610: (_BAD, "Attempt to send to unsubscribed recipient"),
    21611: (_LATER, "This 'From' number has exceeded the maximum number of queued messages"),
    21617: (_BAD, "The concatenated message body exceeds the 1600 character limit"),
    21619: (_BAD, "A text message body or media urls must be specified."),
    21620: (_BAD, "Invalid media URL(s)"),
    21623: (_BAD, "Number of media files exceeds allowed limit"),
    21624: (_BAD, "Invalid ValidityPeriod value"),
    21654: (_BAD, "ContentSid Required"),
    21655: (_BAD, "The ContentSid Parameter is Invalid"),
    21656: (_BAD, "The ContentVariables Parameter is invalid"),
    21701: (_BAD, "The Messaging Service does not exist"),
    21703: (_BAD, "The Messaging Service does not have a phone number available to send a message"),
    21910: (_BAD, "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel"),
    63007: (_BAD, "Twilio could not find a Channel with the specified From address"),
    63018: (_LATER, "Rate limit exceeded for Channel"),
    63038: (_LATER, "Account exceeded the 50 daily messages limit"),
}

#: What a message fails with after it was taken.
FAILURES: Final = {
    30003: "Unreachable destination handset",
    30036: "Validity Period Expired",
    63016: "Failed to send freeform message because you are outside the allowed window",
    63018: "Rate limit exceeded for Channel",
    63024: "Invalid message recipient",
    63028: "Number of parameters provided does not match the expected number of parameters",
    63038: "Account exceeded the daily messages limit",
}


class Refused(Exception):
    """Twilio does not do this; the code says why."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.status, message = REFUSALS[code]
        self.message = f"{message}: {detail}" if detail else message

    def to_wire(self) -> dict[str, Any]:
        """Write it as the API's JSON."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": int(self.status),
        }


class Unmodelled(Refused):
    """A call that no adapter of ours should make, or that this cloud does not know: a test must fail over it."""
