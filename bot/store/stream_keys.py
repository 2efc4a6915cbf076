"""The data keys of the adapters' streams: each has its own, so that what is forgotten of one can be made unreadable."""

import secrets
from typing import Any, Protocol

from sqlalchemy import Table, bindparam, delete, insert, select, update

from bot.store.tables import Base
from bot.store.transaction import Transaction

_keys: Table = Base.metadata.tables["adapter_stream_keys"]

_MINE = (_keys.c.adapter == bindparam("of_adapter"), _keys.c.stream == bindparam("of_stream"))
#: For a column of a statement over a stream's records: one statement sees both as they belong together.
STREAM_KEY = select(_keys.c.data_key).where(*_MINE).scalar_subquery()
_KEY = select(_keys.c.data_key).where(*_MINE)
_ADD = insert(_keys)
_SWAP = update(_keys).where(*_MINE).values(data_key=bindparam("new_key"))
_DROP = delete(_keys).where(*_MINE)


class KeyMaker(Protocol):
    """Makes wrapped data keys."""

    def new_key(self) -> bytes:
        """Make a data key, wrapped."""
        ...


async def key_of(connection: Transaction, binds: dict[str, Any]) -> bytes | None:
    """Read a stream's own key; None where it was begun before streams had one."""
    found = (await connection.execute(_KEY, binds)).scalar_one_or_none()
    return None if found is None else bytes(found)


async def give_key(connection: Transaction, maker: KeyMaker, binds: dict[str, Any]) -> bytes:
    """Give a stream a key in the place of the one it has, if any, and return it."""
    new_key = maker.new_key()
    if (await connection.execute(_SWAP, {**binds, "new_key": new_key})).rowcount == 0:
        row = {"adapter": binds["of_adapter"], "stream": binds["of_stream"], "data_key": new_key}
        await connection.execute(_ADD, [{"id": secrets.token_hex(16), **row}])
    return new_key


async def take_key(connection: Transaction, binds: dict[str, Any]) -> None:
    """Drop a stream's own key."""
    await connection.execute(_DROP, binds)
