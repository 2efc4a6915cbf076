"""The data keys of the adapters' streams: each has its own, so that what is forgotten of one can be made unreadable.

Before streams had keys, one of the whole adapter sealed them: where there still is one, it opens what it sealed, and
seals nothing more.
"""

import secrets
from typing import Any, Protocol

from sqlalchemy import Row, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import Base
from bot.store.transaction import Transaction

_keys: Table = Base.metadata.tables["adapter_stream_keys"]
_adapters: Table = Base.metadata.tables["adapter_keys"]

_MINE = (_keys.c.adapter == bindparam("of_adapter"), _keys.c.stream == bindparam("of_stream"))
_ADAPTERS_KEY = select(_adapters.c.data_key).where(_adapters.c.adapter == bindparam("of_adapter"))
_KEY = select(_keys.c.data_key).where(*_MINE)
#: For columns of a statement over a stream's records: one statement sees them as they belong together.
STREAM_KEY = _KEY.scalar_subquery()
ADAPTERS_KEY = _ADAPTERS_KEY.scalar_subquery()
#: What stands in the place of an adapter's data key where it seals nothing.
_NONE = b""

_ADD = insert(_keys)
_SWAP = update(_keys).where(*_MINE).values(data_key=bindparam("new_key"))
_DROP = delete(_keys).where(*_MINE)
_LOCK = _ADAPTERS_KEY.with_for_update()
_ADD_ADAPTER = {
    "sqlite": sqlite.insert(_adapters).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_adapters).on_conflict_do_nothing(),
}
_WITH_A_KEY = select(_adapters.c.adapter).where(func.length(_adapters.c.data_key) > 0)
_DESTROY = update(_adapters).where(_adapters.c.adapter == bindparam("of_adapter")).values(data_key=_NONE)


class KeyMaker(Protocol):
    """Makes wrapped data keys."""

    def new_key(self) -> bytes:
        """Make a data key, wrapped."""
        ...


def keys_in(row: Row[Any]) -> tuple[bytes, ...]:
    """Name the data keys that a row was read with, the stream's own first."""
    return tuple(bytes(key) for key in (row.stream_key, row.adapters_key) if key)


async def lock_adapter(connection: Transaction, adapter: str) -> bytes:
    """Have an adapter's streams for oneself: its row's lock gives out positions; returns its key, empty for none."""
    mine = {"of_adapter": adapter}
    if (found := (await connection.execute(_LOCK, mine)).scalar_one_or_none()) is not None:
        return bytes(found)
    row = {"adapter": adapter, "data_key": _NONE}
    await connection.execute(_ADD_ADAPTER[connection.dialect.name], row)
    return bytes((await connection.execute(_LOCK, mine)).scalar_one())


async def locked_keys(connection: Transaction, maker: KeyMaker, binds: dict[str, Any]) -> tuple[bytes, ...]:
    """Lock an adapter's streams; returns the key that seals one of them, made if need be, and what else may open it."""
    adapters = await lock_adapter(connection, binds["of_adapter"])
    found = (await connection.execute(_KEY, binds)).scalar_one_or_none()
    own = bytes(found) if found is not None else await give_key(connection, maker, binds)
    return (own, adapters) if adapters else (own,)


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


async def adapters_with_a_key(connection: Transaction) -> list[str]:
    """Name the adapters that still have a data key of their own."""
    return list((await connection.execute(_WITH_A_KEY)).scalars())


async def destroy_adapters_key(connection: Transaction, adapter: str) -> None:
    """Destroy an adapter's data key: what it sealed, nobody opens again."""
    await connection.execute(_DESTROY, {"of_adapter": adapter})
