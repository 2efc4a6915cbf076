"""What every part of the journal stands on: the database, the vault, the clock, and the fenced update."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import CursorResult, Update, update

from bot.chat.vault import Vault
from bot.clock import Clock
from bot.errors import Fenced
from bot.store.database import Database
from bot.store.ids import Ids
from bot.store.transaction import Transaction
from bot.turns.acceptance import Caps
from bot.turns.journal.rows import turns
from bot.turns.model import Turn, TurnState


class JournalBase:
    """Holds the collaborators; every method of the journal is one transaction."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, caps: Caps | None = None) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._caps = caps or Caps()
        self._ids = Ids(clock)

    async def _update_fenced(
        self, turn: Turn, states: Iterable[TurnState], *where: Any, **values: Any
    ) -> None:
        """Change a claimed turn in a transaction of its own. Raises `Fenced`."""
        async with self._database.write() as connection:
            await fenced(connection, turn, states, *where, **values)


def fenced_update(turn: Turn, states: Iterable[TurnState]) -> Update:
    """Begin the only kind of change a worker may make: under its token, from a state it expects."""
    return (
        update(turns)
        .where(turns.c.id == turn.id, turns.c.fence == turn.token)
        .where(turns.c.state.in_([state.value for state in states]))
    )


async def fenced(
    connection: Transaction, turn: Turn, states: Iterable[TurnState], *where: Any, **values: Any
) -> None:
    """Carry it out. Raises `Fenced` when the row does not carry the token and such a state any more."""
    result: CursorResult[Any] = await connection.execute(
        fenced_update(turn, states).where(*where).values(**values)
    )
    if result.rowcount == 0:
        raise Fenced(f"turn {turn.id} is no longer token {turn.token}'s to change")
