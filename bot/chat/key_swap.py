"""Replacing the key file: one process at a time, in one step, with nothing left of what stood there before."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.chat.key_file import render, sync_directory, write_private
from bot.chat.key_ring import KeyRing
from bot.errors import AsideError


class KeysBusy(AsideError):
    """Another process is changing the key file at this moment."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Be the one process that changes a key file. Raises `KeysBusy`, and `OSError` where it cannot be changed.

    What an interrupted change left behind is overwritten first.
    """
    handle = os.open(_lock_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise KeysBusy(f"another process is changing the key file {path}: try again in a minute") from exc
        _clear_away_what_was_left(path)
        yield
    finally:
        os.close(handle)


def replace(path: Path, ring: KeyRing) -> None:
    """Put another ring in a key file's place, durably, and overwrite the file that stood there.

    A crash leaves the old file or the new one, whole. Where a disk keeps copies of what is overwritten (journals,
    snapshots, flash), only what encrypts the disk can take them away. Raises `OSError`.
    """
    mark = secrets.token_hex(8)
    draft, old = path.with_name(f".{path.name}.{mark}"), path.with_name(f".{path.name}.{mark}.old")
    write_private(draft, render(ring))
    _keep_owner(path, draft)
    os.link(path, old)
    draft.replace(path)
    sync_directory(path.parent)
    _shred(old)
    sync_directory(path.parent)


def _clear_away_what_was_left(path: Path) -> None:
    for left in sorted(path.parent.glob(f".{path.name}.*")):
        if left == _lock_of(path):
            continue
        if left.samefile(path):
            left.unlink()  # another name of the file that still stands: its bytes are needed
        else:
            _shred(left)


def _keep_owner(path: Path, draft: Path) -> None:
    """Leave the file to whom it belongs: root may rotate the keys of a service that is not root."""
    standing = path.stat()
    if (standing.st_uid, standing.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(draft, standing.st_uid, standing.st_gid)


def _shred(path: Path) -> None:
    with suppress(FileNotFoundError):
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            size = os.fstat(handle).st_size
            os.write(handle, secrets.token_bytes(size))
            os.fsync(handle)
        finally:
            os.close(handle)
        path.unlink()


def _lock_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")
