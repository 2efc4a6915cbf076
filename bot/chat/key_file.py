"""The key file: where the key-encryption keys are kept, readable by its owner alone.

JSON: `{"version": 1, "current": id, "keys": [{"id": 16 hex digits, "key": base64 of 32 bytes}, ...]}`,
an entry an epoch.
"""

import base64
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from bot.chat.key_ring import KeyRing
from bot.errors import StartupError

_VERSION = 1
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 1 << 20


def load_or_create(path: Path) -> KeyRing:
    """Read the key file, making it (0600, in a directory of 0700) where there is none.

    Processes that start at the same time agree on one key; a file that exists is never replaced. Raises
    `StartupError` when the file cannot be made or read, is open to others, or is not a key file.
    """
    try:
        if not os.path.lexists(path):
            _create(path)
        return load(path)
    except OSError as exc:
        raise StartupError(
            f"The key file {path} cannot be used ({exc.strerror or exc}): "
            "choose a place that this user can write to."
        ) from exc


def load(path: Path) -> KeyRing:
    """Read a key file that must exist. Raises `StartupError` (what is wrong with it) or `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        _refuse_open_file(os.fstat(handle).st_mode, path)
        return _parse(os.read(handle, _MOST_BYTES), path)
    finally:
        os.close(handle)


def _refuse_open_file(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        raise StartupError(f"The key file {path} is not a regular file: put the key file itself there.")
    if mode & _OTHERS:
        raise StartupError(
            f"The key file {path} is open to others (mode {stat.S_IMODE(mode):04o}): run chmod 600 on it."
        )


def _parse(body: bytes, path: Path) -> KeyRing:
    try:
        document: Any = json.loads(body)
        version, entries = document["version"], document["keys"]
        keys = {entry["id"]: base64.b64decode(entry["key"], validate=True) for entry in entries}
        ring = KeyRing(current=document["current"], keys=_each_once(keys, len(entries)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # The cause is not chained: a decoder's exception may quote the key.
        raise StartupError(
            f"The key file {path} is damaged: restore it from a backup; "
            "without its keys nothing that was stored can be read."
        ) from None
    if version != _VERSION:
        raise StartupError(
            f"The key file {path} has version {version!r} and this program reads {_VERSION}: "
            "use the program that wrote it."
        )
    return ring


def _each_once(keys: dict[str, bytes], entries: int) -> dict[str, bytes]:
    if len(keys) != entries:
        raise ValueError("a key id stands twice")
    return keys


def _render(ring: KeyRing) -> bytes:
    keys = [{"id": key_id, "key": base64.b64encode(key).decode()} for key_id, key in ring.keys.items()]
    return json.dumps({"version": _VERSION, "current": ring.current, "keys": keys}, indent=2).encode() + b"\n"


def _create(path: Path) -> None:
    """Write a whole file under another name, then link it: whoever links first has made the key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_open_directory(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_render(KeyRing.fresh()))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
        _sync_directory(path.parent)


def _refuse_open_directory(path: Path) -> None:
    mode = path.parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise StartupError(
            f"The key file's directory {path.parent} can be written by everyone: run chmod 700 on it."
        )


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
