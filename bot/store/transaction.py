"""What a transaction can do, on either database."""

from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.sql.base import Executable


class Transaction(Protocol):
    """An open transaction; SQLAlchemy's own `AsyncConnection` is one."""

    @property
    def dialect(self) -> Dialect:
        """The database's dialect; its `name` is `sqlite` or `postgresql`."""
        ...

    async def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[Any]:
        """Carry out a statement with its binds, or with each of a list. Read its rows before leaving."""
        ...

    async def run_sync(self, fn: Callable[[Connection], Any], /) -> Any:
        """Call what knows only SQLAlchemy's blocking connection."""
        ...
