"""Reading: chats, what they remember, what is unfinished, and how much of everything there is."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, String, bindparam, case, func, literal_column, select, union_all

from bot.turns.journal.base import JournalBase, in_states
from bot.turns.journal.owed import MOST_COUNTED, TurnCounts, UnfinishedChat
from bot.turns.journal.rows import (
    CHAT_COLUMNS,
    FINISHED,
    FOR_WORKERS,
    HELD,
    ON_THE_LIST,
    OPEN,
    UNFINISHED,
    chat_from,
    chats,
    dead_letters,
    turns,
)
from bot.turns.journal.sealed import prompt_place, reply_place
from bot.turns.model import Chat, Exchange, TurnState

#: A turn whose reply stands, or will stand, in the chat.
_ANSWERED = (TurnState.REPLIED, TurnState.SENDING, TurnState.SENT)
_WAITING = TurnState.WAITING.value
_CHAT = select(*CHAT_COLUMNS).where(
    chats.c.adapter == bindparam("adapter"),
    chats.c.account == bindparam("account"),
    chats.c.conversation == bindparam("conversation"),
)
_CONTEXT_STATE = select(chats.c.context_version, chats.c.context_from).where(chats.c.id == bindparam("chat"))
_EXCHANGES = (
    select(
        turns.c.id,
        turns.c.ord,
        turns.c.prompt_sealed,
        turns.c.reply_sealed,
        (turns.c.prompt_tokens + turns.c.output_tokens).label("tokens"),
    )
    .where(turns.c.chat_id == bindparam("chat"), turns.c.ord >= bindparam("begin"))
    .where(turns.c.ord < bindparam("before"), turns.c.prompt_sealed.is_not(None), in_states(_ANSWERED))
    .order_by(turns.c.ord.desc())
    .limit(bindparam("most"))
)


def _ended(state: TurnState) -> Select[str, int]:
    """Count the turns that ended in a state, up to a bound."""
    name = literal_column(f"'{state.value}'", String())
    some = select(turns.c.state).where(FINISHED, turns.c.state == name).limit(MOST_COUNTED).subquery()
    return select(name.label("state"), func.count().label("many")).select_from(some)


def _dead() -> Select[str, int]:
    """Count the dead letters on the operators' list, up to the same bound."""
    some = select(dead_letters.c.turn_id).where(ON_THE_LIST).limit(MOST_COUNTED).subquery()
    name = literal_column(f"'{TurnState.DEAD.value}'", String())
    return select(name.label("state"), func.count().label("many")).select_from(some)


_ENDED = union_all(
    *(_ended(state) for state in (TurnState.SENT, TurnState.REFUSED, TurnState.CANCELLED)), _dead()
)


class Reading(JournalBase):
    """Questions to the record; none of them changes anything. All raise `StoreUnavailable`."""

    async def chat_by_conversation(self, adapter: str, account: str, conversation: str) -> Chat | None:
        """Find a chat by where it is; None where the assistant was never addressed."""
        where = {"adapter": adapter, "account": account, "conversation": conversation}
        async with self._database.read() as connection:
            row = (await connection.execute(_CHAT, where)).one_or_none()
        return chat_from(row) if row else None

    async def context_state(self, chat_id: str) -> tuple[int, int]:
        """Read a chat's context version and the `ord` from which on it remembers. Raises `LookupError`."""
        async with self._database.read() as connection:
            row = (await connection.execute(_CONTEXT_STATE, {"chat": chat_id})).one_or_none()
        if row is None:
            raise LookupError(f"there is no chat {chat_id}")
        return row.context_version, row.context_from

    async def exchanges(self, chat: Chat, before_ord: int, *, limit: int = 500) -> list[Exchange]:
        """Read what a chat remembers, oldest first: the newest `limit` exchanges before an `ord`.

        Raises `VaultError`, which names the row.
        """
        asked = {"chat": chat.id, "begin": chat.context_from, "before": before_ord, "most": limit}
        async with self._database.read() as connection:
            rows = list(await connection.execute(_EXCHANGES, asked))
        return [self._exchange(chat, row) for row in reversed(rows)]

    async def unfinished(
        self, *, min_age_s: float = 0.0, only_unclaimed: bool = False, limit: int = 500, after: str = ""
    ) -> list[UnfinishedChat]:
        """Read chats with a turn that a worker must handle, by id, from behind `after` on.

        `min_age_s` counts from the turn's acceptance; `only_unclaimed` leaves out what anybody ever claimed.
        """
        query = _unfinished_chats(after, limit)
        if only_unclaimed:
            query = query.where(turns.c.fence.is_(None))
        if min_age_s > 0:
            query = query.where(turns.c.accepted_at <= self._clock.now() - timedelta(seconds=min_age_s))
        found = query.subquery()
        whole = (
            select(chats.c.id, chats.c.weight, chats.c.held)
            .join(found, found.c.chat_id == chats.c.id)
            .order_by(chats.c.id)
        )
        async with self._database.survey() as connection:
            rows = list(await connection.execute(whole))
        return [UnfinishedChat(chat_id=row.id, weight=row.weight, held=row.held) for row in rows]

    async def held_chats(self) -> list[str]:
        """Read the chats that an operator holds."""
        async with self._database.survey() as connection:
            return list((await connection.execute(select(chats.c.id).where(HELD))).scalars())

    async def counts(self) -> TurnCounts:
        """Count the turns by what operators ask; the ended ones up to a bound."""
        waits = turns.c.state == _WAITING
        open_turns = select(
            func.count(case((waits, 1))).label("waiting"),
            func.count(case((waits & turns.c.held, 1))).label("running"),
            func.count(case((~waits, 1))).label("unsent"),
            func.min(case((waits, turns.c.accepted_at))).label("oldest"),
        ).where(OPEN)
        async with self._database.survey() as connection:
            now_open = (await connection.execute(open_turns)).one()
            by_state = {row.state: row.many for row in await connection.execute(_ENDED)}
        return TurnCounts(
            waiting=now_open.waiting,
            running=now_open.running,
            oldest_waiting_s=self._age_s(now_open.oldest),
            unsent=now_open.unsent,
            done=by_state.get(TurnState.SENT.value, 0),
            dead=by_state.get(TurnState.DEAD.value, 0),
            refused=by_state.get(TurnState.REFUSED.value, 0),
            cancelled=by_state.get(TurnState.CANCELLED.value, 0),
        )

    def _age_s(self, since: datetime | None) -> float:
        return max(0.0, (self._clock.now() - since).total_seconds()) if since else 0.0

    def _exchange(self, chat: Chat, row: Row[Any]) -> Exchange:
        return Exchange(
            ord=row.ord,
            prompt=self._vault.open(chat.key, row.prompt_sealed, prompt_place(chat.id, row.id)),
            reply=self._vault.open(chat.key, row.reply_sealed, reply_place(chat.id, row.id)),
            tokens=row.tokens,
        )


def _unfinished_chats(after: str, limit: int) -> Select[Any]:
    return (
        select(turns.c.chat_id)
        .distinct()
        .where(turns.c.chat_id > after, UNFINISHED, FOR_WORKERS)
        .order_by(turns.c.chat_id)
        .limit(limit)
    )
