"""The key file: where the key-encryption keys are kept, readable by its owner alone.

JSON: `{"version": 1, "current": id, "root": base64 of 32 bytes, "keys": [{"id": 16 hex digits, "made_at": instant,
"key": base64 of 32 bytes}, ...]}`, an entry an epoch. Files of before the first rotation may lack `root` and `made_at`.
"""

import base64
import json
import os
import secrets
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.chat.key_ring import KeyRing
from bot.errors import StartupError

_VERSION = 1
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 1 << 20
#: A file that is replaced while it is read is read again, so often.
_READS = 5


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
    for _ in range(_READS - 1):
        try:
            return _read(path)
        except _Replaced:
            continue
    return _read(path)


class _Replaced(StartupError):
    """What was opened is no longer the key file: its old bytes may have been overwritten meanwhile."""


def _read(path: Path) -> KeyRing:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        opened = os.fstat(handle)
        _refuse_open_file(opened.st_mode, path)
        try:
            return _parse(os.read(handle, _MOST_BYTES), f"The key file {path}")
        except StartupError as exc:
            if os.path.samestat(opened, path.stat()):
                raise
            raise _Replaced(str(exc)) from None
    finally:
        os.close(handle)


def ring_of(text: str, where: str) -> KeyRing:
    """Read a ring from what a key file holds, which came from somewhere else. Raises `StartupError`."""
    return _parse(text.encode("utf-8", "surrogatepass"), where)


def _refuse_open_file(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        raise StartupError(f"The key file {path} is not a regular file: put the key file itself there.")
    if mode & _OTHERS:
        raise StartupError(
            f"The key file {path} is open to others (mode {stat.S_IMODE(mode):04o}): run chmod 600 on it."
        )


def _parse(body: bytes, where: str) -> KeyRing:
    try:
        document: Any = json.loads(body)
        version, entries = document["version"], document["keys"]
        keys = {entry["id"]: base64.b64decode(entry["key"], validate=True) for entry in entries}
        root = document.get("root")
        ring = KeyRing(
            current=document["current"],
            keys=_each_once(keys, len(entries)),
            made_at={entry["id"]: _instant(entry["made_at"]) for entry in entries if "made_at" in entry},
            root=base64.b64decode(root, validate=True) if root is not None else None,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # The cause is not chained: a decoder's exception may quote the key.
        raise StartupError(
            f"{where} is damaged: restore it from a backup; "
            "without its keys nothing that was stored can be read."
        ) from None
    if version != _VERSION:
        raise StartupError(
            f"{where} has version {version!r} and this program reads {_VERSION}: "
            "use the program that wrote it."
        )
    return ring


def _each_once(keys: dict[str, bytes], entries: int) -> dict[str, bytes]:
    if len(keys) != entries:
        raise ValueError("a key id stands twice")
    return keys


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def render(ring: KeyRing) -> bytes:
    """Write a ring as the key file holds it."""
    document: dict[str, Any] = {"version": _VERSION, "current": ring.current}
    if ring.root is not None:
        document["root"] = base64.b64encode(ring.root).decode()
    document["keys"] = [_entry(ring, key_id, key) for key_id, key in ring.keys.items()]
    return json.dumps(document, indent=2).encode() + b"\n"


def _entry(ring: KeyRing, key_id: str, key: bytes) -> dict[str, str]:
    made_at = ring.made_at.get(key_id)
    made = {"made_at": made_at.isoformat()} if made_at else {}
    return {"id": key_id, **made, "key": base64.b64encode(key).decode()}


def _create(path: Path) -> None:
    """Write a whole file under another name, then link it: whoever links first has made the key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_open_directory(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_private(draft, render(KeyRing.fresh(datetime.now(UTC))))
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
        sync_directory(path.parent)


def write_private(path: Path, body: bytes) -> None:
    """Write a file that must not exist yet, for its owner alone, and wait until the disk has it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _refuse_open_directory(path: Path) -> None:
    mode = path.parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise StartupError(
            f"The key file's directory {path.parent} can be written by everyone: run chmod 700 on it."
        )


def sync_directory(directory: Path) -> None:
    """Wait until the disk has a directory's names."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
