"""Any number of finished turns, written by the database itself: a record as years of use leave it.

Every turn has its message, and its reply in one part; a few were refused, cancelled or given up, and left a notice.
They are spread over chats, and long ago. Where sealed text would stand are a few empty bytes: nobody reads it; only
the chats have a key, so that they can be written in again.
"""

from dataclasses import dataclass

from sqlalchemy import text

from bot.store.database import Database

#: Rows of a table that one transaction adds.
_BATCH = 50_000
#: What became of number `n`.
_STATE = "CASE n % 100 WHEN 1 THEN 'refused' WHEN 2 THEN 'cancelled' WHEN 3 THEN 'dead' ELSE 'sent' END"
_HAS_NOTICE = "n % 100 IN (1, 2, 3)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What the two databases write differently."""

    #: A table `numbers` of every `n` from :first to :last.
    numbers: str
    #: A number as 32 hexadecimal digits: an identifier below every real one.
    digits: str
    blob: str
    long_ago: str
    no: str

    def id(self, number: str = "n") -> str:
        """Write the identifier of a number."""
        return self.digits.format(number)


_WORDS = {
    "sqlite": _Words(
        numbers="WITH RECURSIVE numbers(n) AS "
        "(SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)",
        digits="printf('%032x', {})",
        blob="zeroblob(48)",
        long_ago="'2020-01-01 00:00:00.000000'",
        no="0",
    ),
    "postgresql": _Words(
        numbers="WITH numbers(n) AS (SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint)))",
        digits="lpad(to_hex({}), 32, '0')",
        blob="decode(repeat('00', 48), 'hex')",
        long_ago="CAST('2020-01-01 00:00:00+00' AS timestamptz)",
        no="false",
    ),
}


def finished_id(number: int) -> str:
    """Name the chat, or the turn, of a number, as the database does."""
    return f"{number:032x}"


async def add_finished(database: Database, turns: int, *, chats: int, adapter: str, key: bytes) -> None:
    """Add so many chats (`old-room-0` and on) with so many finished turns in all; once to a database.

    `key` is what the vault made for all of them.
    """
    words = _WORDS[database.dialect]
    columns = {
        "chats": _chats(words, adapter, turns // chats),
        "turns": _turns(words, adapter, chats),
        "inbounds": _inbounds(words, adapter),
        "reply_parts": _parts(words),
        "notices": _notices(words, adapter, chats),
    }
    for table, values in columns.items():
        await _add(database, table, values, chats if table == "chats" else turns, key)
    if database.dialect == "postgresql":
        # Its planner knows what is there, as its own housekeeping would see to.
        async with database.write() as connection:
            await connection.execute(text("ANALYZE"))


async def _add(database: Database, table: str, values: dict[str, str], count: int, key: bytes) -> None:
    statement = text(
        f"INSERT INTO {table} ({', '.join(values)}) {_WORDS[database.dialect].numbers} "  # noqa: S608 - ours
        f"SELECT {', '.join(values.values())} FROM numbers WHERE {_HAS_NOTICE if table == 'notices' else '1 = 1'}"
    )
    for first in range(0, count, _BATCH):
        async with database.write(durable=False) as connection:
            numbers = {"first": first, "last": min(first + _BATCH, count) - 1}
            await connection.execute(statement, {**numbers, "key": key} if table == "chats" else numbers)


def _chats(words: _Words, adapter: str, turns_each: int) -> dict[str, str]:
    return {
        "id": words.id(),
        "adapter": f"'{adapter}'",
        "account": "'main'",
        "conversation": "'old-room-' || n",
        "kind": "'group'",
        "data_key": ":key",
        "last_ord": str(turns_each + 1),
        "weight": "1.0",
        "context_version": "0",
        "context_from": "0",
        "held": words.no,
        "created_at": words.long_ago,
    }


def _turns(words: _Words, adapter: str, chats: int) -> dict[str, str]:
    return {
        "id": words.id(),
        "chat_id": words.id(f"n % {chats}"),
        "ord": f"n / {chats} + 1",
        "adapter": f"'{adapter}'",
        "sends_from": "'any'",
        "sender_id": "'ann'",
        "skill": "'answer'",
        "state": _STATE,
        "fence": "n",
        "held": words.no,
        "attempts": "0",
        "cancel_requested": words.no,
        "restate": words.no,
        "stopped": words.no,
        "prompt_sealed": words.blob,
        "reply_sealed": words.blob,
        "accepted_at": words.long_ago,
        "deadline_at": words.long_ago,
        "finished_at": words.long_ago,
    }


def _inbounds(words: _Words, adapter: str) -> dict[str, str]:
    return {
        "id": words.id(),
        "adapter": f"'{adapter}'",
        "account": "'main'",
        "event_key": "'old-event-' || n",
        "turn_id": words.id(),
        "message": "'old-message-' || n",
        "said_sealed": words.blob,
        "accepted_at": words.long_ago,
    }


def _parts(words: _Words) -> dict[str, str]:
    return {
        "turn_id": words.id(),
        "number": "0",
        "op_id": f"{words.id()} || '-0'",
        "text_sealed": words.blob,
        "message": "'old-reply-' || n",
        "resent_in_doubt": "0",
        "sent_at": words.long_ago,
    }


def _notices(words: _Words, adapter: str, chats: int) -> dict[str, str]:
    return {
        "id": words.id(),
        "chat_id": words.id(f"n % {chats}"),
        "turn_id": words.id(),
        "adapter": f"'{adapter}'",
        "sends_from": "'any'",
        "kind": "'failed'",
        "text": "'Sorry.'",
        "op_id": f"{words.id()} || '-notice'",
        "state": "'sent'",
        "created_at": words.long_ago,
        "sent_at": words.long_ago,
    }
