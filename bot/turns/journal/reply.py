"""Replying: the stored final text, and what is known of the sending of each of its parts."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Update, bindparam, insert, update
from sqlalchemy.exc import NoResultFound

from bot.errors import Fenced
from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase, fenced, fenced_row, fenced_update
from bot.turns.journal.consenting import settle_consent
from bot.turns.journal.remembering import settle_memories
from bot.turns.journal.rows import chats, reply_parts, turns
from bot.turns.journal.sealed import part_op_id, part_place, prompt_place, reply_place
from bot.turns.journal.summaries import cut_context, reset_context
from bot.turns.model import UNFINISHED, Chat, Part, Reply, Turn, TurnState

#: The final text is stored and not all of it is known to have arrived.
STORED = (TurnState.REPLIED, TurnState.SENDING)

#: Counts a change of the chat's memory.
CHANGE_CONTEXT = (
    update(chats)
    .where(chats.c.id == bindparam("chat"))
    .values(context_version=chats.c.context_version + 1)
    .returning(chats.c.context_version, chats.c.context_from)
)
_FROM_UNFINISHED = fenced_update(UNFINISHED)
_FROM_STORED = fenced_update(STORED)
_STORE = fenced_update((TurnState.WAITING,)).returning(turns.c.placeholder)
_ADD_PARTS = insert(reply_parts)
_CHANGE_PART = update(reply_parts).where(
    reply_parts.c.turn_id == bindparam("turn"), reply_parts.c.number == bindparam("part")
)
_DOUBT_PART = _CHANGE_PART.values(resent_in_doubt=reply_parts.c.resent_in_doubt + 1)


class Replying(JournalBase):
    """What a worker writes down between a claim and the last part."""

    async def placeholder_posted(self, turn: Turn, message: str) -> None:
        """Keep the placeholder's message at once, so that whoever goes on edits it. Raises `Fenced`."""
        await self._update_fenced(_FROM_UNFINISHED, turn, placeholder=message)

    async def placeholder_left(self, turn: Turn, until: datetime) -> None:
        """Have nobody post a placeholder before an instant, as one may stand already. Raises `Fenced`."""
        await self._update_fenced(_FROM_UNFINISHED, turn, sign_until=until)

    async def store_reply(self, turn: Turn, reply: Reply) -> Turn:
        """Store the final text and its parts before any of it is sent; it never changes again.

        The returned turn is `replied`. Raises `Fenced`.
        """
        async with self._database.write() as connection:
            # The chat's row is locked before the turn's, as accepting does.
            try:
                chat = await _move_context(connection, turn, reply)
            except NoResultFound as exc:
                raise Fenced(f"turn {turn.id} is another chat's by now") from exc
            await settle_consent(connection, turn, reply, self._clock.now())
            stored = await fenced_row(connection, _STORE, turn, **self._reply_values(turn, reply))
            # Behind the fence: who lost the turn to somebody who stored the same must hear of that, and nothing else.
            await settle_memories(connection, self._vault, chat, reply.memories, self._clock.now())
            await connection.execute(_ADD_PARTS, self._part_rows(turn, reply))
        parts = tuple(
            Part(number=number, op_id=part_op_id(turn.id, number), text=text, in_doubt=False, message=None)
            for number, text in enumerate(reply.parts)
        )
        return replace(
            turn,
            chat=chat,
            state=TurnState.REPLIED,
            attempts=0,
            placeholder=stored.placeholder,
            reply=reply.text,
            parts=parts,
        )

    async def start_part(self, turn: Turn, number: int) -> None:
        """Write down that a part's send begins, before it does. Raises `Fenced`."""
        await self._update_part(turn, number, TurnState.SENDING, started_at=self._clock.now())

    async def part_sent(self, turn: Turn, number: int, message: str) -> None:
        """Write down that a part arrived: progress, so the next has all its attempts. Raises `Fenced`."""
        part = {"turn": turn.id, "part": number, "message": message, "sent_at": self._clock.now()}
        async with self._database.write() as connection:
            await fenced(connection, _FROM_STORED, turn, state=TurnState.SENDING.value, attempts=0)
            await _change(connection, _CHANGE_PART, turn, part)

    async def part_not_sent(self, turn: Turn, number: int) -> None:
        """Write down that a part's send is known not to have happened. Raises `Fenced`."""
        await self._update_part(turn, number, TurnState.REPLIED, started_at=None)

    async def part_resent_in_doubt(self, turn: Turn, number: int) -> None:
        """Count a send that may show a part twice. Raises `Fenced`."""
        await self._change_part(_DOUBT_PART, turn, number, TurnState.SENDING)

    async def _update_part(self, turn: Turn, number: int, state: TurnState, **values: Any) -> None:
        await self._change_part(_CHANGE_PART, turn, number, state, **values)

    async def _change_part(
        self, change: Update, turn: Turn, number: int, state: TurnState, **values: Any
    ) -> None:
        part = {"turn": turn.id, "part": number, **values}
        async with self._database.write() as connection:
            await fenced(connection, _FROM_STORED, turn, state=state.value)
            await _change(connection, change, turn, part)

    def _reply_values(self, turn: Turn, reply: Reply) -> dict[str, Any]:
        chat, prompt, spent = turn.chat, None, reply.spent
        if reply.prompt is not None:
            prompt = self._vault.seal(chat.key, reply.prompt, prompt_place(chat.id, turn.id))
        return {
            "state": TurnState.REPLIED.value,
            # A stored reply is progress: its sending has all its attempts before it.
            "attempts": 0,
            "prompt_sealed": prompt,
            "reply_sealed": self._vault.seal(chat.key, reply.text, reply_place(chat.id, turn.id)),
            "stopped": reply.stopped,
            "prompt_tokens": spent.prompt_tokens if spent else None,
            "cached_tokens": spent.cached_tokens if spent else None,
            "output_tokens": spent.output_tokens if spent else None,
            "first_token_at": reply.first_token_at,
            "replied_at": self._clock.now(),
        }

    def _part_rows(self, turn: Turn, reply: Reply) -> list[dict[str, Any]]:
        if not reply.parts:
            raise ValueError(f"the reply to turn {turn.id} has no part to send")
        return [self._part_row(turn, number, text) for number, text in enumerate(reply.parts)]

    def _part_row(self, turn: Turn, number: int, text: str) -> dict[str, Any]:
        op_id = part_op_id(turn.id, number)
        return {
            "turn_id": turn.id,
            "number": number,
            "op_id": op_id,
            "text_sealed": self._vault.seal(turn.chat.key, text, part_place(turn.chat.id, op_id)),
            "resent_in_doubt": 0,
        }


async def _change(connection: Transaction, change: Update, turn: Turn, part: dict[str, Any]) -> None:
    if (await connection.execute(change, part)).rowcount == 0:
        raise ValueError(f"turn {turn.id} has no part {part['part']}")


async def _move_context(connection: Transaction, turn: Turn, reply: Reply) -> Chat:
    """Count the change of the chat's memory, and begin it later where the reply resets or cuts it."""
    if reply.prompt is None and not reply.resets_context and reply.memories is None:
        return turn.chat
    if reply.resets_context:
        row = await reset_context(connection, turn)
    elif reply.context_from is not None:
        row = await cut_context(connection, turn, reply)
    else:
        row = (await connection.execute(CHANGE_CONTEXT, {"chat": turn.chat.id})).one()
    return replace(turn.chat, context_version=row.context_version, context_from=row.context_from)
