"""Accepting: the one transaction by which a batch of messages becomes durable."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from adapters.base import Receipt
from bot.store.transaction import Transaction
from bot.turns.acceptance import Acceptance
from bot.turns.journal.base import JournalBase
from bot.turns.journal.plan import ChatSlot, Joinable, Key, Plan, conversation_of, event_of
from bot.turns.journal.rows import OPEN, chats, inbounds, notices, turns
from bot.turns.model import Skill, TurnState

# Built once: SQLAlchemy then finds each statement's compiled form without looking at its structure again.
_LIFT = (
    update(chats)
    .where(chats.c.id == bindparam("chat"))
    .values(last_ord=bindparam("last"), weight=bindparam("share"))
)
_FIND_CHATS = select(
    chats.c.id, chats.c.conversation, chats.c.data_key, chats.c.last_ord, chats.c.weight
).where(
    chats.c.adapter == bindparam("adapter"),
    chats.c.account == bindparam("account"),
    chats.c.conversation.in_(bindparam("conversations", expanding=True)),
)
_LOCK_CHATS = _FIND_CHATS.order_by(chats.c.conversation).with_for_update(key_share=True)
_KNOWN_EVENTS = select(inbounds.c.event_key, inbounds.c.turn_id).where(
    inbounds.c.adapter == bindparam("adapter"),
    inbounds.c.account == bindparam("account"),
    inbounds.c.event_key.in_(bindparam("events", expanding=True)),
)
_WAITS = and_(OPEN, turns.c.state == TurnState.WAITING.value)
_COUNT_WAITING = select(func.count()).select_from(turns).where(_WAITS)
_COUNT_BY_CHAT = (
    select(turns.c.chat_id, func.count().label("waiting"))
    .where(_WAITS, turns.c.chat_id.in_(bindparam("ids", expanding=True)))
    .group_by(turns.c.chat_id)
)
_NEWEST_ORD = select(chats.c.last_ord).where(chats.c.id == turns.c.chat_id).scalar_subquery()
# The claim updates the same row: either it sees what joins here, or this finds its fence.
_LOCK_JOINABLE = (
    update(turns)
    .where(_WAITS, turns.c.chat_id.in_(bindparam("ids", expanding=True)), turns.c.ord == _NEWEST_ORD)
    .where(turns.c.fence.is_(None), ~turns.c.cancel_requested, turns.c.skill == Skill.ANSWER.value)
    .values(state=TurnState.WAITING.value)
    .returning(turns.c.id, turns.c.chat_id, turns.c.sender_id)
)
_COUNT_MESSAGES = (
    select(inbounds.c.turn_id, func.count().label("messages"))
    .where(inbounds.c.turn_id.in_(bindparam("ids", expanding=True)))
    .group_by(inbounds.c.turn_id)
)
_ADD_CHATS = {
    "sqlite": sqlite.insert(chats).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(chats).on_conflict_do_nothing(),
}
_ADD_TURNS, _ADD_INBOUNDS, _ADD_NOTICES = insert(turns), insert(inbounds), insert(notices)


class Accepting(JournalBase):
    """What intake asks of the journal."""

    async def accept(self, batch: Sequence[Acceptance]) -> list[Receipt]:
        """Commit a batch in one transaction, in order; an event known before changes nothing.

        Raises `StoreUnavailable` with nothing stored: acknowledge none of the batch then.
        """
        if not batch:
            return []
        try:
            return await self._accept(batch)
        except IntegrityError:
            # The same event came to another gateway under another conversation: now its row can be seen.
            return await self._accept(batch)

    async def _accept(self, batch: Sequence[Acceptance]) -> list[Receipt]:
        async with self._database.write() as connection:
            slots = await self._slots(connection, batch)
            plan = Plan(
                now=self._clock.now(),
                vault=self._vault,
                ids=self._ids,
                caps=self._caps,
                slots=slots,
                known=await _known_events(connection, batch),
                waiting=(await connection.execute(_COUNT_WAITING)).scalar_one(),
            )
            if plan.waiting:
                await _read_waiting(connection, slots, batch)
            receipts = plan.receipts(batch)
            await _store(connection, plan)
        return receipts

    async def _slots(self, connection: Transaction, batch: Sequence[Acceptance]) -> dict[Key, ChatSlot]:
        """Find or make the batch's chats, locked so that nothing else takes their next `ord`."""
        wanted = {conversation_of(acceptance.inbound): acceptance for acceptance in batch}
        slots = await _find_chats(connection, wanted)
        missing = [wanted[key] for key in sorted(wanted.keys() - slots.keys())]
        if connection.dialect.name == "sqlite":
            # The file's write lock covers every chat, and what is missing now nobody else can add.
            rows = await self._make_chats(connection, missing)
            return slots | {_conversation_of_row(row): _slot(row) for row in rows}
        # Chats are made before any is locked, and locked in one order: no two batches wait for each other.
        await self._make_chats(connection, missing)
        return await _find_chats(connection, wanted, lock=True)

    async def _make_chats(
        self, connection: Transaction, missing: Sequence[Acceptance]
    ) -> list[dict[str, Any]]:
        rows = [self._chat_row(acceptance) for acceptance in missing]
        if rows:
            await connection.execute(_ADD_CHATS[connection.dialect.name], rows)
        return rows

    def _chat_row(self, acceptance: Acceptance) -> dict[str, Any]:
        inbound = acceptance.inbound
        return {
            "id": self._ids.new(),
            "adapter": inbound.adapter,
            "account": inbound.account,
            "conversation": inbound.conversation.ref,
            "kind": inbound.conversation.kind.value,
            "data_key": self._vault.new_key(),
            "last_ord": 0,
            "weight": acceptance.weight,
            "context_version": 0,
            "context_from": 0,
            "held": False,
            "created_at": self._clock.now(),
        }


def _conversation_of_row(row: dict[str, Any]) -> Key:
    return row["adapter"], row["account"], row["conversation"]


def _slot(row: dict[str, Any]) -> ChatSlot:
    return ChatSlot(id=row["id"], key=row["data_key"], last_ord=row["last_ord"], weight=row["weight"])


def _by_account(keys: Iterable[Key]) -> list[tuple[str, str, list[str]]]:
    """Group keys by adapter and account: few, while what they name is many."""
    groups = groupby(sorted(set(keys)), key=lambda key: key[:2])
    return [(adapter, account, [key[2] for key in members]) for (adapter, account), members in groups]


async def _find_chats(
    connection: Transaction, keys: Iterable[Key], *, lock: bool = False
) -> dict[Key, ChatSlot]:
    query = _LOCK_CHATS if lock else _FIND_CHATS
    found: dict[Key, ChatSlot] = {}
    for adapter, account, names in _by_account(keys):
        among = {"adapter": adapter, "account": account, "conversations": names}
        for row in await connection.execute(query, among):
            slot = ChatSlot(id=row.id, key=row.data_key, last_ord=row.last_ord, weight=row.weight)
            found[adapter, account, row.conversation] = slot
    return found


async def _known_events(connection: Transaction, batch: Sequence[Acceptance]) -> dict[Key, str]:
    known: dict[Key, str] = {}
    for adapter, account, names in _by_account(event_of(acceptance.inbound) for acceptance in batch):
        among = {"adapter": adapter, "account": account, "events": names}
        for row in await connection.execute(_KNOWN_EVENTS, among):
            known[adapter, account, row.event_key] = row.turn_id
    return known


async def _read_waiting(
    connection: Transaction, slots: dict[Key, ChatSlot], batch: Sequence[Acceptance]
) -> None:
    """Tell the slots how much waits, and lock and tell the newest turn where it can be joined."""
    by_id = {slot.id: slot for slot in slots.values()}
    for row in await connection.execute(_COUNT_BY_CHAT, {"ids": list(by_id)}):
        by_id[row.chat_id].waiting = row.waiting
    joining = {
        slots[conversation_of(acceptance.inbound)].id
        for acceptance in batch
        if acceptance.skill is Skill.ANSWER and not acceptance.refusal
    }
    joined = [chat_id for chat_id in joining if by_id[chat_id].waiting]
    if joined:
        await _lock_joinable(connection, by_id, joined)


async def _lock_joinable(connection: Transaction, by_id: dict[str, ChatSlot], joined: Sequence[str]) -> None:
    newest = {row.id: row for row in await connection.execute(_LOCK_JOINABLE, {"ids": joined})}
    if not newest:
        return
    for counted in await connection.execute(_COUNT_MESSAGES, {"ids": list(newest)}):
        turn = newest[counted.turn_id]
        by_id[turn.chat_id].newest = Joinable(
            turn_id=turn.id, sender_id=turn.sender_id, messages=counted.messages
        )


async def _store(connection: Transaction, plan: Plan) -> None:
    lifted = [
        {"chat": slot.id, "last": slot.last_ord, "share": slot.weight}
        for slot in plan.slots.values()
        if slot.touched
    ]
    if lifted:
        await connection.execute(_LIFT, lifted)
    added = ((_ADD_TURNS, plan.turns), (_ADD_INBOUNDS, plan.inbounds), (_ADD_NOTICES, plan.notices))
    for statement, rows in added:
        if rows:
            await connection.execute(statement, rows)
