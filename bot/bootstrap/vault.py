"""The keys as a deployment's settings name them: a key file, or the environment."""

from bot.chat import key_file
from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing, Keys
from bot.chat.key_watch import WatchedKeys, require_keys
from bot.errors import StartupError
from bot.settings import Settings
from bot.store.database import Database
from bot.turns.journal.rekeying import Rekeying


async def open_vault(settings: Settings, database: Database) -> tuple[Keys, AesVault]:
    """Read the keys, making the key file at the first start, and refuse those that are not the record's.

    Raises `StartupError` and `StoreUnavailable`.
    """
    keys: Keys
    if given := given_keys(settings):
        keys = given
    else:
        path = settings.vault_key_file
        keys = WatchedKeys(path, key_file.load_or_create(path))
    await require_keys(keys, Rekeying(database), where_keys_are(settings))
    return keys, AesVault(keys, organisation=settings.vault.organisation)


def given_keys(settings: Settings) -> KeyRing | None:
    """Read the keys that the settings hold themselves; None where they are in the key file."""
    text = settings.vault.keys.get_secret_value()
    return key_file.ring_of(text, where_keys_are(settings)) if text else None


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
