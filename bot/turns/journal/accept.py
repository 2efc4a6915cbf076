"""Accepting: the one transaction by which a batch of messages becomes durable."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, false, insert, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from adapters.base import Receipt
from bot.chat.tombstones import tombstone
from bot.store.prepared import Bulk, Lookup, among
from bot.store.tables import UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.acceptance import Acceptance
from bot.turns.journal.base import JournalBase
from bot.turns.journal.burying import tombstones
from bot.turns.journal.chat_slots import ChatSlot, Key, conversation_of, event_of
from bot.turns.journal.episodes import episodes_of, store_episodes
from bot.turns.journal.joinable import read_waiting
from bot.turns.journal.limits import Limits
from bot.turns.journal.plan import INBOUND_NAMES, TURN_NAMES, Plan
from bot.turns.journal.rows import ADD_NOTICES, chats, inbounds, turns
from bot.turns.journal.standing import persons_waiting, quotas_of, store_uses

_LIFT = Bulk(
    update(chats)
    .where(chats.c.id == bindparam("chat"))
    .values(last_ord=bindparam("last"), weight=bindparam("share")),
    *("chat", "last", "share"),
)
_CHATS = select(chats.c.conversation, chats.c.id, chats.c.data_key, chats.c.last_ord, chats.c.weight).where(
    chats.c.adapter == bindparam("adapter"),
    chats.c.account == bindparam("account"),
    among(chats.c.conversation, "conversations"),
)
_FIND_CHATS = Lookup(_CHATS)
_LOCK_CHATS = Lookup(_CHATS.order_by(chats.c.conversation).with_for_update(key_share=True))
_KNOWN_EVENTS = Lookup(
    select(inbounds.c.event_key, inbounds.c.turn_id)
    .where(
        inbounds.c.adapter == bindparam("adapter"),
        inbounds.c.account == bindparam("account"),
        among(inbounds.c.event_key, "events"),
    )
    # What was forgotten has no turn, and no other name than its digest.
    .union_all(select(tombstones.c.digest, literal_column("''")).where(among(tombstones.c.digest, "digests")))
)
_ADD_CHATS = insert(chats)
_ADD_MISSING_CHATS = postgresql.insert(chats).on_conflict_do_nothing()
# What is the same for every new turn is written into the statement.
_ADD_TURNS = Bulk(
    insert(turns).values(
        held=false(), attempts=literal_column("0"), cancel_requested=false(), restate=false(), stopped=false()
    ),
    *TURN_NAMES,
)
_ADD_INBOUNDS = Bulk(insert(inbounds), *INBOUND_NAMES)
#: A turn that a burst keeps joining is held back for no longer than this and one wait more.
_HOLD_BACK_AGE = timedelta(seconds=1)
_HOLD_BACK = Bulk(
    update(turns)
    .where(turns.c.id == bindparam("turn"), turns.c.fence.is_(None))
    .where(or_(turns.c.not_before.is_(None), turns.c.accepted_at > bindparam("soon", type_=UtcDateTime())))
    .values(not_before=bindparam("until", type_=UtcDateTime())),
    *("turn", "until", "soon"),
)


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
            now = self._clock.now()
            plan = Plan(
                now=now,
                vault=self._vault,
                ids=self._ids,
                caps=self._caps,
                slots=slots,
                known=await self._known_events(connection, batch),
                limits=await self._limits(connection, batch, now),
            )
            await read_waiting(connection, slots, batch, now)
            receipts = plan.receipts(batch)
            await _store(connection, plan)
        self._waiting.accepted(plan.limits.waiting)
        return receipts

    async def _limits(self, connection: Transaction, batch: Sequence[Acceptance], now: datetime) -> Limits:
        return Limits(
            caps=self._caps,
            waiting=await self._waiting.count(connection, len(batch)),
            persons=await persons_waiting(connection, batch, self._caps),
            quotas=await quotas_of(connection, batch, self._caps, now),
        )

    async def _slots(self, connection: Transaction, batch: Sequence[Acceptance]) -> dict[Key, ChatSlot]:
        """Find or make the batch's chats, locked so that nothing else takes their next `ord`."""
        wanted = {conversation_of(acceptance.inbound): acceptance for acceptance in batch}
        slots = await _find_chats(connection, wanted)
        missing = {key: self._chat_row(wanted[key]) for key in sorted(wanted.keys() - slots.keys())}
        if connection.dialect.name == "sqlite":
            # The file's write lock covers every chat: what is missing nobody else can add, and it can wait
            # until its last `ord` is known.
            return slots | {key: _new_slot(row) for key, row in missing.items()}
        # Chats are made before any is locked, and locked in one order: no two batches wait for each other.
        if missing:
            await connection.execute(_ADD_MISSING_CHATS, list(missing.values()))
        return await _find_chats(connection, wanted, lock=True)

    async def _known_events(self, connection: Transaction, batch: Sequence[Acceptance]) -> dict[Key, str]:
        known: dict[Key, str] = {}
        for adapter, account, names in _by_account(event_of(acceptance.inbound) for acceptance in batch):
            digests = {tombstone(self._vault, adapter, account, name): name for name in names}
            rows = await _KNOWN_EVENTS.rows(
                connection, adapter=adapter, account=account, events=names, digests=list(digests)
            )
            known |= {(adapter, account, digests.get(event, event)): turn_id for event, turn_id in rows}
        return known

    def _chat_row(self, acceptance: Acceptance) -> dict[str, Any]:
        inbound, now = acceptance.inbound, self._clock.now()
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
            "consent": acceptance.first_consent.value,
            "consent_at": now,
            "created_at": now,
        }


def _new_slot(row: dict[str, Any]) -> ChatSlot:
    return ChatSlot(
        id=row["id"], key=row["data_key"], last_ord=row["last_ord"], weight=row["weight"], row=row
    )


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
        rows = await query.rows(connection, adapter=adapter, account=account, conversations=names)
        for conversation, chat_id, data_key, last_ord, weight in rows:
            slot = ChatSlot(id=chat_id, key=data_key, last_ord=last_ord, weight=weight)
            found[adapter, account, conversation] = slot
    return found


async def _store(connection: Transaction, plan: Plan) -> None:
    slots = plan.slots.values()
    made = [slot.row | {"last_ord": slot.last_ord} for slot in slots if slot.row and slot.touched]
    if made:
        await connection.execute(_ADD_CHATS, made)
    lifted = [(slot.id, slot.last_ord, slot.weight) for slot in slots if slot.touched and not slot.row]
    await _LIFT.run(connection, lifted)
    await _ADD_TURNS.run(connection, plan.turns)
    await _ADD_INBOUNDS.run(connection, plan.inbounds)
    if plan.held_back:
        soon = plan.now - _HOLD_BACK_AGE
        held_back = [(turn_id, until, soon) for turn_id, until in plan.held_back.items()]
        await _HOLD_BACK.run(connection, held_back)
    if plan.shed:
        episodes = await episodes_of(connection, plan.shed, plan.now, plan.caps.episode_s)
        plan.tell(episodes)
        await store_episodes(connection, episodes)
    if plan.notices:
        await connection.execute(ADD_NOTICES, plan.notices)
    await store_uses(connection, plan.limits.quotas)
