"""The key file as a running process knows it: read again when it was replaced, or when a key is not known here."""

import logging
from pathlib import Path

from bot.chat.key_file import load
from bot.chat.key_ring import KeyRing, Keys, Subkey
from bot.errors import KeyMissing, StartupError
from bot.turns.journal.rekeying import Rekeying

logger = logging.getLogger(__name__)

#: What tells a file from the one that stood in its place before.
_Stamp = tuple[int, int, int]


class WatchedKeys:
    """Implements `Keys` over a key file.

    A new data key is never wrapped by a key that was retired before the call: each asks for the file's stamp, which
    takes microseconds. A file that cannot be read leaves what is known here in use, with one line in the log.
    """

    def __init__(self, path: Path, ring: KeyRing) -> None:
        """Keep the path, and the ring that was read from it at the start."""
        self._path = path
        self._ring = ring
        self._stamp: _Stamp | None = None
        self._lost = False

    @property
    def current(self) -> str:
        """The id of the key that wraps new data keys, as the file has it now."""
        self._look()
        return self._ring.current

    def key(self, key_id: str) -> bytes:
        """Return a key-encryption key, looking into the file again for one that is not known. Raises `KeyMissing`."""
        try:
            return self._ring.key(key_id)
        except KeyMissing:
            self._look()
            return self._ring.key(key_id)

    def derive(self, purpose: Subkey) -> bytes:
        """Derive a key for a purpose."""
        return self._ring.derive(purpose)

    def _look(self) -> None:
        try:
            found = self._path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp == self._stamp:
                return
            self._ring, self._stamp = load(self._path), stamp
        except (OSError, StartupError) as exc:
            if not self._lost:
                logger.warning("the key file cannot be read again (%s): restore it", type(exc).__name__)
            self._lost = True
        else:
            self._lost = False


async def require_keys(keys: Keys, rekeying: Rekeying, where: str) -> None:
    """Refuse to start without the keys that the record is sealed with. Raises `StartupError`, naming them."""
    missing = []
    for key_id in sorted(await rekeying.counted()):
        try:
            keys.key(key_id)
        except KeyMissing:
            missing.append(key_id)
    if missing:
        raise StartupError(
            f"{where} lacks key {', '.join(missing)}, which seals what is in the database: restore the keys "
            "that belong to this database; nothing was changed."
        )
