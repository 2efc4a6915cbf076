"""The unix socket: only its owner may enter, and only one server stands behind it."""

import asyncio
import fcntl
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from adapters.errors import AdapterError
from adapters.terminal.frames import MAX_FRAME_BYTES

#: The kernel's room for a path is 108 bytes on Linux and 104 elsewhere (unix(7)).
MAX_PATH_BYTES = 100

Welcomer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


class SocketRefused(AdapterError):
    """The socket cannot be opened at this path; the message says why and what to do."""


def checked_path(path: Path) -> Path:
    """Return the path if the kernel has room for it. Raises `SocketRefused`."""
    length = len(os.fsencode(path))
    if length > MAX_PATH_BYTES:
        raise SocketRefused(
            f"The socket's path is {length} bytes long and the system allows {MAX_PATH_BYTES}: {path}. "
            "Choose a shorter data directory (--data-dir) or socket path (--socket)."
        )
    return path


@asynccontextmanager
async def open_door(path: Path, welcome: Welcomer) -> AsyncIterator[None]:
    """Listen until left; then the socket is gone. Raises `SocketRefused`.

    What a crashed server left behind is replaced; a running one is never displaced: it holds a lock on a file beside
    the socket, which the kernel lets go of when the process ends, however it ends.
    """
    checked_path(path)
    _private_directory(path.parent)
    with _locked(path):
        _clear(path)
        server = await asyncio.start_unix_server(welcome, path=path, limit=MAX_FRAME_BYTES)
        try:
            _close_to_others(path)
            yield
        finally:
            server.close()
            _clear(path)


def _private_directory(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(directory.stat().st_mode)
    if mode & 0o077:
        raise SocketRefused(
            f"Other users can enter the socket's directory {directory} (mode {mode:o}). "
            f"Make it private (chmod 700 {directory}) or choose another."
        )


def _close_to_others(path: Path) -> None:
    path.chmod(0o600)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise SocketRefused(f"Another Aside already listens at {path}: stop it first.") from exc
        yield
    finally:
        os.close(lock)


def _clear(path: Path) -> None:
    """Remove the socket of a server that is gone."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketRefused(
            f"{path} is in the way and is not a socket: move it or choose another path (--socket)."
        )
    path.unlink()
