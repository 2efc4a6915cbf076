"""Checks of the data directory and the key file."""

import os
import tempfile
from pathlib import Path

from bot.chat.key_file import load
from bot.doctor.finding import Finding, fail, ok
from bot.errors import StartupError
from bot.settings import DataDirectory


def check_data_dir(data: DataDirectory) -> Finding:
    """Write into the data directory; where there is none yet, tell whether it could be made."""
    if not data.root.exists():
        parent = next(parent for parent in data.root.parents if parent.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return ok("data", f"{data.root} will be made at the first start")
        return _no_write(data.root, f"{parent} is not writable")
    try:
        with tempfile.TemporaryFile(dir=data.root):
            return ok("data", f"{data.root} is writable")
    except OSError as exc:
        return _no_write(data.root, exc.strerror or str(exc))


def check_key_file(path: Path) -> Finding:
    """Read the vault's key file as a role would."""
    if not path.exists():
        return ok("key", f"{path} will be made at the first start")
    try:
        ring = load(path)
    except StartupError as exc:
        return fail("key", str(exc), "")
    except OSError as exc:
        return fail("key", f"{path} cannot be read: {exc.strerror}", "Give this user read access to it")
    return ok("key", f"{path} is private and holds key {ring.current}")


def _no_write(root: Path, reason: str) -> Finding:
    return fail(
        "data",
        f"{root} cannot be written: {reason}",
        "Give yourself write access, or choose another place with --data-dir or ASIDE_DATA_DIR",
    )
