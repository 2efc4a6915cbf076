"""Key epochs: another key-encryption key takes over, and the one before is destroyed once it wraps nothing."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.chat import key_swap
from bot.chat.aes_vault import AesVault
from bot.chat.key_file import load
from bot.chat.key_ring import KeyRing
from bot.clock import Clock
from bot.errors import AsideError
from bot.turns.journal.rekeying import Pass, Rekeying

logger = logging.getLogger(__name__)

#: Seconds between two looks at the key's age.
LOOK_S = 300.0
#: How far clocks may differ: a key of later than that was made by a clock that was wrong, and counts as old.
_AHEAD = timedelta(hours=1)


class RotationFailed(AsideError):
    """The key file cannot be changed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What a rotation did."""

    #: The id of the current key, and data keys that it wraps now and another one wrapped before.
    current: str
    rewrapped: int
    #: Ids of the keys that were destroyed.
    destroyed: tuple[str, ...]
    #: Keys that had to stay, and how many data keys each still wraps that cannot be opened.
    kept: dict[str, int] = field(default_factory=dict)


class Rotation:
    """Changes the epoch of one key file; a rotation that was killed is taken up where it stood.

    `settle_s` is how long a transaction may last at most: whoever began to wrap by the old key before the new one
    was there has committed or failed by then.
    """

    def __init__(
        self, path: Path, rekeying: Rekeying, clock: Clock, *, organisation: str, settle_s: float
    ) -> None:
        self._path = path.resolve()
        self._rekeying = rekeying
        self._clock = clock
        self._organisation = organisation
        self._settle_s = settle_s
        #: Keys that could not be destroyed, as data keys that they wrap are damaged.
        self._kept: frozenset[str] = frozenset()

    async def rotate(self) -> Rotated:
        """Begin an epoch and end every earlier one.

        Raises `KeysBusy`, `StartupError` (the file is not one), `RotationFailed` and `StoreUnavailable`: then all
        keys are still there, and the next rotation ends what this one began.
        """
        return await self._run(lambda ring: ring.with_next_epoch(self._clock.now()))

    async def keep_up(self, epoch: timedelta) -> Rotated | None:
        """Rotate if the current key is older than an epoch, or end what was begun; None where neither is due."""
        if not self._is_due(load(self._path), epoch):
            return None

        def begin(ring: KeyRing) -> KeyRing:
            return ring.with_next_epoch(self._clock.now()) if self._is_old(ring, epoch) else ring

        return await self._run(begin)

    async def run(self, epoch: timedelta, *, look_s: float = LOOK_S) -> None:
        """Keep up until cancelled; an epoch of no length changes nothing by itself. Trouble is logged once."""
        trouble = ""
        while epoch:
            await asyncio.sleep(look_s)
            try:
                done = await self.keep_up(epoch)
            except key_swap.KeysBusy:
                continue
            except (AsideError, OSError) as exc:
                if trouble != type(exc).__name__:
                    logger.warning("the keys were not rotated: %s", exc)
                trouble = type(exc).__name__
            else:
                trouble = ""
                if done is not None:
                    _tell(done)

    def _is_due(self, ring: KeyRing, epoch: timedelta) -> bool:
        return not self._kept.issuperset(ring.retiring) or self._is_old(ring, epoch)

    def _is_old(self, ring: KeyRing, epoch: timedelta) -> bool:
        made_at, now = ring.made_at.get(ring.current), self._clock.now()
        return made_at is None or now - made_at >= epoch or made_at - now > _AHEAD

    async def _run(self, begin: Callable[[KeyRing], KeyRing]) -> Rotated:
        try:
            with key_swap.exclusive(self._path):
                ring = load(self._path)
                begun = begin(ring)
                if begun is not ring:
                    await asyncio.to_thread(key_swap.replace, self._path, begun)
                return await self._end_epochs(begun)
        except OSError as exc:
            raise RotationFailed(
                f"the key file {self._path} cannot be changed ({exc.strerror or exc}): "
                "rotate where it and its directory can be written to"
            ) from exc

    async def _end_epochs(self, ring: KeyRing) -> Rotated:
        """Wrap everything by the current key, then destroy every key that wraps nothing."""
        first = await self._until_none_is_left(ring)
        await asyncio.sleep(self._settle_s)
        last = await self._until_none_is_left(ring)
        gone = tuple(key_id for key_id in ring.retiring if not last.stuck[key_id])
        if gone:
            await asyncio.to_thread(key_swap.replace, self._path, ring.without(gone))
        kept = {key_id: last.stuck[key_id] for key_id in ring.retiring if last.stuck[key_id]}
        self._kept = frozenset(kept)
        rewrapped = first.rewrapped + last.rewrapped
        return Rotated(current=ring.current, rewrapped=rewrapped, destroyed=gone, kept=kept)

    async def _until_none_is_left(self, ring: KeyRing) -> Pass:
        vault, rewrapped = AesVault(ring, organisation=self._organisation), 0
        while (done := await self._rekeying.rewrap(vault, ring.current)).rewrapped:
            rewrapped += done.rewrapped
        return Pass(rewrapped=rewrapped, stuck=done.stuck)


def _tell(done: Rotated) -> None:
    logger.info(
        "key %s is the current one: %d data keys were wrapped anew, %d keys destroyed",
        done.current,
        done.rewrapped,
        len(done.destroyed),
    )
    for key_id, number in done.kept.items():
        logger.error(
            "key %s stays: %d data keys that it wraps cannot be opened, they or it are damaged",
            key_id,
            number,
        )
