"""How much waits in a batch's chats, and which of the turns that wait one of its messages can join."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, exists, func, or_, select, text, update

from bot.store.prepared import Lookup, among
from bot.store.tables import UtcDateTime, sqlite_instant
from bot.store.transaction import Transaction
from bot.turns.acceptance import Acceptance
from bot.turns.journal.chat_slots import ChatSlot, Joinable, Key, conversation_of
from bot.turns.journal.rows import WAITS, inbounds, turns
from bot.turns.model import Skill, TurnState

_COUNT_BY_CHAT = Lookup(
    select(turns.c.chat_id, func.count(), func.min(turns.c.ord), func.max(turns.c.ord))
    .where(WAITS, among(turns.c.chat_id, "ids"))
    .group_by(turns.c.chat_id)
)
_LATER = turns.alias("later")
_BEHIND = (
    _LATER.c.chat_id == turns.c.chat_id,
    _LATER.c.ord > turns.c.ord,
    text("(later.state = 'waiting' OR later.state = 'replied' OR later.state = 'sending')"),
)
#: Refused turns keep nobody's order: what stands before them alone is still the newest.
_IS_NEWEST = ~exists().where(*_BEHIND).correlate(turns)
_IS_THEIR_NEWEST = ~exists().where(*_BEHIND, _LATER.c.sender_id == turns.c.sender_id).correlate(turns)
_IS_JOINABLE = and_(
    WAITS,
    among(turns.c.chat_id, "ids"),
    or_(_IS_NEWEST, and_(among(turns.c.sender_id, "with_rest"), _IS_THEIR_NEWEST)),
    turns.c.fence.is_(None),
    ~turns.c.cancel_requested,
    turns.c.skill == Skill.ANSWER.value,
)
_NOW = bindparam("now", type_=UtcDateTime())
_JOINABLE = (
    turns.c.id,
    turns.c.chat_id,
    turns.c.ord,
    turns.c.sender_id,
    (turns.c.not_before > _NOW).label("held_back"),
)
# On SQLite the file's write lock covers every row. Elsewhere the claim updates the same row: either it sees what
# joins here, or this finds its fence.
_FIND_JOINABLE = Lookup(
    select(*_JOINABLE).where(_IS_JOINABLE),
    elsewhere=update(turns).where(_IS_JOINABLE).values(state=TurnState.WAITING.value).returning(*_JOINABLE),
)
_COUNT_MESSAGES = Lookup(
    select(inbounds.c.turn_id, func.count())
    .where(among(inbounds.c.turn_id, "ids"))
    .group_by(inbounds.c.turn_id)
)


async def read_waiting(
    connection: Transaction, slots: dict[Key, ChatSlot], batch: Sequence[Acceptance], now: datetime
) -> None:
    """Tell the slots how much waits, and lock and tell the turns that can be joined."""
    by_id = {slot.id: slot for slot in slots.values() if slot.last_ord}
    if not by_id:
        return
    for chat_id, waiting, head_ord, tail_ord in await _COUNT_BY_CHAT.rows(connection, ids=list(by_id)):
        slot = by_id[chat_id]
        slot.waiting, slot.head_ord, slot.tail_ord = waiting, head_ord, tail_ord
    senders: dict[tuple[str, str], bool] = {}
    for acceptance in batch:
        if acceptance.skill is Skill.ANSWER and not acceptance.refusal:
            sender = slots[conversation_of(acceptance.inbound)].id, acceptance.inbound.sender.id
            senders[sender] = acceptance.is_rest or senders.get(sender, False)
    await _find_joinable(connection, by_id, senders, now)


async def _find_joinable(
    connection: Transaction, by_id: dict[str, ChatSlot], senders: dict[tuple[str, str], bool], now: datetime
) -> None:
    """Lock the turns that one of the senders can join, and tell them; True marks who sends the rest of something."""
    chat_ids = sorted({chat_id for chat_id, _ in senders if chat_id in by_id and by_id[chat_id].waiting})
    if not chat_ids:
        return
    # A lookup converts nothing: SQLite compares the texts of instants.
    instant = sqlite_instant(now) if connection.dialect.name == "sqlite" else now
    with_rest = [sender for (_, sender), has_rest in senders.items() if has_rest]
    rows = await _FIND_JOINABLE.rows(connection, ids=chat_ids, with_rest=with_rest, now=instant)
    found = {row[0]: row for row in rows if (row[1], row[3]) in senders}
    if not found:
        return
    for turn_id, messages in await _COUNT_MESSAGES.rows(connection, ids=list(found)):
        _, chat_id, ord_, sender_id, held_back = found[turn_id]
        slot = by_id[chat_id]
        slot.theirs[sender_id] = Joinable(
            turn_id=turn_id, sender_id=sender_id, messages=messages, held_back=bool(held_back)
        )
        if ord_ == slot.tail_ord:
            slot.newest = slot.theirs[sender_id]
