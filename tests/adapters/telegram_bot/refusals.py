"""What the Bot API answers when it does not do something, in its own words.

The descriptions are those of the Bot API server's source (tdlib/telegram-bot-api, Client.cpp) and of public reports.
"""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """The Bot API does not do this.

    `blame` is set where no correct bot could have made the call: the test that let it happen fails. Without it, this
    is something that a correct bot meets in life (a blocked user, a vanished message) and has to cope with.
    """

    def __init__(
        self, code: int, description: str, *, blame: str = "", parameters: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.blame = blame
        self.parameters = parameters

    def to_wire(self) -> dict[str, Any]:
        """Write it as the Bot API answers it."""
        answer = {"ok": False, "error_code": self.code, "description": self.description}
        return answer | ({"parameters": dict(self.parameters)} if self.parameters else {})


def bad_request(why: str, **parameters: Any) -> Refused:
    """Refuse something that a correct bot may have asked for."""
    return Refused(400, f"Bad Request: {why}", parameters=parameters)


def misuse(why: str, blame: str = "") -> Refused:
    """Refuse something that no correct bot asks for."""
    return Refused(400, f"Bad Request: {why}", blame=blame or why)


def forbidden(why: str) -> Refused:
    """Refuse what the bot has no right to."""
    return Refused(403, f"Forbidden: {why}")


def conflict(why: str) -> Refused:
    """Refuse one of two ways to get updates."""
    return Refused(409, f"Conflict: {why}")


def too_many(retry_after_s: int | None) -> Refused:
    """Refuse a call because of too many; with or without a time to wait."""
    if retry_after_s is None:
        return Refused(429, "Too Many Requests")
    parameters = {"retry_after": retry_after_s}
    return Refused(429, f"Too Many Requests: retry after {retry_after_s}", parameters=parameters)
