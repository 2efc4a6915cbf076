"""`aside keys`: which key-encryption keys there are, and beginning another epoch."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from bot.clock import SystemClock
from bot.commands.actions import add_action, run_action
from bot.commands.asking import agrees
from bot.commands.base import Command
from bot.commands.durations import spoken
from bot.settings import Settings

if TYPE_CHECKING:
    # At run time they come with the database and the vault, which `aside --help` does without.
    from bot.chat.key_ring import KeyRing
    from bot.chat.rotation import Rotated

_WARNING = (
    "Another key takes over, and the keys of before are destroyed. Backups of the database that were made before "
    "can then be read only with a copy of the key file that was made with them."
)

_GIVEN_WARNING = (
    "Every data key is wrapped by the current key of vault.keys. First restart every process with both keys in "
    "vault.keys: one that lacks the current key can read nothing afterwards."
)


def _add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    add_action(actions, "show", _show, "show which keys there are, how old, and how much each wraps")
    rotate = add_action(actions, "rotate", _rotate, "begin another epoch, and destroy the keys of all before")
    rotate.add_argument("--yes", action="store_true", help="do not ask")


async def _show(_arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap.keys import open_rekeying
    from bot.bootstrap.vault import given_keys, standing_keys, where_keys_are

    ring = standing_keys(settings)
    async with open_rekeying(settings) as rekeying:
        counts = await rekeying.counted()
    print(_table(ring, counts, SystemClock().now()))
    if given_keys(settings):
        _tell_what_is_free(ring, counts)
    missing = sorted(counts.keys() - ring.keys.keys())
    for key_id in missing:
        print(f"{where_keys_are(settings)} lacks key {key_id}: restore it.")
    return 1 if missing else 0


async def _rotate(arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap.keys import open_rotation
    from bot.bootstrap.vault import given_keys

    if given := given_keys(settings):
        return await _rewrap(arguments, settings, given)
    if not await _is_wanted(arguments, _WARNING):
        return 1
    async with open_rotation(settings) as rotation:
        print(f"This takes {settings.worker.lease_s:g} seconds and a little more.", flush=True)
        return _told(await rotation.rotate())


async def _is_wanted(arguments: Namespace, warning: str) -> bool:
    print(warning)
    if arguments.yes or await agrees("Rotate?"):
        return True
    print("Nothing was changed.")
    return False


async def _rewrap(arguments: Namespace, settings: Settings, ring: "KeyRing") -> int:
    """Rotate keys that are the operator's to change: everything is wrapped by the current one."""
    from bot.bootstrap.keys import open_rekeying, rewrap_by_given

    if not await _is_wanted(arguments, _GIVEN_WARNING):
        return 1
    async with open_rekeying(settings) as rekeying:
        done = await rewrap_by_given(settings, ring, rekeying)
        counts = await rekeying.counted()
    print(
        f"{done.rewrapped} data keys were wrapped anew; {counts[ring.current]} are wrapped by key {ring.current}."
    )
    _tell_what_is_free(ring, counts)
    return 1 if done.stuck else 0


def _tell_what_is_free(ring: "KeyRing", counts: Mapping[str, int]) -> None:
    """Tell which keys of the settings may be taken out: a process with older settings might still wrap by one."""
    for key_id in ring.retiring:
        if number := counts.get(key_id, 0):
            print(
                f"Leave key {key_id} in vault.keys: it wraps {number} data keys. `aside keys rotate` changes that."
            )
        else:
            print(
                f"Key {key_id} wraps nothing. If every process has been restarted with {ring.current} as the current "
                "key and `aside keys show` says so again, take it out of vault.keys and restart them."
            )


def _told(done: "Rotated") -> int:
    print(f"Key {done.current} is the current one; {done.rewrapped} data keys were wrapped anew.")
    if done.destroyed:
        print(f"Destroyed: {', '.join(done.destroyed)}")
    for key_id, number in done.kept.items():
        print(
            f"Key {key_id} stays: {number} data keys that it wraps do not open. "
            "They are damaged, or vault.organisation is not what it was."
        )
    return 1 if done.kept else 0


def _table(ring: "KeyRing", counts: Mapping[str, int], now: datetime) -> str:
    rows = [("KEY", "AGE", "WRAPS", "")]
    for key_id in ring.keys:
        made_at = ring.made_at.get(key_id)
        age = spoken(now - made_at) if made_at else "unknown"
        role = "current" if key_id == ring.current else "retiring"
        rows.append((key_id, age, f"{counts.get(key_id, 0)} data keys", role))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


KEYS = Command(
    name="keys",
    summary="show the keys that seal what people write, or begin another epoch of them",
    run=run_action,
    add_arguments=_add_arguments,
)
