"""The keys of a deployment: as its processes hold them, and as a command handles them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.bootstrap.core import Core
from bot.bootstrap.vault import given_keys, standing_keys
from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing
from bot.chat.rotation import Rotation
from bot.clock import SystemClock
from bot.settings import Settings
from bot.store.database import Database
from bot.store.schema import require_current
from bot.turns.journal.rekeying import Pass, Rekeying


@asynccontextmanager
async def open_rekeying(settings: Settings) -> AsyncIterator[Rekeying]:
    """Open the record's data keys for a command; nothing that people wrote can be read."""
    async with Database(settings.database_url, lease_s=settings.worker.lease_s) as database:
        await require_current(database)
        yield Rekeying(database)


@asynccontextmanager
async def open_rotation(settings: Settings) -> AsyncIterator[Rotation]:
    """Open what changes the epoch, for a command. Raises `StartupError` where there is no key file."""
    standing_keys(settings)
    async with open_rekeying(settings) as rekeying:
        yield _rotation(settings, rekeying)


async def rewrap_by_given(settings: Settings, ring: KeyRing, rekeying: Rekeying) -> Pass:
    """Wrap everything by the current key of a ring that the settings hold; they are the operator's to change."""
    vault, rewrapped = AesVault(ring, organisation=settings.vault.organisation), 0
    while (done := await rekeying.rewrap(vault, ring.current)).rewrapped:
        rewrapped += done.rewrapped
    return Pass(rewrapped=rewrapped, stuck=done.stuck)


async def keep_rotating(core: Core) -> None:
    """Change the epoch when it is due, until cancelled; keys that the settings hold change by hand."""
    if given_keys(core.settings):
        return
    rotation = _rotation(core.settings, Rekeying(core.database))
    await rotation.run(timedelta(hours=core.settings.vault.epoch_hours))


def _rotation(settings: Settings, rekeying: Rekeying) -> Rotation:
    return Rotation(
        settings.vault_key_file,
        rekeying,
        SystemClock(),
        organisation=settings.vault.organisation,
        settle_s=settings.worker.lease_s,
    )
