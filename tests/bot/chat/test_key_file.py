"""The key file: made once, readable by its owner alone, and never replaced."""

import base64
import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from bot.chat.key_file import load_or_create
from bot.chat.key_ring import KeyRing, Subkey
from bot.errors import KeyMissing, StartupError


def test_first_run_makes_a_private_file_in_a_private_directory(tmp_path: Path):
    path = tmp_path / "keys" / "vault.key"
    previous = os.umask(0)
    try:
        load_or_create(path)
    finally:
        os.umask(previous)
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["vault.key"]


def test_second_run_reads_the_same_key(tmp_path: Path):
    path = tmp_path / "vault.key"
    assert load_or_create(path) == load_or_create(path)


def _make(
    path: Path, start: "multiprocessing.synchronize.Barrier", answers: "multiprocessing.SimpleQueue[str]"
) -> None:
    start.wait(20)
    answers.put(load_or_create(path).current)


def test_processes_that_start_together_agree(tmp_path: Path):
    """Concurrent first runs all end up with one key."""
    fork = multiprocessing.get_context("spawn")
    start, answers, path = fork.Barrier(4), fork.SimpleQueue(), tmp_path / "keys" / "vault.key"
    makers = [fork.Process(target=_make, args=(path, start, answers)) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(30)
    assert {answers.get() for _ in makers} == {load_or_create(path).current}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o777])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int):
    path = tmp_path / "vault.key"
    load_or_create(path)
    path.chmod(mode)
    with pytest.raises(
        StartupError, match=rf"vault\.key is open to others \(mode {mode:04o}\): run chmod 600"
    ):
        load_or_create(path)


def test_a_directory_that_everyone_can_write_is_refused(tmp_path: Path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys").chmod(0o777)
    with pytest.raises(StartupError, match="can be written by everyone: run chmod 700"):
        load_or_create(tmp_path / "keys" / "vault.key")


KEY = base64.b64encode(bytes(32)).decode()
ENTRY = {"id": "00" * 8, "key": KEY}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"version": 1, "current": "x", "keys": []}',
        json.dumps({"version": 1, "current": "00" * 8, "keys": [ENTRY | {"key": KEY[:8]}]}),
        json.dumps({"version": 1, "current": "00" * 8, "keys": [ENTRY | {"key": "*" + KEY[1:]}]}),
        json.dumps({"version": 1, "current": "zz" * 8, "keys": [ENTRY | {"id": "zz" * 8}]}),
        json.dumps({"version": 1, "current": "11" * 8, "keys": [ENTRY]}),
        json.dumps({"version": 1, "current": 5, "keys": [ENTRY | {"id": 5}]}),
        json.dumps({"version": 1, "current": "00" * 8, "keys": [ENTRY, ENTRY]}),
    ],
    ids=[
        "empty",
        "cut",
        "list",
        "object",
        "no keys",
        "short",
        "not base64",
        "id",
        "current",
        "number",
        "twice",
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, body: str):
    path = tmp_path / "vault.key"
    path.write_text(body)
    path.chmod(0o600)
    with pytest.raises(StartupError, match=r"vault\.key is damaged: restore it") as caught:
        load_or_create(path)
    assert (path.read_text(), KEY in str(caught.value)) == (body, False)


def test_a_newer_version_is_named(tmp_path: Path):
    path = tmp_path / "vault.key"
    path.write_text(json.dumps({"version": 2, "current": "00" * 8, "keys": [ENTRY]}))
    path.chmod(0o600)
    with pytest.raises(StartupError, match="has version 2 and this program reads 1"):
        load_or_create(path)


def test_a_directory_in_its_place_is_refused(tmp_path: Path):
    with pytest.raises(StartupError, match="is not a regular file"):
        load_or_create(tmp_path)


def test_a_place_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="cannot be used"):
        load_or_create(tmp_path / "file" / "vault.key")


def test_subkeys_are_separate_and_stable():
    ring = KeyRing.fresh()
    derived = {purpose: ring.derive(purpose) for purpose in Subkey}
    assert len({*derived.values(), *ring.keys.values()}) == len(Subkey) + 1
    assert derived == {purpose: ring.derive(purpose) for purpose in Subkey}


def test_a_ring_shows_no_key():
    ring = KeyRing.fresh()
    assert repr(ring) == f"KeyRing(current='{ring.current}')"


def test_a_missing_key_is_named():
    with pytest.raises(KeyMissing, match="key abcd is not available"):
        KeyRing.fresh().key("abcd")
