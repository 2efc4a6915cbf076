"""Dead letters as rows: which of them are meant, and reading them."""

from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, TextClause, and_, or_, select

from bot.turns.dead_letters import DeadLetter, TrailEntry, TrailEvent, Which
from bot.turns.journal.rows import ON_THE_LIST, dead_letters
from bot.turns.model import TurnState

_Word = TypeVar("_Word", bound=StrEnum)


def matches(which: Which) -> list[ColumnElement[bool] | TextClause]:
    """Say in SQL which letters are meant; always only such as are on the list."""
    wanted = {
        dead_letters.c.adapter: which.adapter,
        dead_letters.c.reason: which.reason,
        dead_letters.c.chat_id: which.chat_id,
    }
    conditions: list[ColumnElement[bool] | TextClause] = [ON_THE_LIST]
    conditions += [column == value for column, value in wanted.items() if value is not None]
    if which.turn_ids:
        conditions.append(dead_letters.c.turn_id.in_(which.turn_ids))
    if which.died_before is not None:
        conditions.append(dead_letters.c.died_at < which.died_before)
    return conditions


def page_of(which: Which, behind: DeadLetter | None) -> Select[Any]:
    """Select the letters that are meant, oldest death first, from behind one on."""
    query = select(dead_letters).where(*matches(which))
    if behind is not None:
        died_at, turn_id = dead_letters.c.died_at, dead_letters.c.turn_id
        later = and_(died_at == behind.died_at, turn_id > behind.turn_id)
        query = query.where(or_(died_at > behind.died_at, later))
    return query.order_by(dead_letters.c.died_at, dead_letters.c.turn_id)


def letter_from(row: Row[Any]) -> DeadLetter:
    """Read a row of `dead_letters`."""
    return DeadLetter(
        turn_id=row.turn_id,
        chat_id=row.chat_id,
        adapter=row.adapter,
        reason=row.reason,
        error=row.error,
        state=TurnState(row.state),
        attempts=row.attempts,
        token=row.token,
        accepted_at=row.accepted_at,
        died_at=row.died_at,
        requeues=row.requeues,
        requeued_at=row.requeued_at,
        discarded_at=row.discarded_at,
    )


def _word(words: type[_Word], word: str) -> _Word | str:
    """Read a word of the trail; one of a newer version stands for itself."""
    try:
        return words(word)
    except ValueError:
        return word


def entry_from(row: Row[Any]) -> TrailEntry:
    """Read a row of `trail`."""
    return TrailEntry(
        event=_word(TrailEvent, row.event),
        state=_word(TurnState, row.state),
        attempts=row.attempts,
        counted=row.counted,
        token=row.token,
        error=row.error,
        times=row.times,
        first_at=row.first_at,
        last_at=row.last_at,
    )
