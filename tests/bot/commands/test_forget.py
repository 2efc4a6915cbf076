"""`aside forget` and `aside retention`: how much it is, first; then it is gone, or the reason is named."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.chat.aes_vault import AesVault
from bot.chat.key_file import load
from bot.settings import Settings
from bot.store.database import Database
from bot.store.schema import migrate
from bot.turns.journal import Journal
from bot.turns.model import Chat
from tests.fixtures.clocks import ManualClock
from tests.fixtures.sealed_chats import ORGANISATION, filled
from tests.fixtures.valkey import RealServer

Run = Callable[..., tuple[int, str]]
ROOMS = 3


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A deployment with a few chats of half a year ago."""
    found = Settings(data_dir=tmp_path)
    found.data.create()
    asyncio.run(migrate(found.database_url))
    clock = ManualClock()
    clock.instant = datetime.now(UTC) - timedelta(days=180)
    filled(found.database_url, found.vault_key_file, clock, ROOMS)
    return found


@pytest.fixture
def aside(
    settings: Settings,
    valkey_server: RealServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Run a command, with what is typed at its questions; return the status and what it printed."""
    monkeypatch.setenv("ASIDE_VAULT_ORGANISATION", ORGANISATION)
    monkeypatch.setenv("ASIDE_REDIS_URL", valkey_server.url)

    def run(*arguments: str, typed: str | None = None) -> tuple[int, str]:
        def answer(question: str = "") -> str:
            sys.stdout.write(question)
            if typed is None:
                raise EOFError
            return typed

        monkeypatch.setattr("builtins.input", answer)
        status = main([*arguments, "--data-dir", str(settings.data.root)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def remembered(settings: Settings, number: int) -> int:
    return len(asyncio.run(_read(settings, number))[1])


def chat_id(settings: Settings, number: int) -> str:
    return asyncio.run(_read(settings, number))[0].id


async def _read(settings: Settings, number: int) -> tuple[Chat, list]:
    vault = AesVault(load(settings.vault_key_file), organisation=ORGANISATION)
    async with Database(settings.database_url) as database:
        journal = Journal(database, vault, ManualClock())
        chat = await journal.chat_by_conversation("fake", "main", f"sealed-{number}")
        assert chat is not None
        return chat, await journal.exchanges(chat, 99)


def test_a_chat_is_forgotten_after_a_count_and_a_question(aside: Run, settings: Settings) -> None:
    status, said = aside("forget", "--chat", chat_id(settings, 0), typed="y")
    assert (status, said.splitlines()[0]) == (0, "1 turn in 1 chat")
    assert "Caches and files are clean" in said
    assert (remembered(settings, 0), remembered(settings, 1)) == (0, 1)


def test_a_person_is_forgotten_in_every_chat(aside: Run, settings: Settings) -> None:
    status, said = aside("forget", "--person", "person-1", "--adapter", "fake", "--yes")
    assert (status, said.splitlines()[0]) == (0, "1 turn in 1 chat")
    assert (remembered(settings, 0), remembered(settings, 1)) == (1, 0)


@pytest.mark.parametrize("typed", ["n", None], ids=["no", "nobody"])
def test_nothing_is_forgotten_unless_somebody_agrees(
    aside: Run, settings: Settings, typed: str | None
) -> None:
    status, said = aside("forget", "--chat", chat_id(settings, 0), typed=typed)
    assert (status, remembered(settings, 0)) == (1, 1)
    assert "Nothing was changed." in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["forget"], "say what to forget", id="nothing named"),
        pytest.param(["forget", "--chat", "a", "--person", "b"], "say what to forget", id="both"),
        pytest.param(["forget", "--person", "b"], "add --adapter NAME", id="no platform"),
        pytest.param(["forget", "--chat", "nowhere"], "There is nothing of that here.", id="no such chat"),
        pytest.param(["retention", "--days", "3"], "--chat and --days go together", id="days alone"),
        pytest.param(
            ["retention", "--chat", "x", "--days", "many"], "must be a whole number", id="no number"
        ),
        pytest.param(["retention", "--chat", "x", "--days", "3"], "There is no chat x.", id="no chat to set"),
    ],
)
def test_what_cannot_be_done_is_said(aside: Run, arguments: list[str], said: str) -> None:
    status, told = aside(*arguments)
    assert status != 0
    assert said in told


def test_without_redis_what_is_left_is_said(
    aside: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASIDE_REDIS_URL", f"unix://{settings.data.root}/nobody.sock")
    status, said = aside("forget", "--chat", chat_id(settings, 0), "--yes")
    assert (status, remembered(settings, 0)) == (1, 0)
    assert "Run this again while Aside runs." in said


def test_a_dry_run_only_counts(aside: Run, settings: Settings) -> None:
    status, said = aside("retention", "--dry-run")
    assert (status, said) == (0, "3 turns of 3 chats are older than kept (30 days).\n")
    assert remembered(settings, 0) == 1


def test_retention_takes_what_is_too_old(aside: Run, settings: Settings) -> None:
    status, said = aside("retention", typed="yes")
    assert status == 0
    assert "Took away the words of 3 turns." in said
    assert remembered(settings, 0) == 0
    assert aside("retention", "--dry-run")[1].startswith("0 turns of 0 chats")


def test_a_chat_can_keep_less(aside: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASIDE_RETENTION_DAYS", "400")
    assert aside("retention", "--dry-run")[1].startswith("0 turns")
    status, said = aside("retention", "--chat", chat_id(settings, 1), "--days", "7")
    assert (status, said) == (
        0,
        "Words of this chat are kept for 7 days; what is older goes within minutes.\n",
    )
    assert aside("retention", "--dry-run")[1].startswith("1 turn of 1 chat is")
    assert (
        "as those of all chats: 400 days"
        in aside("retention", "--chat", chat_id(settings, 1), "--days", "default")[1]
    )
