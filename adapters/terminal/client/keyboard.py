"""Reading what is typed without holding up anything else."""

import asyncio
import codecs
import os
import termios
import threading
import tty
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

_PASTE_ON, _PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"


async def typed_text(descriptor: int) -> AsyncGenerator[str, None]:
    """Yield what arrives on a file descriptor until its end. Bytes that are no UTF-8 become U+FFFD.

    A thread reads, because a file or an odd terminal cannot be waited for otherwise; it is a daemon and reads the
    bare descriptor, so that leaving never waits for a key.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        while True:
            try:
                chunk = os.read(descriptor, 65536)
            except OSError:
                chunk = b""  # the terminal was closed
            try:
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            except RuntimeError:
                return  # the loop has ended
            if not chunk:
                return

    threading.Thread(target=read, name="keyboard", daemon=True).start()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while chunk := await chunks.get():
        yield decoder.decode(chunk)


@contextmanager
def raw_keys(descriptor: int) -> Iterator[None]:
    """Get every key as it is pressed, unechoed, and put the terminal back as it was."""
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    os.write(1, _PASTE_ON.encode())
    try:
        yield
    finally:
        os.write(1, _PASTE_OFF.encode())
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
