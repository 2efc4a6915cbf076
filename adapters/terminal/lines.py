"""Reading and writing frames on a stream, with a cap on every line and a timeout on every write."""

import asyncio

from adapters.errors import MalformedEvent
from adapters.terminal.frames import MAX_FRAME_BYTES, Frame, from_wire, to_wire

_CLOSE_TIMEOUT_S = 1.0


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """Read one frame; None at the end of the stream. Raises `MalformedEvent`; the next line can still be read."""
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        return None  # a line that was cut off by the end was never said
    except asyncio.LimitOverrunError as exc:
        await _discard_line(reader, exc.consumed)
        raise MalformedEvent(f"the frame is longer than {MAX_FRAME_BYTES} bytes", b"") from exc
    return from_wire(line)


async def _discard_line(reader: asyncio.StreamReader, consumed: int) -> None:
    """Drop the rest of an endless line piece by piece, so that it never has to fit into memory."""
    while True:
        try:
            await reader.readexactly(consumed)
            await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as exc:
            consumed = exc.consumed
        except asyncio.IncompleteReadError:
            return
        else:
            return


async def write_frame(writer: asyncio.StreamWriter, frame: Frame, timeout_s: float) -> None:
    """Write one frame. Raises `ConnectionError` or `TimeoutError` where nobody reads it."""
    if writer.is_closing():
        raise ConnectionResetError("the connection is closed")
    writer.write(to_wire(frame))
    async with asyncio.timeout(timeout_s):
        await writer.drain()


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection; what the other side does not read in time is dropped."""
    writer.close()
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await writer.wait_closed()
    except TimeoutError:
        writer.transport.abort()
    except ConnectionError:
        return  # it was gone already
