"""What is said on a connection: JSON texts, one a frame. Reading is strict and quotes nothing back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

#: The protocol's version, said in `hello`.
VERSION = 1
#: The largest frame taken in, in bytes; a paste of 100,000 characters still gets a kind answer.
MAX_FRAME_BYTES = 512 * 1024
#: Rooms in one frame of a client, and characters of an id.
_MAX_CURSORS = 2_000
_MAX_ID = 200
_MAX_NUMBER = 2**53


class Problem(StrEnum):
    """Why the server did not do what a frame asks, beside the house's own refusals."""

    #: The frame is not one of ours.
    BAD_REQUEST = "bad_request"
    #: Nothing was lost, and the same may be sent again.
    TRY_AGAIN = "try_again"
    #: The same is welcome later.
    SLOW_DOWN = "slow_down"


class BadFrame(Exception):
    """A frame that is not one of ours; the message says what is wrong and quotes nothing."""

    def __init__(self, reason: str, number: int = 0) -> None:
        super().__init__(reason)
        #: The frame's own number where it could be read, else 0.
        self.number = number


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a client."""

    number: int
    do: str
    body: dict[str, Any]

    def text(self, key: str, longest: int = _MAX_ID) -> str:
        """Read a text that must be there. Raises `BadFrame`."""
        value = self.body.get(key)
        if not isinstance(value, str) or not value:
            raise BadFrame(f"{key} must be a text", self.number)
        if len(value) > longest:
            raise BadFrame(f"{key} is longer than {longest} characters", self.number)
        # Half a character, which JSON can carry and nothing else can.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def maybe_text(self, key: str, longest: int = _MAX_ID) -> str | None:
        """Read a text that may be missing. Raises `BadFrame`."""
        return None if self.body.get(key) in (None, "") else self.text(key, longest)

    def client_id(self) -> str:
        """Read the client's own id of what it sends. Raises `BadFrame`."""
        value = self.text("client_id", 64)
        if not all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in value):
            raise BadFrame("client_id may hold letters, digits, - and _ only", self.number)
        return value

    def whole(self, key: str, *, most: int = _MAX_NUMBER) -> int | None:
        """Read a whole number from 0 that may be missing. Raises `BadFrame`."""
        value = self.body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise BadFrame(f"{key} must be a whole number from 0 to {most}", self.number)
        return value

    def number_of(self, key: str, most: float) -> float | None:
        """Read a number above 0 that may be missing. Raises `BadFrame`."""
        value = self.body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise BadFrame(f"{key} must be a number above 0, at most {most:g}", self.number)
        return float(value)

    def switch(self, key: str) -> bool:
        """Read true or false. Raises `BadFrame`."""
        value = self.body.get(key)
        if not isinstance(value, bool):
            raise BadFrame(f"{key} must be true or false", self.number)
        return value

    def cursors(self) -> dict[str, int]:
        """Read which position of each room the client has. Raises `BadFrame`."""
        value = self.body.get("cursors", {})
        if not isinstance(value, dict) or len(value) > _MAX_CURSORS:
            raise BadFrame("cursors must be positions by room", self.number)
        if not all(type(at) is int and 0 <= at <= _MAX_NUMBER for at in value.values()):
            raise BadFrame("cursors must be positions by room", self.number)
        return dict(value)


def read_ask(text: str) -> Ask:
    """Read a client's frame. Raises `BadFrame`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BadFrame("a frame must be JSON") from exc
    if not isinstance(data, dict):
        raise BadFrame("a frame must be a JSON object")
    number = data.get("id")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= _MAX_NUMBER:
        raise BadFrame("id must be a whole number above 0")
    do = data.get("do")
    if not isinstance(do, str) or not 0 < len(do) <= _MAX_ID:
        raise BadFrame("do must name what to do", number)
    return Ask(number, do, data)


def dump(value: Any) -> str:
    """Write JSON as it goes over the wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def answer(number: int, result: Any) -> str:
    """Write what came of a request."""
    return dump({"re": number, "ok": result})


def refusal(number: int, code: str, text: str, retry_s: float | None = None) -> str:
    """Write why nothing came of a request."""
    error: dict[str, Any] = {"code": code, "text": text}
    if retry_s is not None:
        error["retry_s"] = round(retry_s, 1)
    return dump({"re": number, "error": error})


def event(name: str, **facts: Any) -> str:
    """Write something that happened."""
    return dump({"event": name, **facts})


def entries(room: str, written: Sequence[str]) -> str:
    """Write entries that are JSON already, in order."""
    return f'{{"event":"entries","room":{dump(room)},"entries":[{",".join(written)}]}}'


def framed(text: str) -> bytes:
    """Write a whole WebSocket text frame from server to client, the same for everybody (RFC 6455, 5.2)."""
    body = text.encode("utf-8", "replace")
    length = len(body)
    if length < 126:  # noqa: PLR2004 - the RFC's own numbers
        return bytes((0x81, length)) + body
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2) + body
    return b"\x81\x7f" + length.to_bytes(8) + body
