"""Pressing: which turn a message of ours belongs to, and what can be done with it by a button."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, bindparam, exists, or_, select, update

from adapters.base import Pressed
from bot.store.transaction import Transaction
from bot.turns.journal.cancel import Cancelling
from bot.turns.journal.owed import Cancelled
from bot.turns.journal.rows import (
    ADD_NOTICES,
    CHAT_COLUMNS,
    OPEN,
    UNFINISHED,
    WAITS,
    chat_from,
    chats,
    inbounds,
    known,
    reply_parts,
    reply_to_of,
    turns,
)
from bot.turns.journal.sealed import open_said
from bot.turns.model import Chat, Said, Skill, TurnState

_CHAT, _MESSAGE = bindparam("chat", type_=String()), bindparam("message", type_=String())
_FIND_CHAT = select(*CHAT_COLUMNS).where(
    chats.c.adapter == bindparam("adapter"),
    chats.c.account == bindparam("account"),
    chats.c.conversation == bindparam("conversation"),
)
_ASKED = (turns.c.id, turns.c.sender_id, turns.c.skill, turns.c.state)
_BY_PART = (
    select(*_ASKED)
    .join(reply_parts, reply_parts.c.turn_id == turns.c.id)
    .where(reply_parts.c.message == _MESSAGE, turns.c.chat_id == _CHAT)
    .order_by(turns.c.ord.desc())
    .limit(1)
)
# Before its first part was sent a turn is known by its placeholder; such turns are few.
_BY_PLACEHOLDER = (
    select(*_ASKED)
    .where(turns.c.chat_id == _CHAT, UNFINISHED, turns.c.placeholder == _MESSAGE)
    .order_by(turns.c.ord.desc())
    .limit(1)
)
# Of these a message may be seen already whose reference is still on its way to the record.
_MAY_BE_POSTING = select(
    exists().where(
        turns.c.chat_id == chats.c.id,
        chats.c.adapter == bindparam("adapter"),
        chats.c.account == bindparam("account"),
        chats.c.conversation == bindparam("conversation"),
        OPEN,
        or_(turns.c.placeholder.is_(None), turns.c.state == TurnState.SENDING.value),
    )
)
_SAID = (
    select(inbounds.c.id.label("inbound_id"), inbounds.c.message, inbounds.c.said_sealed)
    .where(inbounds.c.turn_id == bindparam("turn", type_=String()), ~inbounds.c.withdrawn)
    .order_by(inbounds.c.id)
)
_AGAIN_ALREADY = select(
    exists().where(
        turns.c.chat_id == _CHAT,
        # People press under what they see: its own turn may be a moment away from being recorded as sent.
        or_(turns.c.id != bindparam("turn", type_=String()), turns.c.state == TurnState.WAITING.value),
        UNFINISHED,
        inbounds.c.turn_id == turns.c.id,
        inbounds.c.message == _MESSAGE,
    )
)
_THIS_WAITS = (turns.c.id == bindparam("turn", type_=String()), WAITS)
_ASK = update(turns).where(*_THIS_WAITS).values(cancel_requested=True).returning(turns.c.held)
_END = (
    update(turns)
    .where(*_THIS_WAITS, ~turns.c.held)
    .values(state=TurnState.CANCELLED.value, restate=False)
    .returning(turns.c.id, turns.c.adapter, turns.c.sends_from, turns.c.accepted_at)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The turn under whose reply a button was pressed."""

    turn_id: str
    chat: Chat
    #: Who asked, by the platform's id.
    sender_id: str
    skill: Skill
    state: TurnState


class Pressing(Cancelling):
    """What intake asks of the journal when somebody presses a button. All raise `StoreUnavailable`."""

    async def asked_under(self, event: Pressed) -> Asked | None:
        """Find the turn that a message of ours belongs to; None where the record does not know it any more.

        Raises `WrittenByNewer`.
        """
        where = _where(event)
        async with self._database.read() as connection:
            chat = (await connection.execute(_FIND_CHAT, where)).one_or_none()
            if chat is None:
                return None
            this = {"chat": chat.of_chat_id, "message": event.message}
            row = (await connection.execute(_BY_PART, this)).one_or_none()
            row = row or (await connection.execute(_BY_PLACEHOLDER, this)).one_or_none()
        if row is None:
            return None
        return Asked(
            turn_id=row.id,
            chat=chat_from(chat),
            sender_id=row.sender_id,
            skill=known(Skill, row.skill),
            state=known(TurnState, row.state),
        )

    async def may_be_posting(self, event: Pressed) -> bool:
        """Tell whether people may see a message of a turn of that chat which the record does not know yet."""
        async with self._database.read() as connection:
            return bool((await connection.execute(_MAY_BE_POSTING, _where(event))).scalar_one())

    async def said_in(self, asked: Asked) -> tuple[Said, ...]:
        """Read what was said in a turn; empty where it was forgotten. Raises `VaultError` and `WrittenByNewer`."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_SAID, {"turn": asked.turn_id})).all()
        return tuple(open_said(self._vault, asked.chat, row) for row in rows)

    async def is_asked_again(self, asked: Asked, message: str) -> bool:
        """Tell whether this message waits for an answer: of another turn of the chat, or still of this one."""
        async with self._database.read() as connection:
            this = {"chat": asked.chat.id, "turn": asked.turn_id, "message": message}
            return bool((await connection.execute(_AGAIN_ALREADY, this)).scalar_one())

    async def request_cancel_of(self, chat_id: str, turn_id: str) -> Cancelled:
        """End one turn that waits, or ask whoever holds it to; nothing where its reply stands. Safe to repeat."""
        now, this = self._clock.now(), {"turn": turn_id}
        async with self._database.write() as connection:
            asked = (await connection.execute(_ASK, this)).one_or_none()
            if asked is None:
                return Cancelled(asked=(), ended=())
            if asked.held:
                return Cancelled(asked=(turn_id,), ended=())
            row = (await connection.execute(_END, {**this, "finished_at": now})).one()
            await self._say_stopped(connection, chat_id, row)
        return Cancelled(asked=(), ended=((turn_id, (now - row.accepted_at).total_seconds()),))

    async def _say_stopped(self, connection: Transaction, chat_id: str, row: Any) -> None:
        said = self._stopped(chat_id, row, await reply_to_of(connection, row.id))
        await connection.execute(ADD_NOTICES, [said])


def _where(event: Pressed) -> dict[str, str]:
    return {"adapter": event.adapter, "account": event.account, "conversation": event.conversation}
