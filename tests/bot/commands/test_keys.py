"""`aside keys`: ids and ages, never a key; another epoch only when somebody agrees."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.chat.key_file import load, load_or_create, render
from bot.clock import SystemClock
from bot.settings import Settings
from bot.store.schema import migrate
from tests.fixtures.sealed_chats import filled

Run = Callable[..., tuple[int, str]]
ROOMS = 3
#: Beside the rooms, each stream of an adapter's own store holds one.
DATA_KEYS = ROOMS + 1


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A deployment with a few chats."""
    found = Settings(data_dir=tmp_path)
    found.data.create()
    asyncio.run(migrate(found.database_url))
    filled(found.database_url, found.vault_key_file, SystemClock(), ROOMS)
    return found


@pytest.fixture
def keys(settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `aside keys`, with what is typed at its questions; return the status and what it printed."""
    monkeypatch.setenv("ASIDE_WORKER_LEASE_S", "1")
    monkeypatch.setenv("ASIDE_VAULT_ORGANISATION", "test")

    def run(*arguments: str, typed: str | None = None) -> tuple[int, str]:
        def answer(question: str = "") -> str:
            sys.stdout.write(question)
            if typed is None:
                raise EOFError
            return typed

        monkeypatch.setattr("builtins.input", answer)
        status = main(["keys", *arguments, "--data-dir", str(settings.data.root)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def test_show_tells_ids_ages_and_how_much_each_wraps(keys: Run, settings: Settings) -> None:
    status, said = keys("show")
    ring = load(settings.vault_key_file)
    assert status == 0
    assert f"{ring.current}  " in said
    assert f"{DATA_KEYS} data keys  current" in said


def test_no_key_is_ever_printed(keys: Run, settings: Settings) -> None:
    secrets = {line.split('"')[3] for line in _secret_lines(settings)}
    said = keys("show")[1] + keys("rotate", "--yes")[1] + keys("show")[1]
    secrets |= {line.split('"')[3] for line in _secret_lines(settings)}
    assert len(secrets) == 3
    assert not any(secret in said for secret in secrets)


def _secret_lines(settings: Settings) -> list[str]:
    lines = settings.vault_key_file.read_text().splitlines()
    return [line for line in lines if '"key"' in line or '"root"' in line]


def test_rotate_begins_an_epoch_and_destroys_the_one_before(keys: Run, settings: Settings) -> None:
    old = load(settings.vault_key_file).current
    status, said = keys("rotate", typed="y")
    assert status == 0
    assert f"{DATA_KEYS} data keys were wrapped anew" in said
    assert f"Destroyed: {old}" in said
    assert "Backups of the database" in said
    assert list(load(settings.vault_key_file).keys) == [load(settings.vault_key_file).current] != [old]


@pytest.mark.parametrize("typed", ["n", None], ids=["no", "nobody"])
def test_nothing_happens_unless_somebody_agrees(keys: Run, settings: Settings, typed: str | None) -> None:
    before = settings.vault_key_file.read_bytes()
    status, said = keys("rotate", typed=typed)
    assert (status, settings.vault_key_file.read_bytes()) == (1, before)
    assert "Nothing was changed." in said


def test_a_missing_key_is_named(keys: Run, settings: Settings) -> None:
    needed = load(settings.vault_key_file).current
    settings.vault_key_file.unlink()
    status, said = keys("show")
    assert (status, "it is made when Aside is first started" in said) == (1, True)
    load_or_create(settings.vault_key_file)
    status, said = keys("show")
    assert status == 1
    assert f"lacks key {needed}: restore it." in said


def test_keys_of_the_environment_are_rewrapped_and_left_to_the_operator(
    keys: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = load(settings.vault_key_file)
    ring = old.with_next_epoch(SystemClock().now())
    monkeypatch.setenv("ASIDE_VAULT_KEYS", render(ring).decode())
    settings.vault_key_file.unlink()
    status, said = keys("show")
    assert f"Leave key {old.current} in vault.keys: it wraps {DATA_KEYS} data keys." in said
    status, said = keys("rotate", typed="y")
    assert status == 0
    assert f"{DATA_KEYS} data keys were wrapped anew; {DATA_KEYS} are wrapped by key {ring.current}." in said
    assert f"Key {old.current} wraps nothing. If every process has been restarted" in said
    status, said = keys("show")
    assert f"Key {old.current} wraps nothing." in said
    monkeypatch.setenv("ASIDE_VAULT_KEYS", render(ring.without([old.current])).decode())
    status, said = keys("show")
    assert (status, f"{DATA_KEYS} data keys  current" in said) == (0, True)
    assert not settings.vault_key_file.exists()


def test_keys_of_the_environment_are_left_unless_somebody_agrees(
    keys: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that lacks the new key could read nothing afterwards: the command says so first."""
    ring = load(settings.vault_key_file).with_next_epoch(SystemClock().now())
    monkeypatch.setenv("ASIDE_VAULT_KEYS", render(ring).decode())
    status, said = keys("rotate")
    assert status == 1
    assert "First restart every process with both keys" in said
    assert "Nothing was changed." in said
    assert "0 data keys  current" in keys("show")[1]


def test_keys_of_the_environment_need_a_root(
    keys: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One made of the current key would change with it: tombstones and names would no longer be known."""
    ring = replace(load(settings.vault_key_file), root=None)
    monkeypatch.setenv("ASIDE_VAULT_KEYS", render(ring).decode())
    status, said = keys("show")
    assert status == 1
    assert 'The setting vault.keys has no "root"' in said
    assert "openssl rand -base64 32" in said


def test_damaged_keys_of_the_environment_are_refused_without_showing_them(
    keys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASIDE_VAULT_KEYS", "not-a-key-ring")
    status, said = keys("show")
    assert status == 1
    assert "The setting vault.keys is damaged" in said
    assert "not-a-key-ring" not in said
