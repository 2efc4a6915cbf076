"""A chat that has forgotten something: it goes on with another key, and what is beside the record is still owed."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, null, update

from bot.clock import Clock
from bot.store.transaction import Transaction
from bot.turns.journal.cleanings import owe, recent
from bot.turns.journal.exports import drop_exports
from bot.turns.journal.finding import READ
from bot.turns.journal.rows import chat_from, chats
from bot.turns.model import Chat

_CHANGED = (
    update(chats)
    .where(chats.c.id == bindparam("chat"))
    .values(
        data_key=bindparam("new_key"),
        salt_epoch=chats.c.salt_epoch + 1,
        context_version=chats.c.context_version + 1,
        summary_sealed=null(),
        summary_ord=null(),
        summary_from=null(),
        next_summary_sealed=null(),
        next_summary_ord=null(),
        next_summary_from=null(),
        card_sealed=bindparam("new_card"),
        context_from=bindparam("begin", type_=BigInteger()),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was taken out of one chat's record, and who else must hear of it."""

    #: As it stands now.
    chat: Chat
    turns: int
    #: Turns in somebody's hands, who must stop.
    held: tuple[str, ...]
    #: Turns of which a live snapshot may still be kept.
    recent: tuple[str, ...]
    #: What is crossed off once caches and files are clean.
    cleaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anew:
    """How a chat goes on."""

    key: bytes
    card: bytes | None
    #: The `ord` from which on it remembers.
    begin: int


async def begin_anew(
    connection: Transaction, clock: Clock, chat_id: str, anew: Anew, *, held: tuple[str, ...], gone: int
) -> Forgotten:
    """Have a chat go on with another key, without its summaries, and write down what is owed for it."""
    changed = {"new_key": anew.key, "new_card": anew.card, "begin": anew.begin}
    await connection.execute(_CHANGED, {"chat": chat_id, **changed})
    # Copies of what is forgotten may be in them, in whatever chat.
    now = clock.now()
    while await drop_exports(connection, before=now, now=now):
        pass
    row = (await connection.execute(READ, {"chat": chat_id})).one()
    return Forgotten(
        chat=chat_from(row),
        turns=gone,
        held=held,
        recent=await recent(connection, chat_id),
        cleaning=await owe(connection, clock, chat_id),
    )
