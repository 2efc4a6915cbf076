"""Key epochs: what lives stays readable, what was sealed for the old key alone does not; whatever is killed when."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chat import key_swap
from bot.chat.aes_vault import AesVault, key_id_of
from bot.chat.key_file import load, load_or_create
from bot.chat.key_ring import KeyRing, Subkey
from bot.chat.key_watch import WatchedKeys, require_keys
from bot.chat.rotation import Rotation, RotationFailed
from bot.chat.vault import Place, SealedField
from bot.errors import KeyMissing, StartupError
from bot.store.database import Database
from bot.turns.journal import Journal
from bot.turns.journal.rekeying import Rekeying
from bot.turns.journal.rows import chats
from tests.fixtures.clocks import ManualClock
from tests.fixtures.databases import sqlite_copy
from tests.fixtures.sealed_chats import ORGANISATION, everything, fill, read, ring_at
from tests.fixtures.turns import acceptance

ROOMS = 5
#: Beside the rooms, each stream of an adapter's own store holds one.
DATA_KEYS = ROOMS + 1
PLACE = Place(chat="chat", item="item", field=SealedField.REPLY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "vault.key"


@pytest.fixture
async def filled_database(database: Database, path: Path, clock: ManualClock) -> Database:
    await fill(database, ring_at(path), clock, ROOMS)
    return database


@pytest.fixture
def rotation(filled_database: Database, path: Path, clock: ManualClock) -> Rotation:
    return rotation_of(filled_database, path, clock)


def rotation_of(database: Database, path: Path, clock: ManualClock) -> Rotation:
    return Rotation(path, Rekeying(database), clock, organisation=ORGANISATION, settle_s=0.0)


def bytes_of(directory: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(directory.rglob("*")) if each.is_file())


async def test_everything_is_read_after_a_rotation(
    rotation: Rotation, filled_database: Database, path: Path, clock: ManualClock
) -> None:
    done = await rotation.rotate()
    assert done.rewrapped == DATA_KEYS
    assert await read(filled_database, load(path), clock, ROOMS) == everything(ROOMS)


async def test_the_old_key_opens_nothing_and_is_in_no_file(
    rotation: Rotation, filled_database: Database, path: Path, clock: ManualClock
) -> None:
    old = ring_at(path)
    text = path.read_text()  # noqa: ASYNC240 - a test may wait
    done = await rotation.rotate()
    assert done.destroyed == (old.current,)
    key = next(line for line in text.splitlines() if '"key"' in line).split('"')[3].encode()
    assert key not in bytes_of(path.parent)
    with pytest.raises(KeyMissing):
        await read(filled_database, old, clock, ROOMS)


async def test_data_keys_stay_what_they_were(
    rotation: Rotation, filled_database: Database, path: Path
) -> None:
    """A blob that was sealed before opens with the wrapped key of after: nothing is sealed anew."""
    async with filled_database.read() as connection:
        before = (await connection.execute(chats.select().order_by(chats.c.id))).first()
    blob = AesVault(load(path), organisation=ORGANISATION).seal(before.data_key, "text", PLACE)
    await rotation.rotate()
    async with filled_database.read() as connection:
        after = (await connection.execute(chats.select().order_by(chats.c.id))).first()
    assert before.data_key != after.data_key
    assert AesVault(load(path), organisation=ORGANISATION).open(after.data_key, blob, PLACE) == "text"


async def test_subkeys_outlive_the_epochs(rotation: Rotation, path: Path) -> None:
    before = {purpose: load(path).derive(purpose) for purpose in Subkey}
    await rotation.rotate()
    await rotation.rotate()
    assert {purpose: load(path).derive(purpose) for purpose in Subkey} == before


def test_subkeys_of_a_ring_without_a_root_stay(clock: ManualClock) -> None:
    """A key file of before the first rotation has no root; what it derives is kept by its successor."""
    key_id, key = next(iter(KeyRing.fresh().keys.items()))
    ring = KeyRing(current=key_id, keys={key_id: key})
    later = ring.with_next_epoch(clock.now()).without([key_id])
    assert later.derive(Subkey.TOMBSTONES) == ring.derive(Subkey.TOMBSTONES)
    assert key not in (later.root, *later.keys.values())


async def test_a_running_process_reads_the_file_again(
    rotation: Rotation, filled_database: Database, path: Path, clock: ManualClock
) -> None:
    """A vault of before the rotation opens what was wrapped anew, and wraps new chats by the new key."""
    vault = AesVault(WatchedKeys(path, load(path)), organisation=ORGANISATION)
    vault.new_key()
    done = await rotation.rotate()
    journal = Journal(filled_database, vault, clock)
    chat = await journal.chat_by_conversation("fake", "main", "sealed-0")
    assert [one.reply for one in await journal.exchanges(chat, 99)] == ["answer 0"]
    await journal.accept([acceptance(conversation="new")])
    new = await journal.chat_by_conversation("fake", "main", "new")
    assert key_id_of(new.key) == done.current


async def test_a_process_goes_on_without_the_file(path: Path) -> None:
    keys = WatchedKeys(path, ring_at(path))
    current = keys.current
    path.unlink()  # noqa: ASYNC240 - a test may wait
    assert (keys.current, len(keys.key(current))) == (current, 32)


async def test_what_is_wrapped_meanwhile_by_the_old_key_is_not_lost(
    filled_database: Database, path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that began before the new key was there commits behind the first walk."""
    old, late = ring_at(path), asyncio.Event()
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if not late.is_set():
            late.set()
            slow = Journal(filled_database, AesVault(old, organisation=ORGANISATION), clock)
            await slow.accept([acceptance(conversation="late")])
        await real(seconds)

    monkeypatch.setattr("bot.chat.rotation.asyncio.sleep", sleep)
    done = await rotation_of(filled_database, path, clock).rotate()
    assert done.rewrapped == DATA_KEYS + 1
    chat = await Journal(
        filled_database, AesVault(load(path), organisation=ORGANISATION), clock
    ).chat_by_conversation("fake", "main", "late")
    assert key_id_of(chat.key) == done.current


async def test_a_key_that_wraps_what_cannot_be_opened_stays(
    rotation: Rotation, filled_database: Database, path: Path
) -> None:
    """A damaged data key, or a wrong organisation, never costs the key that might still open it."""
    old = ring_at(path).current
    async with filled_database.write() as connection:
        row = (await connection.execute(chats.select().order_by(chats.c.id))).first()
        damaged = row.data_key[:-1] + bytes([row.data_key[-1] ^ 1])
        await connection.execute(chats.update().where(chats.c.id == row.id).values(data_key=damaged))
    done = await rotation.rotate()
    assert (done.kept, done.destroyed) == ({old: 1}, ())
    assert old in load(path).keys


async def test_it_rotates_by_itself_when_an_epoch_is_over(
    rotation: Rotation, path: Path, clock: ManualClock
) -> None:
    clock.instant = load(path).made_at[load(path).current]
    day = timedelta(days=1)
    clock.advance(day.total_seconds() - 1)
    assert await rotation.keep_up(day) is None
    clock.advance(1)
    done = await rotation.keep_up(day)
    assert done is not None
    assert await rotation.keep_up(day) is None


async def test_a_key_that_a_wrong_clock_made_is_replaced_at_the_next_look(
    rotation: Rotation, path: Path, clock: ManualClock
) -> None:
    """A clock that jumped ahead once does not stop the epochs until that day comes."""
    day, right = timedelta(days=1), clock.instant
    clock.instant = right + timedelta(days=365)
    assert await rotation.keep_up(day) is not None
    clock.instant = right + timedelta(hours=2)
    assert await rotation.keep_up(day) is not None
    assert load(path).made_at[load(path).current] == clock.now()
    assert await rotation.keep_up(day) is None


async def test_clocks_that_differ_a_little_begin_no_epoch(
    rotation: Rotation, path: Path, clock: ManualClock
) -> None:
    clock.instant = load(path).made_at[load(path).current] - timedelta(minutes=5)
    assert await rotation.keep_up(timedelta(days=1)) is None


async def test_two_do_not_rotate_at_once(rotation: Rotation, path: Path) -> None:
    with key_swap.exclusive(path), pytest.raises(key_swap.KeysBusy, match="another process is changing"):
        await rotation.rotate()


async def test_a_file_that_cannot_be_replaced_is_named(
    rotation: Rotation, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _body: bytes) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("bot.chat.key_swap.write_private", refuse)
    before = path.read_bytes()  # noqa: ASYNC240 - a test may wait
    with pytest.raises(RotationFailed, match=r"vault\.key cannot be changed \(Permission denied\)"):
        await rotation.rotate()
    assert path.read_bytes() == before  # noqa: ASYNC240 - a test may wait


async def test_a_wrong_key_file_is_refused_by_the_key_id(
    filled_database: Database, path: Path, tmp_path: Path
) -> None:
    other, needed = tmp_path / "other.key", ring_at(path).current
    with pytest.raises(StartupError, match=f"lacks key {needed}, which seals what is in the database"):
        await require_keys(load_or_create(other), Rekeying(filled_database), "It")
    await require_keys(load(path), Rekeying(filled_database), "It")


async def test_a_key_that_wraps_one_chat_among_many_is_missed(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stands: what a process with older settings wrapped is in the middle."""
    old, new = KeyRing.fresh(), KeyRing.fresh()
    monkeypatch.setattr("bot.turns.journal.rekeying._COUNTED", 7)
    for number in range(40):
        ring = old if number == 20 else new
        journal = Journal(database, AesVault(ring, organisation=ORGANISATION), clock)
        await journal.accept([acceptance(conversation=f"room-{number}", sender=f"person-{number}")])
        clock.advance(1)
    assert await Rekeying(database).counted() == {old.current: 1, new.current: 39}
    with pytest.raises(StartupError, match=f"lacks key {old.current}"):
        await require_keys(new, Rekeying(database), "It")


def test_a_file_replaced_while_it_is_read_is_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that opened the old file just before it was overwritten sees the new one."""
    ring, real = ring_at(path), os.read
    new = KeyRing.fresh()

    def read_late(handle: int, most: int) -> bytes:
        if load_first:
            load_first.clear()
            key_swap.replace(path, new)
        return real(handle, most)

    load_first = [True]
    monkeypatch.setattr(os, "read", read_late)
    assert load(path) == new != ring


# A real process is killed at every step that the disk or the database could see.


class _Killer:
    """Kills its own process at the given one of all steps."""

    def __init__(self, at: int) -> None:
        self._left = at

    def before(self, plain: Callable) -> Callable:
        def stepping(*args, **kwargs):
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(*args, **kwargs)

        return stepping


def _rotate_until_killed(url: str, path: Path, clock: ManualClock, at: int) -> None:
    killer = _Killer(at)
    for name in ("fsync", "write", "link", "open"):
        setattr(os, name, killer.before(getattr(os, name)))
    Path.replace = killer.before(Path.replace)
    Path.unlink = killer.before(Path.unlink)
    Rekeying._swap = killer.before(Rekeying._swap)
    Rekeying._pages = killer.before(Rekeying._pages)

    async def work() -> None:
        async with Database(url) as database:
            await rotation_of(database, path, clock).rotate()

    asyncio.run(work())


def _rotate_in_a_process(url: str, path: Path, clock: ManualClock, at: int) -> int:
    child = multiprocessing.get_context("fork").Process(
        target=_rotate_until_killed, args=(url, path, clock, at)
    )
    child.start()
    child.join(30)
    assert child.exitcode is not None
    return child.exitcode


def test_killed_at_any_step_nothing_is_lost_and_the_next_one_ends_it(
    tmp_path: Path, clock: ManualClock, path: Path
) -> None:
    url = asyncio.run(_filled_copy(tmp_path, path, clock))
    old = _key_texts(path)
    at = killed = 0
    while _rotate_in_a_process(url, path, clock, at) == -signal.SIGKILL:
        killed += 1
        assert asyncio.run(_read_all(url, path, clock)) == everything(ROOMS), f"lost at step {at}"
        at += 1
    assert killed > 15
    assert asyncio.run(_read_all(url, path, clock)) == everything(ROOMS)
    assert [each.name for each in path.parent.iterdir() if not each.name.endswith(".lock")] == [path.name]
    assert len(load(path).keys) == 1
    assert not old & _key_texts(path)


async def _filled_copy(tmp_path: Path, path: Path, clock: ManualClock) -> str:
    url = await sqlite_copy(tmp_path / "template.db", tmp_path / "record")
    async with Database(url) as database:
        await fill(database, ring_at(path), clock, ROOMS)
    return url


async def _read_all(url: str, path: Path, clock: ManualClock) -> list[str]:
    async with Database(url) as database:
        return await read(database, load(path), clock, ROOMS)


def _key_texts(path: Path) -> set[str]:
    return {line for line in path.read_text().splitlines() if '"key"' in line}
