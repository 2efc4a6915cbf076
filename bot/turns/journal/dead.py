"""Dead letters, as operators see and handle them. No vault is here: nothing that people wrote can be opened."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, String, and_, bindparam, case, delete, func, select, update

from bot.clock import Clock
from bot.store.database import Database
from bot.store.transaction import Transaction
from bot.turns.dead_letters import DeadLetter, LetterDetails, LetterParts, Requeued, TrailEvent, Which
from bot.turns.journal.letters import entry_from, letter_from, matches, page_of
from bot.turns.journal.reply import CHANGE_CONTEXT
from bot.turns.journal.rows import (
    ON_THE_LIST,
    chats,
    dead_letters,
    inbounds,
    notices,
    reply_parts,
    trail,
    turns,
)
from bot.turns.journal.trail import Happened, note
from bot.turns.model import NoticeState, TurnState

_LETTER, _CHAT = bindparam("letter", type_=String()), bindparam("chat", type_=String())
# A chat's row is locked before anything else of it, as accepting and giving up do.
_LOCK_CHAT = select(chats.c.weight).where(chats.c.id == _CHAT).with_for_update()
_THIS_DEATH = (
    select(turns.c.state, turns.c.attempts)
    .join(dead_letters, dead_letters.c.turn_id == turns.c.id)
    .where(turns.c.id == _LETTER, turns.c.state == TurnState.DEAD.value)
    .where(dead_letters.c.requeues == bindparam("seen_requeues"), ON_THE_LIST)
    .with_for_update()
)
_TAKE_OFF = update(dead_letters).where(dead_letters.c.turn_id == _LETTER)
_REQUEUE = _TAKE_OFF.values(requeues=dead_letters.c.requeues + 1)
# What was stored is sent, never generated again; the worker finds its parts as they were left.
_REVIVE = (
    update(turns)
    .where(turns.c.id == _LETTER)
    .values(
        state=case((turns.c.reply_sealed.is_(None), TurnState.WAITING.value), else_=TurnState.REPLIED.value),
        # Whoever gave it up can no longer change it, as if another worker had claimed it.
        fence=turns.c.fence + 1,
        attempts=0,
        held=False,
        cancel_requested=False,
        restate=False,
        not_before=None,
        finished_at=None,
    )
    .returning(turns.c.state)
)
_NOTICE_UNDER_WAY = (
    select(notices.c.id)
    .where(notices.c.turn_id == _LETTER, notices.c.state == NoticeState.SENDING.value)
    .where(notices.c.claimed_until > bindparam("now"))
    .with_for_update()
)
_DROP_NOTICE = delete(notices).where(notices.c.turn_id == _LETTER)
_NOW_STANDS = select(turns.c.state, turns.c.placeholder).where(turns.c.id == _LETTER)
_MESSAGES = select(func.count()).select_from(inbounds).where(inbounds.c.turn_id == _LETTER)
_IN_DOUBT = and_(reply_parts.c.started_at.is_not(None), reply_parts.c.message.is_(None))
_PARTS = select(
    func.count().label("stored"),
    func.count(reply_parts.c.message).label("sent"),
    func.count(case((_IN_DOUBT, 1))).label("in_doubt"),
).where(reply_parts.c.turn_id == _LETTER)
_NOTICE_STATE = select(notices.c.state).where(notices.c.turn_id == _LETTER)
_TRAIL = select(trail).where(trail.c.turn_id == _LETTER).order_by(trail.c.id)
_ONE = select(dead_letters).where(dead_letters.c.turn_id == _LETTER)


class DeadLetters:
    """The turns that were given up. Every call raises `StoreUnavailable`; every change is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def count(self, which: Which) -> int:
        """Count the letters on the list that match."""
        query = select(func.count()).select_from(dead_letters).where(*matches(which))
        async with self._database.survey() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def listed(
        self, which: Which, *, limit: int = 100, behind: DeadLetter | None = None
    ) -> list[DeadLetter]:
        """Read the letters on the list that match, oldest death first, from behind one on."""
        query = page_of(which, behind).limit(limit)
        async with self._database.survey() as connection:
            return [letter_from(row) for row in await connection.execute(query)]

    async def details(self, turn_id: str) -> LetterDetails | None:
        """Read everything about one letter, also one that left the list; None where that turn never died."""
        this = {"letter": turn_id}
        async with self._database.read() as connection:
            row = (await connection.execute(_ONE, this)).one_or_none()
            if row is None:
                return None
            turn = (await connection.execute(_NOW_STANDS, this)).one()
            parts = (await connection.execute(_PARTS, this)).one()
            entries = (await connection.execute(_TRAIL, this)).all()
            messages = (await connection.execute(_MESSAGES, this)).scalar_one()
            notice = (await connection.execute(_NOTICE_STATE, this)).scalar_one_or_none()
        return LetterDetails(
            letter=letter_from(row),
            state_now=TurnState(turn.state),
            messages=messages,
            parts=LetterParts(stored=parts.stored, sent=parts.sent, in_doubt=parts.in_doubt),
            has_placeholder=turn.placeholder is not None,
            notice=notice,
            trail=tuple(entry_from(entry) for entry in entries),
        )

    async def requeue(self, letter: DeadLetter, *, deadline_s: float) -> Requeued:
        """Have a turn tried once more, with all its attempts and a new deadline; put its chat afterwards.

        Only the death that was read is requeued: pressed twice, or from two places, the turn runs once.
        """
        now, this = self._clock.now(), {"letter": letter.turn_id}
        async with self._database.write() as connection:
            if await self._stands(connection, letter) is None:
                return Requeued.CHANGED
            if (await connection.execute(_NOTICE_UNDER_WAY, {**this, "now": now})).first():
                return Requeued.BUSY
            # What the notice said no longer holds; should the turn die again, it gets another one.
            await connection.execute(_DROP_NOTICE, this)
            await connection.execute(_REQUEUE, {**this, "requeued_at": now})
            deadline_at = now + timedelta(seconds=deadline_s)
            state = (await connection.execute(_REVIVE, {**this, "deadline_at": deadline_at})).scalar_one()
            if state != TurnState.WAITING.value:
                # A stored reply comes back into the context.
                await connection.execute(CHANGE_CONTEXT, {"chat": letter.chat_id})
            await self._note(connection, letter, TrailEvent.REQUEUED, state=state, attempts=0)
        return Requeued.DONE

    async def discard(self, letter: DeadLetter) -> bool:
        """Take a letter off the list; its turn stays dead. False when it is no longer as it was read."""
        async with self._database.write() as connection:
            row = await self._stands(connection, letter)
            if row is None:
                return False
            discarded = {"letter": letter.turn_id, "discarded_at": self._clock.now()}
            await connection.execute(_TAKE_OFF, discarded)
            await self._note(connection, letter, TrailEvent.DISCARDED, state=row.state, attempts=row.attempts)
        return True

    async def weights(self, chat_ids: Iterable[str]) -> dict[str, float]:
        """Read the chats' shares of the schedule, to put them by."""
        async with self._database.read() as connection:
            wanted = select(chats.c.id, chats.c.weight).where(chats.c.id.in_(sorted(set(chat_ids))))
            return {row.id: row.weight for row in await connection.execute(wanted)}

    async def _stands(self, connection: Transaction, letter: DeadLetter) -> Row[Any] | None:
        """Lock a letter's chat and turn, and tell whether it is still the death that was read."""
        await connection.execute(_LOCK_CHAT, {"chat": letter.chat_id})
        seen = {"letter": letter.turn_id, "seen_requeues": letter.requeues}
        return (await connection.execute(_THIS_DEATH, seen)).one_or_none()

    async def _note(
        self, connection: Transaction, letter: DeadLetter, event: TrailEvent, *, state: str, attempts: int
    ) -> None:
        happened = Happened(turn_id=letter.turn_id, event=event, state=state, attempts=attempts)
        await note(connection, self._clock.now(), happened)
