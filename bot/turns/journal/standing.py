"""Reading where people stand with their limits, for a batch; and writing down what they used up."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, String, bindparam, delete, func, select, text

from bot.store.prepared import Lookup, among
from bot.store.tables import Base, UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.acceptance import Acceptance, Caps
from bot.turns.journal.limits import Person
from bot.turns.journal.quota import QuotaBook
from bot.turns.journal.rows import WAITING, turns

_quota_uses = Base.metadata.tables["quota_uses"]
#: Quotas of windows that are over, forgotten at a time.
_FORGOTTEN_AT_ONCE = 200

_COUNT_BY_PERSON = Lookup(
    select(turns.c.sender_id, turns.c.adapter, func.count())
    .where(WAITING, among(turns.c.sender_id, "people"))
    .group_by(turns.c.sender_id, turns.c.adapter)
)
_USES = Lookup(
    select(_quota_uses.c.subject, _quota_uses.c.uses).where(among(_quota_uses.c.subject, "subjects"))
)
# The same text on both databases; SQLAlchemy has one construct for each.
_USE = text(
    "INSERT INTO quota_uses (subject, uses, ends_at) VALUES (:subject, :uses, :ends_at)"
    " ON CONFLICT (subject) DO UPDATE SET uses = quota_uses.uses + excluded.uses"
).bindparams(
    bindparam("subject", type_=String()),
    bindparam("uses", type_=BigInteger()),
    bindparam("ends_at", type_=UtcDateTime()),
)
_OVER = (
    select(_quota_uses.c.subject).where(_quota_uses.c.ends_at <= bindparam("now")).limit(_FORGOTTEN_AT_ONCE)
)
_FORGET = delete(_quota_uses).where(_quota_uses.c.subject.in_(_OVER.with_for_update(skip_locked=True)))


async def persons_waiting(
    connection: Transaction, batch: Sequence[Acceptance], caps: Caps
) -> dict[Person, int]:
    """Count the turns that wait for the batch's people; none where people are not capped."""
    if caps.per_person is None:
        return {}
    people = {acceptance.inbound.sender.id for acceptance in batch if acceptance.refusal is None}
    if not people:
        return {}
    rows = await _COUNT_BY_PERSON.rows(connection, people=list(people))
    return {(adapter, person): count for person, adapter, count in rows}


async def quotas_of(
    connection: Transaction, batch: Sequence[Acceptance], caps: Caps, now: datetime
) -> QuotaBook | None:
    """Read what the batch's people and chats used up; None where there is no quota."""
    if not caps.quotas.any:
        return None
    book = QuotaBook(quotas=caps.quotas, now=now)
    subjects = book.subjects(acceptance.inbound for acceptance in batch)
    if subjects:
        rows = await _USES.rows(connection, subjects=subjects)
        book.read({row[0]: row[1] for row in rows})
    return book


async def store_uses(connection: Transaction, book: QuotaBook | None) -> None:
    """Add what the batch used up, and forget windows that are over."""
    if book is None or not (rows := book.rows()):
        return
    await connection.execute(_USE, rows)
    await connection.execute(_FORGET, {"now": book.now})
