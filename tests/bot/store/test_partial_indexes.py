"""A partial index serves only statements that repeat its condition: the journal writes what stands there."""

from pathlib import Path

import pytest
from sqlalchemy import TextClause, text

from bot.store.database import Database
from bot.store.tables import Base
from bot.turns.journal.rows import (
    FINISHED,
    HELD,
    NOTICE_OWED,
    ON_THE_LIST,
    OPEN,
    OWED_BY_OWNER,
    UNFINISHED,
)


@pytest.mark.parametrize(
    ("table", "condition", "index"),
    [
        pytest.param("turns", UNFINISHED, "ix_turns_unfinished", id="unfinished"),
        pytest.param("turns", OPEN, "ix_turns_unfinished", id="open"),
        pytest.param("turns", FINISHED, "ix_turns_finished", id="finished"),
        pytest.param("turns", OWED_BY_OWNER, "ix_turns_owed", id="owed by the owner"),
        pytest.param("chats", HELD, "ix_chats_held", id="held"),
        pytest.param("notices", NOTICE_OWED, "ix_notices_owed", id="notices"),
        pytest.param("dead_letters", ON_THE_LIST, "ix_dead_letters_open", id="dead letters"),
    ],
)
async def test_the_index_is_used(tmp_path: Path, table: str, condition: TextClause, index: str) -> None:
    async with Database(f"sqlite:///{tmp_path / 'x.db'}") as database, database.write() as connection:
        await connection.run_sync(Base.metadata.create_all)
        plan = await connection.execute(
            text(f"EXPLAIN QUERY PLAN SELECT count(*) FROM {table} WHERE {condition.text}")  # noqa: S608 - ours
        )
        assert index in " ".join(str(row) for row in plan.all())
