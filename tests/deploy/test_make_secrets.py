"""Secrets are made once, for one user alone, and fit what reads them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.chat.key_file import load
from deploy.make_secrets import VAULT_KEY, WORDS, make, note_user
from tests.fixtures.compose import ROOT, ComposeFile


def test_every_secret_of_the_compose_file_is_made_readable_by_one_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert set(make(folder)) == {*ComposeFile.read().content["secrets"], VAULT_KEY}
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
        assert path.stat().st_uid == (os.geteuid() or 1000)


def test_what_somebody_puts_there_is_guarded_too(tmp_path: Path) -> None:
    make(tmp_path)
    put = tmp_path / "telegram_token"
    put.write_text("a token")
    put.chmod(0o644)
    assert make(tmp_path) == []
    assert (stat.S_IMODE(put.stat().st_mode), put.stat().st_uid) == (0o600, os.geteuid() or 1000)
    assert put.read_text() == "a token"


def test_what_is_there_is_never_replaced(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / WORDS[0]).unlink()
    before = _contents(tmp_path)
    assert make(tmp_path) == [WORDS[0]]
    assert before.items() <= _contents(tmp_path).items()


def test_no_two_secrets_are_alike_and_each_is_long(tmp_path: Path) -> None:
    make(tmp_path)
    made = [(tmp_path / name).read_text().strip() for name in WORDS]
    assert len(set(made)) == len(WORDS)
    # 32 random bytes; and nothing in them that a shell, a URL or Valkey's configuration would read otherwise.
    assert all(len(text) >= 43 and text.replace("-", "").replace("_", "").isalnum() for text in made)


def test_the_vaults_key_is_one_the_vault_reads(tmp_path: Path) -> None:
    make(tmp_path)
    ring = load(tmp_path / VAULT_KEY)
    assert [len(key) for key in ring.keys.values()] == [32]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, "RUN_AS=1234\n", id="no file yet"),
        pytest.param("GPUS=2", "GPUS=2\nRUN_AS=1234\n", id="a last line without its end"),
        pytest.param("RUN_AS=7\n", "RUN_AS=7\n", id="set already"),
    ],
)
def test_the_user_is_noted_for_compose_unless_somebody_chose_one(
    tmp_path: Path, before: str | None, after: str
) -> None:
    env = tmp_path / ".env"
    if before is not None:
        env.write_text(before)
    assert note_user(env, 1234) == (before != after)
    assert env.read_text() == after


def test_the_command_says_what_it_did_and_shows_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    done = subprocess.run(
        [sys.executable, ROOT / "deploy" / "make_secrets.py", "--out", folder, "--env", tmp_path / ".env"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "5 secrets, 5 of them new" in done.stdout
    assert not any(text.decode().strip() in done.stdout for text in _contents(folder).values())


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
