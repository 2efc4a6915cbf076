"""What every part of the journal stands on: the database, the vault, the clock, and the fenced update."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, bindparam, or_, update

from bot.chat.vault import Vault
from bot.clock import Clock
from bot.errors import Fenced
from bot.store.database import Database
from bot.store.ids import Ids
from bot.store.transaction import Transaction
from bot.turns.acceptance import Caps
from bot.turns.journal.rows import turns
from bot.turns.journal.waiting import WaitingTurns
from bot.turns.model import Turn, TurnState


class JournalBase:
    """Holds the collaborators; every method of the journal is one transaction."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, caps: Caps | None = None) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._caps = caps or Caps()
        self._ids = Ids(clock)
        self._waiting = WaitingTurns(clock, self._caps.total)

    async def _update_fenced(self, change: Update, turn: Turn, **values: Any) -> None:
        """Change a claimed turn in a transaction of its own. Raises `Fenced`."""
        async with self._database.write() as connection:
            await fenced(connection, change, turn, **values)


def in_states(states: Iterable[TurnState]) -> ColumnElement[bool]:
    """Say that a turn is in one of some states."""
    # Not IN: SQLAlchemy writes its list anew at every execution.
    return or_(*(turns.c.state == state.value for state in states))


def fenced_update(states: Iterable[TurnState], *where: ColumnElement[bool]) -> Update:
    """Begin the only kind of change a worker may make: under its token, from a state it expects."""
    mine = (turns.c.id == bindparam("turn"), turns.c.fence == bindparam("token"))
    return update(turns).where(*mine, in_states(states), *where)


async def fenced(connection: Transaction, change: Update, turn: Turn, **values: Any) -> None:
    """Carry out a `fenced_update`, which sets the values.

    Raises `Fenced` when the row does not carry the token and such a state any more.
    """
    if (await connection.execute(change, _binds(turn, values))).rowcount == 0:
        raise _fenced(turn)


async def fenced_row(connection: Transaction, change: Update, turn: Turn, **values: Any) -> Row[Any]:
    """Carry out a `fenced_update` that returns columns, and read them. Raises `Fenced`."""
    row = (await connection.execute(change, _binds(turn, values))).one_or_none()
    if row is None:
        raise _fenced(turn)
    return row


def _binds(turn: Turn, values: dict[str, Any]) -> dict[str, Any]:
    return {"turn": turn.id, "token": turn.token, **values}


def _fenced(turn: Turn) -> Fenced:
    return Fenced(f"turn {turn.id} is no longer token {turn.token}'s to change")
