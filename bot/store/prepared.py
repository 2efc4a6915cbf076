"""Statements that intake carries out for every batch: on SQLite the driver gets their text, past SQLAlchemy.

There a statement costs SQLAlchemy more than it costs the database: a context, a cursor and a result for each
execution, a dictionary and its conversions for each row. The text is SQLAlchemy's own, compiled once from the very
statement that PostgreSQL is given.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, CompoundSelect, Insert, Select, String, Update, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from bot.store.sqlite_connection import SqliteConnection
from bot.store.tables import UtcDateTime, sqlite_instant
from bot.store.transaction import Transaction


class _Among(FunctionElement[Any]):
    # It has no type: SQLite knows no booleans, and `... = 1` would hide the index.
    inherit_cache = True


def among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Say that a text is in the list bound as `name`, in a `Lookup`."""
    return _Among(column, bindparam(name, type_=ARRAY(String)))


@compiles(_Among, "sqlite")
def _among_in_sqlite(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, listed = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} IN ({listed})"


@compiles(_Among, "postgresql")
def _among_in_postgresql(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, listed = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = ANY ({listed})"


class Lookup:
    """A SELECT of texts, numbers and bytes: columns that need no conversion on either database."""

    def __init__(
        self, statement: Select[Any] | CompoundSelect[Any], *, elsewhere: Executable | None = None
    ) -> None:
        """Compile it; `elsewhere` stands in its place on another database than SQLite."""
        self._statement: Executable = statement if elsewhere is None else elsewhere
        compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        self._text = str(compiled)
        self._fixed = {name: bind for name, bind in compiled.params.items() if bind is not None}

    async def rows(self, connection: Transaction, **binds: Any) -> Sequence[Sequence[Any]]:
        """Read every row; a list is what `among` names."""
        if not isinstance(connection, SqliteConnection):
            return (await connection.execute(self._statement, binds)).all()
        text, plain = self._text, self._fixed | binds
        for name, bind in binds.items():
            if isinstance(bind, list):
                members = _members(name, bind)
                text = text.replace(f"IN (:{name})", f"IN (:{', :'.join(members)})")
                plain |= members
        return connection.rows(text, plain)


def _members(name: str, texts: Sequence[str]) -> dict[str, str | None]:
    """Bind a list's texts one by one, the last of them repeatedly: few lengths are few texts to prepare."""
    length = 1 << max(0, len(texts) - 1).bit_length()
    filling = [texts[-1] if texts else None] * (length - len(texts))
    return {f"{name}_{number}": each for number, each in enumerate([*texts, *filling])}


class Bulk:
    """An INSERT or UPDATE of many rows, each a tuple in the order of `names`: texts, numbers, bytes, instants.

    What is the same for every row is written into the statement as a literal.
    """

    def __init__(self, statement: Insert | Update, *names: str) -> None:
        self._statement = statement
        self._names = names
        compiled = statement.compile(dialect=sqlite.dialect(), column_keys=_columns(statement, names))
        self._text = str(compiled)
        #: Where the driver's columns stand in a row, and which of them are instants.
        self._layout = [
            (names.index(name), isinstance(compiled.binds[name].type, UtcDateTime))
            for name in compiled.positiontup or ()
        ]

    async def run(self, connection: Transaction, rows: Sequence[Sequence[Any]]) -> None:
        """Carry it out for every row. Raises SQLAlchemy's `IntegrityError`."""
        if not rows:
            return
        if isinstance(connection, SqliteConnection):
            connection.many(self._text, self._for_driver(rows))
        else:
            await connection.execute(
                self._statement, [dict(zip(self._names, row, strict=True)) for row in rows]
            )

    def _for_driver(self, rows: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        columns = list(zip(*rows, strict=True))
        return zip(
            *(_written(columns[at]) if instants else columns[at] for at, instants in self._layout),
            strict=True,
        )


def _columns(statement: Insert | Update, names: Sequence[str]) -> list[str] | None:
    """Name what an INSERT binds; an UPDATE says it itself."""
    return list(names) if isinstance(statement, Insert) else None


def _written(instants: Sequence[Any]) -> list[str | None]:
    """Write a column of instants: in a batch most of them are the same one."""
    texts = {instant: sqlite_instant(instant) for instant in set(instants)}
    return [texts[instant] for instant in instants]
