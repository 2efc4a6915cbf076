"""What client and server say to each other: newline-delimited JSON objects with a version, one frame a line.

A connection begins with `Join`; the server answers `Welcome`, then messages from the cursor on. `to_wire` and
`from_wire` are pure; what does not follow the format raises `MalformedEvent`.
"""

import json
from dataclasses import dataclass, fields
from enum import StrEnum
from types import UnionType
from typing import Any, ClassVar, get_type_hints

from adapters.base import LivePhase, Outcome
from adapters.errors import MalformedEvent

VERSION = 1
#: The longest line either side accepts, in bytes; longer ones are refused before they are parsed.
MAX_FRAME_BYTES = 1024 * 1024
#: The longest id a client may make up.
MAX_ID = 32


class Author(StrEnum):
    """Whose words a message holds, by how to show it."""

    PERSON = "person"
    #: A reply from the model.
    ASSISTANT = "assistant"
    #: Our own sentence: why something is not answered, or that it takes long.
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """The client is a person who enters a room: a group, or the direct chat where `chat` is None."""

    TYPE: ClassVar[str] = "join"
    person: str
    chat: str | None = None
    #: The last position the client has seen; None asks for the newest messages.
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """The person wrote something. The same `id` again is the same message."""

    TYPE: ClassVar[str] = "say"
    id: str
    text: str
    #: The `ref` of the message it replies to.
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The person asks to stop the reply."""

    TYPE: ClassVar[str] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The client is in."""

    TYPE: ClassVar[str] = "welcome"
    #: The person's name as it is shown.
    person: str
    assistant: str
    #: The group's name; None in a direct chat.
    chat: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of the room, or what replaces one."""

    TYPE: ClassVar[str] = "message"
    #: Where it stands in the room; also the short number people reply to.
    position: int
    ref: str
    author: Author
    name: str
    text: str
    #: ISO 8601, UTC.
    at: str
    #: The position and author of the message it replies to.
    reply_to: str | None = None
    #: The refs of all messages this reply or notice answers.
    answers: tuple[str, ...] = ()
    #: The ref of the earlier message whose text this one replaces.
    replaces: str | None = None
    #: Whether that earlier message was taken back instead.
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A reply that is being written, whole so far; it replaces the frame before."""

    TYPE: ClassVar[str] = "live"
    turn_id: str
    reply_to: str
    phase: LivePhase
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """What became of a `Say` (by its id) or a `Stop` (an empty id)."""

    TYPE: ClassVar[str] = "ack"
    id: str
    ref: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a frame was not carried out, in a sentence for the person."""

    TYPE: ClassVar[str] = "refusal"
    #: The id of the `Say`; empty where it was another frame.
    id: str
    why: str
    #: Whether the same frame may be sent again later.
    retry: bool


Frame = Join | Say | Stop | Welcome | Message | Live | Ack | Refusal

_TYPES: dict[str, type[Frame]] = {
    frame.TYPE: frame for frame in (Join, Say, Stop, Welcome, Message, Live, Ack, Refusal)
}


#: What each field of a frame may be; looked up once, as that takes longer than reading the frame.
_HINTS: dict[type[Frame], dict[str, Any]] = {
    kind: {entry.name: get_type_hints(kind)[entry.name] for entry in fields(kind)} for kind in _TYPES.values()
}


def to_wire(frame: Frame) -> bytes:
    """Encode a frame as one line."""
    body = {name.name: getattr(frame, name.name) for name in fields(frame)}
    line = json.dumps({"v": VERSION, "type": frame.TYPE, **body}, ensure_ascii=False, separators=(",", ":"))
    return line.encode("utf-8", "replace") + b"\n"


def from_wire(line: bytes) -> Frame:
    """Decode one line. Raises `MalformedEvent`, which says what is wrong with it."""
    if len(line) > MAX_FRAME_BYTES:
        raise MalformedEvent(f"the frame is longer than {MAX_FRAME_BYTES} bytes", line)
    try:
        data = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise MalformedEvent("the frame is not a line of JSON in UTF-8", line) from exc
    if not isinstance(data, dict):
        raise MalformedEvent("the frame is not a JSON object", line)
    if data.get("v") != VERSION:
        raise MalformedEvent(f"the other side speaks another version than {VERSION}", line)
    kind = _TYPES.get(data["type"]) if isinstance(data.get("type"), str) else None
    if kind is None:
        raise MalformedEvent("the frame's type is unknown", line)
    return _built(kind, data, line)


def _built(kind: type[Frame], data: dict[str, Any], line: bytes) -> Frame:
    values: dict[str, Any] = {}
    for name, hint in _HINTS[kind].items():
        if name in data:
            values[name] = _checked(kind, name, hint, data[name], line)
    try:
        return kind(**values)
    except TypeError as exc:
        raise MalformedEvent(f"a {kind.TYPE} frame lacks a field", line) from exc


def _checked(kind: type[Frame], name: str, hint: Any, value: Any, line: bytes) -> Any:
    if hint is str and isinstance(value, str) and value.isascii():
        return value
    wrong = MalformedEvent(f"the field {name} of a {kind.TYPE} frame is of the wrong kind", line)
    if hint == tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise wrong
        return tuple(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        try:
            return hint(value)
        except ValueError as exc:
            raise wrong from exc
    assert isinstance(hint, type | UnionType)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise wrong
    if isinstance(value, str):
        # A lone surrogate is legal in JSON's escapes and in nothing that stores text.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
