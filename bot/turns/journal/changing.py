"""Changing: what people do to a mention after they wrote it, while it has no answer yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update

from adapters.base import Withdrawn
from bot.store.transaction import Transaction
from bot.turns.acceptance import Acceptance
from bot.turns.journal.cancel import Cancelling
from bot.turns.journal.rows import ADD_NOTICES, WAITS, chats, inbounds, turns
from bot.turns.journal.sealed import seal_nothing, seal_said
from bot.turns.model import Skill, TurnState

_FIND = (
    select(
        inbounds.c.id,
        turns.c.id.label("turn_id"),
        turns.c.chat_id,
        turns.c.accepted_at,
        chats.c.data_key,
        chats.c.weight,
    )
    .select_from(chats)
    .join(turns, turns.c.chat_id == chats.c.id)
    .join(inbounds, inbounds.c.turn_id == turns.c.id)
    .where(
        chats.c.adapter == bindparam("adapter"),
        chats.c.account == bindparam("account"),
        chats.c.conversation == bindparam("conversation"),
        WAITS,
        inbounds.c.message == bindparam("message"),
        ~inbounds.c.withdrawn,
    )
    .order_by(turns.c.ord)
)
# Whoever forgets locks the chat, gives it another key and moves everything to that: what is written here must be
# sealed by the key that stands. It keeps nobody else who changes the chat waiting.
_FIND_FOR_GOOD = _FIND.with_for_update(read=True, key_share=True, of=chats)
_TURN_WAITS = (
    turns.c.id == bindparam("turn"),
    turns.c.state == TurnState.WAITING.value,
    ~turns.c.cancel_requested,
)
# The claim updates the same row: either it sees what changed here, or this finds the turn held.
_HOLD = update(turns).where(*_TURN_WAITS).values(state=TurnState.WAITING.value)
_HOLD_UNHELD = update(turns).where(*_TURN_WAITS, ~turns.c.held).values(state=TurnState.WAITING.value)
_ASK_FOR = update(turns).where(turns.c.id == bindparam("turn"))
_LIVE_MESSAGES = (
    select(func.count())
    .select_from(inbounds)
    .where(inbounds.c.turn_id == bindparam("turn"), ~inbounds.c.withdrawn)
)
_SAY = update(inbounds).where(inbounds.c.id == bindparam("inbound"))
_END = (
    update(turns)
    .where(*_TURN_WAITS, ~turns.c.held)
    .values(state=TurnState.CANCELLED.value)
    .returning(turns.c.id, turns.c.adapter, turns.c.sends_from, turns.c.placeholder)
)
_ASK_TO_CANCEL = update(turns).where(*_TURN_WAITS).values(cancel_requested=True)


class Change(StrEnum):
    """What became of a wish to change a mention."""

    #: No turn that waits has this message: it was answered, or never addressed anybody.
    UNKNOWN = "unknown"
    #: Too late: a worker has its turn.
    LEFT = "left"
    #: The turn goes on without what was there before.
    CHANGED = "changed"
    #: The turn is over.
    CANCELLED = "cancelled"
    #: A worker has the turn and is asked to end it.
    CANCELLING = "cancelling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of a wish, and of which turn."""

    change: Change
    turn_id: str | None = None
    chat_id: str | None = None
    weight: float = 1.0
    #: Seconds since the turn was accepted.
    waited_s: float = 0.0


UNKNOWN = Changed(change=Change.UNKNOWN)


class Changing(Cancelling):
    """What intake asks of the journal when people change their minds. All raise `StoreUnavailable`."""

    async def amend(self, edited: Acceptance) -> Changed:
        """Give a mention that nobody has in hand another text. Safe to repeat.

        One that addresses nobody any more (`is_rest`) stays a part of its turn, and is taken back if it is alone there.
        """
        inbound = edited.inbound
        where = (inbound.adapter, inbound.account, inbound.conversation.ref, inbound.message)
        found = UNKNOWN
        if not await self._is_waiting(where):
            return found
        async with self._database.write() as connection:
            for row in await _find(connection, *where, for_good=True):
                found = self._outcome(row, await self._amended(connection, row, edited))
        return found

    async def withdraw(self, event: Withdrawn) -> Changed:
        """Cancel the turn of a message that was taken back; of several messages only that one goes. Safe to repeat."""
        where = (event.adapter, event.account, event.conversation, event.message)
        found = UNKNOWN
        if not await self._is_waiting(where):
            return found
        async with self._database.write() as connection:
            for row in await _find(connection, *where, for_good=True):
                found = self._outcome(row, await self._take_back(connection, row))
        return found

    async def _is_waiting(self, where: tuple[str, str, str, str]) -> bool:
        """Look without locking anything: most of what people edit and take back never was a mention."""
        async with self._database.read() as connection:
            return bool(await _find(connection, *where))

    async def _amended(self, connection: Transaction, row: Row[Any], edited: Acceptance) -> Change:
        if edited.is_rest and await _is_alone(connection, row.turn_id):
            return await self._take_back(connection, row)
        return Change.CHANGED if await self._reword(connection, row, edited) else Change.LEFT

    async def _reword(self, connection: Transaction, row: Row[Any], edited: Acceptance) -> bool:
        turn = {"turn": row.turn_id}
        if not (await connection.execute(_HOLD_UNHELD, turn)).rowcount:
            return False
        if await _is_alone(connection, row.turn_id):
            await connection.execute(_ASK_FOR, {**turn, "skill": edited.skill.value})
        elif edited.skill is not Skill.ANSWER:
            return False
        sealed = seal_said(
            self._vault, row.data_key, row.chat_id, row.id, inbound=edited.inbound, said=edited.text
        )
        await connection.execute(_SAY, {"inbound": row.id, "said_sealed": sealed})
        return True

    async def _take_back(self, connection: Transaction, row: Row[Any]) -> Change:
        turn = {"turn": row.turn_id}
        if not (await connection.execute(_HOLD, turn)).rowcount:
            return Change.LEFT
        if not await _is_alone(connection, row.turn_id):
            await self._forget_said(connection, row)
            return Change.CHANGED
        ended = await connection.execute(_END, {**turn, "finished_at": self._clock.now()})
        if (over := ended.one_or_none()) is not None:
            await self._forget_said(connection, row)
            if over.placeholder is not None:
                # Where nothing is seen of it, nobody needs a word either.
                await connection.execute(ADD_NOTICES, [self._stopped(row.chat_id, over, None)])
            return Change.CANCELLED
        await connection.execute(_ASK_TO_CANCEL, turn)
        # Not marked as withdrawn: whoever takes the turn over still needs to know which message it is about.
        await connection.execute(_SAY, {"inbound": row.id, "said_sealed": self._nothing(row)})
        return Change.CANCELLING

    def _outcome(self, row: Row[Any], change: Change) -> Changed:
        return Changed(
            change=change,
            turn_id=row.turn_id,
            chat_id=row.chat_id,
            weight=row.weight,
            waited_s=(self._clock.now() - row.accepted_at).total_seconds(),
        )

    async def _forget_said(self, connection: Transaction, row: Row[Any]) -> None:
        """Keep that the event came, so that it makes no turn when it comes again, and nothing of what it said."""
        await connection.execute(
            _SAY, {"inbound": row.id, "withdrawn": True, "said_sealed": self._nothing(row)}
        )

    def _nothing(self, row: Row[Any]) -> bytes:
        return seal_nothing(self._vault, row.data_key, row.chat_id, row.id)


async def _is_alone(connection: Transaction, turn_id: str) -> bool:
    """Tell whether a turn has one message only, or none."""
    return bool((await connection.execute(_LIVE_MESSAGES, {"turn": turn_id})).scalar_one() <= 1)


async def _find(
    connection: Transaction,
    adapter: str,
    account: str,
    conversation: str,
    message: str,
    *,
    for_good: bool = False,
) -> Sequence[Row[Any]]:
    """Find a message among those that wait; a message that was asked again may be there twice."""
    where = {"adapter": adapter, "account": account, "conversation": conversation, "message": message}
    return (await connection.execute(_FIND_FOR_GOOD if for_good else _FIND, where)).all()
