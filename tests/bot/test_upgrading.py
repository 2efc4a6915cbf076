"""A database of an earlier version keeps what it holds and gains what is new."""

import uuid
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import migrations
from bot.clock import SystemClock
from bot.store.database import Database
from bot.store.schema import migrate
from bot.turns.dead_letters import Requeued, Which
from bot.turns.journal.dead import DeadLetters
from bot.turns.model import TurnState

_CHAT = """
    INSERT INTO chats (id, adapter, account, conversation, kind, data_key, last_ord, weight, context_version,
        context_from, held, created_at)
    VALUES ('c', 'fake', 'main', 'room', 'group', :key, 2, 1.0, 0, 0, false, '2026-01-01 00:00:00.000000')
"""
_TURN = """
    INSERT INTO turns (id, chat_id, ord, adapter, sends_from, sender_id, skill, state, fence, held, attempts,
        last_error, cancel_requested, restate, stopped, reply_sealed, accepted_at, deadline_at, finished_at)
    VALUES (:id, 'c', :ord, 'fake', 'any', 'ann', 'answer', :state, 7, false, 3, :error, false, false, false,
        :sealed, '2026-01-01 00:00:00.000000', '2026-01-01 00:10:00.000000', '2026-01-01 00:01:00.000000')
"""
_NOTICE = """
    INSERT INTO notices (id, chat_id, turn_id, adapter, sends_from, kind, text, op_id, state, created_at)
    VALUES ('n', 'c', 'a', 'fake', 'any', 'failed', 'Sorry.', 'n-notice', 'sent', '2026-01-01 00:01:00.000000')
"""


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path):
    """Give the URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'old.db'}"
        return
    postgres, name = request.getfixturevalue("postgres"), f"old_{uuid.uuid4().hex}"
    yield await postgres.create(name)
    await postgres.drop(name)


def _to_the_first_version(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


async def _fill(database: Database) -> None:
    async with database.write() as connection:
        await connection.run_sync(_to_the_first_version)
        await connection.execute(text(_CHAT), {"key": b"k"})
        turns = [
            {"id": "a", "ord": 1, "state": "dead", "error": "EngineFailed: gone", "sealed": None},
            {"id": "b", "ord": 2, "state": "dead", "error": None, "sealed": b"x"},
            {"id": "s", "ord": 3, "state": "sent", "error": None, "sealed": b"x"},
        ]
        for turn in turns:
            await connection.execute(text(_TURN), turn)
        await connection.execute(text(_NOTICE))


async def test_what_died_before_there_were_letters_gets_one_and_can_be_requeued(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await _fill(database)
    await migrate(empty_url)
    async with Database(empty_url) as database:
        letters = DeadLetters(database, SystemClock())
        found = await letters.listed(Which())
        assert [(each.turn_id, each.state, each.reason, each.error) for each in found] == [
            ("a", TurnState.WAITING, "EngineFailed", "EngineFailed: gone"),
            ("b", TurnState.REPLIED, "Unknown", "Unknown"),
        ]
        assert [(each.attempts, each.token, each.requeues) for each in found] == [(3, 7, 0)] * 2
        assert [await letters.requeue(each, deadline_s=60) for each in found] == [Requeued.DONE] * 2
        async with database.read() as connection:
            states = await connection.execute(text("SELECT state FROM turns ORDER BY ord"))
            assert list(states.scalars()) == ["waiting", "replied", "sent"]
            assert (await connection.execute(text("SELECT count(*) FROM notices"))).scalar_one() == 0
