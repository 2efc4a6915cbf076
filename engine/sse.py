"""Server-sent events as they arrive: bytes in, whole events out, however the network cut them.

Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.errors import EngineMisbehaved

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: No chunk of a chat stream comes near it; past it the other side is not speaking our protocol.
_MAX_EVENT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: its data lines joined by newlines, and its type."""

    data: str
    name: str = "message"


class SseDecoder:
    """Turn a byte stream into events; comments, ids and retry times are read over.

    Where the bytes were cut changes nothing. An event that was not ended by an empty line is never returned.
    """

    def __init__(self, *, max_event_bytes: int = _MAX_EVENT_BYTES) -> None:
        """Keep the bound, in bytes, that one event may not pass."""
        self._max_event_bytes = max_event_bytes
        self._rest = b""
        self._after_cr = False
        self._at_start = True
        self._data: list[bytes] = []
        self._name = b""
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Take the next bytes and yield the events they complete; iterate to the end before feeding more.

        Raises `EngineMisbehaved` for an event over the bound and for text that is not UTF-8, after the events
        before it.
        """
        for line in self._lines(chunk):
            event = self._take(line)
            if event is not None:
                yield event
        self._check_size(len(self._rest))

    def _lines(self, chunk: bytes) -> list[bytes]:
        if self._after_cr and chunk:
            # The CR has ended its line already; its LF may arrive alone.
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        buffered = self._rest + chunk
        lines = buffered.splitlines(keepends=True)
        complete = not lines or lines[-1].endswith((b"\r", b"\n"))
        self._rest = b"" if complete else lines.pop()
        self._after_cr = self._after_cr or (complete and buffered.endswith(b"\r"))
        return [line.rstrip(b"\r\n") for line in lines]

    def _take(self, line: bytes) -> ServerSentEvent | None:
        if self._at_start:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._at_start = False
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._check_size(len(value))
            self._size_bytes += len(value)
            self._data.append(value)
        elif field == b"event":
            self._name = value
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        data, name = self._data, self._name
        self._data, self._name, self._size_bytes = [], b"", 0
        if not data:
            return None
        return ServerSentEvent(_text(b"\n".join(data)), _text(name) or "message")

    def _check_size(self, more_bytes: int) -> None:
        if self._size_bytes + more_bytes > self._max_event_bytes:
            raise EngineMisbehaved(f"the engine sent an event of more than {self._max_event_bytes} bytes")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise EngineMisbehaved("the engine sent text that is not UTF-8") from exc
