"""The keys as a deployment's settings name them: a key file, or the environment."""

import os
from pathlib import Path

from bot.chat import key_file
from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing, Keys
from bot.chat.key_watch import WatchedKeys, require_keys
from bot.errors import StartupError
from bot.settings import Settings
from bot.store.database import Database
from bot.turns.journal.rekeying import Rekeying

#: Without one it would be made of the current key, and change with it.
_NO_ROOT = (
    'The setting vault.keys has no "root", from which names in Redis and the marks of what was forgotten are made: '
    'add "root" beside "current", 32 random bytes in base64 (openssl rand -base64 32 prints some), the same for '
    "every process, and leave it as it is when you change keys."
)


async def open_vault(settings: Settings, database: Database) -> tuple[Keys, AesVault]:
    """Read the keys, making the key file at the first start, and refuse those that are not the record's.

    Raises `StartupError` and `StoreUnavailable`.
    """
    keys: Keys
    rekeying = Rekeying(database)
    if given := given_keys(settings):
        keys = given
    else:
        path = settings.vault_key_file
        await _refuse_new_keys(path, rekeying)
        keys = WatchedKeys(path, key_file.load_or_create(path))
    await require_keys(keys, rekeying, where_keys_are(settings))
    return keys, AesVault(keys, organisation=settings.vault.organisation)


async def _refuse_new_keys(path: Path, rekeying: Rekeying) -> None:
    """Where there is no key file, make none for a record that another one seals: it would stand in its way."""
    if os.path.lexists(path):  # noqa: ASYNC240 - once, at the start
        return
    if needed := sorted(await rekeying.counted()):
        raise StartupError(
            f"The key file {path} is missing, and the database is sealed with key {', '.join(needed)}: put the key "
            "file that belongs to this database there, or mount the folder it is in; nothing was changed."
        )


def given_keys(settings: Settings) -> KeyRing | None:
    """Read the keys that the settings hold themselves; None where they are in the key file. Raises `StartupError`."""
    text = settings.vault.keys.get_secret_value()
    if not text:
        return None
    ring = key_file.ring_of(text, where_keys_are(settings))
    if ring.root is None:
        raise StartupError(_NO_ROOT)
    return ring


def standing_keys(settings: Settings) -> KeyRing:
    """Read the keys, which must be there. Raises `StartupError`."""
    if given := given_keys(settings):
        return given
    path = settings.vault_key_file
    try:
        return key_file.load(path)
    except OSError as exc:
        raise StartupError(
            f"The key file {path} cannot be read ({exc.strerror or exc}): it is made when Aside is first started."
        ) from exc


def where_keys_are(settings: Settings) -> str:
    """Name the place of the keys, to begin a sentence with."""
    if settings.vault.keys.get_secret_value():
        return "The setting vault.keys"
    return f"The key file {settings.vault_key_file}"
