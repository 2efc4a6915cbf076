"""The rows of the adapters' records: the statements that read and write them."""

from sqlalchemy import Table, bindparam, delete, func, insert, select, update

from bot.store.stream_keys import ADAPTERS_KEY, STREAM_KEY
from bot.store.tables import Base

records: Table = Base.metadata.tables["adapter_records"]

#: The newest record of a stream, when it is forgotten, leaves its position behind, empty and without a key.
HUSK = ""

# Built once: SQLAlchemy then finds each statement's compiled form without looking at its structure again.
# An UPDATE may not have binds that are called like its columns.
_MINE = (records.c.adapter == bindparam("of_adapter"), records.c.stream == bindparam("of_stream"))
_THERE = (*_MINE, records.c.key != HUSK)
_WITH_KEYS = select(records, STREAM_KEY.label("stream_key"), ADAPTERS_KEY.label("adapters_key"))
_NEWEST_FIRST = _WITH_KEYS.where(*_THERE).order_by(records.c.position.desc())

LAST = select(func.coalesce(func.max(records.c.position), 0)).where(*_MINE)
BY_KEY = _WITH_KEYS.where(*_MINE, records.c.key == bindparam("key"))
AFTER = (
    _WITH_KEYS.where(*_THERE, records.c.position > bindparam("position"))
    .order_by(records.c.position)
    .limit(bindparam("most"))
)
LATEST = _NEWEST_FIRST.limit(bindparam("most"))
BEFORE = LATEST.where(records.c.position < bindparam("position"))
ALL = _WITH_KEYS.where(*_THERE)
OLD = (
    select(records.c.position)
    .where(*_THERE, records.c.stored_at < bindparam("instant"))
    .order_by(records.c.position)
    .limit(bindparam("most"))
)
STREAMS = select(records.c.stream).distinct().where(records.c.adapter == bindparam("adapter"))
STREAMS_WITH_OLD = STREAMS.where(
    func.substr(records.c.stream, 1, bindparam("prefix_length")) == bindparam("prefix"),
    records.c.key != HUSK,
    records.c.stored_at < bindparam("instant"),
)

ADD = insert(records)
AMEND = (
    update(records)
    .where(*_MINE, records.c.key == bindparam("old_key"))
    .values(body_sealed=bindparam("new_body"))
)
LEAVE_HUSK = (
    update(records)
    .where(*_MINE, records.c.position == bindparam("old_position"))
    .values(key=HUSK, body_sealed=b"")
)
DROP_KEY = delete(records).where(*_MINE, records.c.key == bindparam("old_key"))
DROP_POSITIONS = delete(records).where(*_MINE, records.c.position.in_(bindparam("positions", expanding=True)))
DROP_STREAM = delete(records).where(*_MINE)
