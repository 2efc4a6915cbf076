"""What Twilio's codes mean to us: one table, for calls that are refused and for messages that fail later.

https://www.twilio.com/docs/api/errors lists the codes. A status that stands for none is read by its class.
"""

from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from adapters.base import DeliveryFailure
from adapters.errors import (
    AdapterError,
    Ambiguous,
    AuthFailed,
    Gone,
    PolicyBlocked,
    RateScope,
    Rejected,
    RetryAfter,
    WindowClosed,
)


class Suspended(AuthFailed):
    """Twilio has shut the account: an operator must ask it why."""


class Meaning(StrEnum):
    """What a code means, by what can be done."""

    #: Not now: nothing was done.
    LATER = "later"
    #: The 24 hours after the person's last message are over.
    WINDOW = "window"
    #: The person is not there, or wants nothing from us.
    GONE = "gone"
    #: A policy forbids it.
    POLICY = "policy"
    #: Our credentials are wrong.
    CREDENTIALS = "credentials"
    #: The account is shut.
    SUSPENDED = "suspended"
    #: This message will never be taken.
    NEVER = "never"


_MEANINGS: Final = {
    **dict.fromkeys((14107, 20429, 21611, 30001, 30036, 60728, 63017, 63018, 63038), Meaning.LATER),
    63016: Meaning.WINDOW,
    **dict.fromkeys(
        (20404, 21211, 21217, 21265, 21610, 21612, 21614, 30003, 30004, 30005, 30006, 63003, 63024),
        Meaning.GONE,
    ),
    **dict.fromkeys((21408, 30007, 30032, 30034, 63013, 63032, 63033, 63049, 63050, 63051), Meaning.POLICY),
    **dict.fromkeys((20003, 20008), Meaning.CREDENTIALS),
    20005: Meaning.SUSPENDED,
}
_BY_STATUS: Final[dict[int, Meaning]] = {
    HTTPStatus.UNAUTHORIZED: Meaning.CREDENTIALS,
    HTTPStatus.FORBIDDEN: Meaning.CREDENTIALS,
    HTTPStatus.NOT_FOUND: Meaning.GONE,
    HTTPStatus.GONE: Meaning.GONE,
    HTTPStatus.TOO_MANY_REQUESTS: Meaning.LATER,
}
#: Seconds to wait where Twilio does not say: it mostly does not. A day's limit is asked again every hour.
_WAITS_S: Final = {63018: 5.0, 63017: 5.0, 21611: 600.0, 60728: 600.0, 63038: 3_600.0}
_WAIT_S: Final = 1.0
#: No longer is waited for what a header says.
_LONGEST_WAIT_S: Final = 86_400.0
_FAILURES: Final = {
    Meaning.LATER: DeliveryFailure.LIMITED,
    Meaning.WINDOW: DeliveryFailure.WINDOW_CLOSED,
    Meaning.GONE: DeliveryFailure.GONE,
    Meaning.POLICY: DeliveryFailure.POLICY,
}
_ERRORS: Final[dict[Meaning, type[AdapterError]]] = {
    Meaning.WINDOW: WindowClosed,
    Meaning.GONE: Gone,
    Meaning.POLICY: PolicyBlocked,
    Meaning.CREDENTIALS: AuthFailed,
    Meaning.SUSPENDED: Suspended,
    Meaning.NEVER: Rejected,
}


def refusal(status: int, answer: Any, retry_after: str | None) -> AdapterError:
    """Read a refused call: its status, the JSON it was answered, and its Retry-After. Pure; never raises."""
    code = _code(answer)
    said = f"Twilio answered {status}" + (f" with error {code}" if code else "")
    meaning = _MEANINGS.get(code)
    if meaning is None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # Nothing says whether it was done before that.
        return Ambiguous(said)
    meaning = meaning or _BY_STATUS.get(status, Meaning.NEVER)
    if meaning is Meaning.LATER:
        return RetryAfter(_wait_s(code, retry_after), RateScope.ACCOUNT)
    return _ERRORS[meaning](said)


def failure_of(code: str) -> DeliveryFailure:
    """Read why a message will not arrive, by the code a status callback names. Pure; never raises."""
    meaning = _MEANINGS.get(int(code)) if code.isascii() and code.isdigit() and len(code) <= 6 else None  # noqa: PLR2004 - Twilio's have five digits
    return _FAILURES.get(meaning, DeliveryFailure.REFUSED) if meaning else DeliveryFailure.REFUSED


def _code(answer: Any) -> int:
    code = answer.get("code") if isinstance(answer, dict) else None
    return code if isinstance(code, int) else 0


def _wait_s(code: int, retry_after: str | None) -> float:
    try:
        told = float(retry_after or "")
    except ValueError:
        return _WAITS_S.get(code, _WAIT_S)
    return min(told, _LONGEST_WAIT_S) if told > 0 else _WAITS_S.get(code, _WAIT_S)
