"""`aside dead`: what an operator sees, is asked, and can do; metadata only."""

import asyncio
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.__main__ import main
from bot.chat.memory_vault import EphemeralVault
from bot.clock import SystemClock
from bot.commands.durations import duration, spoken
from bot.settings import Settings
from bot.store.database import Database
from bot.store.schema import migrate
from bot.turns.dead_letters import Which
from bot.turns.journal import Journal
from bot.turns.journal.dead import DeadLetters
from bot.turns.model import NoticeKind, TurnState
from tests.fixtures.turns import acceptance, reply

Run = Callable[..., tuple[int, str]]
SECRETS = ("walrus-question", "walrus-answer", "walrus-room", "walrus-person")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A deployment with three dead letters, of two causes, in two chats."""
    found = Settings(data_dir=tmp_path)
    found.data.create()
    asyncio.run(_fill(found))
    return found


async def _fill(settings: Settings) -> None:
    await migrate(settings.database_url)
    async with Database(settings.database_url) as database:
        journal = Journal(database, EphemeralVault(), SystemClock())
        for token, (room, error) in enumerate(
            [
                ("walrus-room", "EngineFailed: gone"),
                ("attic", "EngineFailed: gone"),
                ("attic", "Rejected: no"),
            ]
        ):
            await _die(journal, room, error, 10 * token + 1)


async def _die(journal: Journal, room: str, error: str, token: int) -> None:
    wanted = acceptance("walrus-question", conversation=room, sender="walrus-person")
    [receipt] = await journal.accept([wanted])
    turn = await journal.claim(receipt.chat_id or "", token, "e")
    if error.startswith("Rejected"):
        turn = await journal.store_reply(turn, reply("walrus-answer"))
    await journal.fail(turn, error, SystemClock().now())
    turn = await journal.claim(receipt.chat_id or "", token + 1, "e")
    await journal.give_up(turn, TurnState.DEAD, NoticeKind.FAILED, "Sorry.")


@pytest.fixture
def dead(settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `aside dead`, with what is typed at its questions; return the status and what it printed."""

    def run(*arguments: str, typed: str | None = None) -> tuple[int, str]:
        def answer(question: str = "") -> str:
            sys.stdout.write(question)
            if typed is None:
                raise EOFError
            return typed

        monkeypatch.setattr("builtins.input", answer)
        status = main(["dead", *arguments, "--data-dir", str(settings.data.root)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def ids(settings: Settings) -> list[str]:
    async def read() -> list[str]:
        async with Database(settings.database_url) as database:
            letters = await DeadLetters(database, SystemClock()).listed(Which())
        return [letter.turn_id for letter in letters]

    return asyncio.run(read())


def states(settings: Settings) -> dict[str, int]:
    async def read() -> dict[str, int]:
        async with Database(settings.database_url) as database:
            counts = await Journal(database, EphemeralVault(), SystemClock()).counts()
        return {"waiting": counts.waiting, "unsent": counts.unsent, "dead": counts.dead}

    return asyncio.run(read())


def test_the_list_begins_with_the_count_and_names_causes(dead: Run, settings: Settings) -> None:
    status, said = dead("list")
    lines = said.splitlines()
    assert (status, lines[0]) == (0, "3 dead letters")
    assert [line.split()[0] for line in lines[2:]] == ids(settings)
    assert sum("EngineFailed" in line for line in lines) == 2
    assert "replied" in lines[4]


def test_the_list_can_be_narrowed_and_cut(dead: Run) -> None:
    assert dead("list", "--reason", "Rejected")[1].startswith("1 dead letter\n")
    assert "and 2 more" in dead("list", "--limit", "1")[1]
    assert dead("list", "--older-than", "1h") == (0, "0 dead letters\n")
    assert dead("list", "--adapter", "other") == (0, "0 dead letters\n")


def test_a_letter_shows_its_state_and_its_trail(dead: Run, settings: Settings) -> None:
    status, said = dead("show", ids(settings)[2])
    assert status == 0
    assert "stored, 0 of 1 messages sent" in said
    trail = said.partition("trail:\n")[2].splitlines()
    assert ["failed" in trail[0], "given_up" in trail[1], len(trail)] == [True, True, 2]


def test_a_trail_that_a_newer_version_wrote_is_shown(dead: Run, settings: Settings) -> None:
    async def write() -> None:
        async with Database(settings.database_url) as database, database.write() as connection:
            await connection.execute(text("UPDATE trail SET event = 'moved', state = 'parked'"))

    asyncio.run(write())
    status, said = dead("show", ids(settings)[0])
    assert (status, "moved · state parked" in said) == (0, True)


def test_a_letter_that_is_not_there_is_said(dead: Run) -> None:
    status, said = dead("show", "nothing")
    assert status == 1
    assert "aside dead list" in said


@pytest.mark.parametrize("arguments", [("list",), ("show",)], ids=["list", "show"])
def test_nothing_that_people_wrote_or_are_called_is_printed(
    dead: Run, settings: Settings, arguments: tuple[str, ...]
) -> None:
    for turn_id in ids(settings):
        _, said = dead(*arguments, *([turn_id] if arguments == ("show",) else []))
        assert turn_id in said
        assert not any(secret in said for secret in SECRETS)


@pytest.mark.parametrize("typed", ["", "n", "no", "maybe", None])
@pytest.mark.parametrize("action", ["requeue", "discard"])
def test_without_a_yes_nothing_is_changed(
    dead: Run, settings: Settings, action: str, typed: str | None
) -> None:
    status, said = dead(action, "--all", typed=typed)
    assert status == 1
    assert said.startswith("3 dead letters: 2 EngineFailed, 1 Rejected\n")
    assert "Nothing was changed." in said
    assert states(settings) == {"waiting": 0, "unsent": 0, "dead": 3}


@pytest.mark.parametrize("action", ["requeue", "discard"])
def test_nothing_is_meant_unless_it_is_said(dead: Run, settings: Settings, action: str) -> None:
    status, said = dead(action, "--yes")
    assert status == 2
    assert "--all" in said
    assert states(settings)["dead"] == 3


def test_a_yes_requeues_all_that_match_and_what_was_stored_is_only_sent(
    dead: Run, settings: Settings
) -> None:
    status, said = dead("requeue", "--all", typed="y")
    assert status == 0
    assert "Requeued 3 dead letters." in said
    assert states(settings) == {"waiting": 2, "unsent": 1, "dead": 0}


def test_without_a_redis_it_is_said_who_puts_the_chats(dead: Run) -> None:
    assert "reconciler" in dead("requeue", "--all", "--yes")[1]


def test_one_letter_is_requeued_by_its_id_and_pressing_again_finds_nothing(
    dead: Run, settings: Settings
) -> None:
    chosen = ids(settings)[1]
    assert dead("requeue", chosen, "--yes")[0] == 0
    status, said = dead("requeue", "--yes", chosen)
    assert status == 1
    assert said.startswith("0 dead letters\nNot on the list")
    assert chosen in said
    assert states(settings) == {"waiting": 1, "unsent": 0, "dead": 2}


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (1, "1 was left alone because its notice is being sent right now"),
        (2, "2 were left alone because their notice is being sent right now"),
    ],
)
def test_whose_notice_is_being_sent_is_left_alone_and_said(
    dead: Run, settings: Settings, number: int, sentence: str
) -> None:
    async def send() -> None:
        async with Database(settings.database_url) as database:
            journal = Journal(database, EphemeralVault(), SystemClock())
            for _ in range(number):
                assert await journal.claim_notice(SystemClock().now(), 60)

    asyncio.run(send())
    status, said = dead("requeue", "--all", "--yes")
    assert (status, sentence in said, "try again in half a minute" in said) == (1, True, True)


def test_a_cause_is_discarded_and_leaves_the_list(dead: Run, settings: Settings) -> None:
    status, said = dead("discard", "--reason", "EngineFailed", "--yes")
    assert status == 0
    assert "Discarded 2 dead letters." in said
    assert dead("list")[1].startswith("1 dead letter\n")
    assert states(settings) == {"waiting": 0, "unsent": 0, "dead": 1}


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800), (" 1H ", 3600)]
)
def test_a_span_of_time_is_read(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2 weeks", "1.5h", "2hh"])
def test_what_is_no_span_of_time_is_told_with_an_example(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="2h"):
        duration(text)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_800, "2d")],
)
def test_a_span_is_said_in_its_largest_fitting_unit(seconds: int, said: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == said
