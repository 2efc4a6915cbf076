"""What a newer version wrote while it is rolled out: put down as it is, charged to nobody, buried by nobody."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text, update

from adapters.base import ConversationKind, SendsFrom
from bot.chat.key_ring import KEY_BYTES
from bot.chat.memory_vault import EphemeralVault
from bot.chat.vault import Place, SealedField
from bot.errors import WrittenByNewer
from bot.store.database import Database
from bot.turns.journal import Journal, LockedReply
from bot.turns.journal.rows import chats, inbounds, notices, reply_parts, turns
from bot.turns.model import NoticeKind
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply

REFUSAL = (NoticeKind.TOO_LONG, "Too long.")


class NewerVault(EphemeralVault):
    """Writes what people say as version 2 of its format."""

    def seal(self, key: bytes, text: str, place: Place) -> bytes:
        body = json.loads(text)
        return super().seal(key, json.dumps({"v": 2, "words": body["text"]}), place)


async def change(database: Database, table: Any, **values: Any) -> None:
    """Write what only a newer version would."""
    async with database.write() as connection:
        await connection.execute(update(table).values(**values))


async def chat_of(journal: Journal, conversation: str = "room"):
    return await journal.chat_by_conversation("fake", "main", conversation)


async def sealed_anew(journal: Journal, database: Database) -> None:
    async with database.read() as connection:
        (said,) = (await connection.execute(text("SELECT said_sealed FROM inbounds"))).scalars().all()
    await change(database, inbounds, said_sealed=b"\x02" + said[1:])


async def wrapped_anew(journal: Journal, database: Database) -> None:
    await change(database, chats, data_key=b"\x02" + (await chat_of(journal)).key[1:])


async def of_another_skill(journal: Journal, database: Database) -> None:
    await change(database, turns, skill="divine")


@pytest.mark.parametrize("anew", [sealed_anew, wrapped_anew, of_another_skill])
async def test_a_claim_puts_down_what_it_cannot_read(
    journal: Journal, database: Database, anew: Callable[..., Any]
) -> None:
    """However often an old worker comes by it: the turn stays, unheld, with all its attempts before it."""
    await journal.accept([acceptance()])
    await anew(journal, database)
    chat = await chat_of(journal)
    for token in range(1, 6):
        with pytest.raises(WrittenByNewer):
            await journal.claim(chat.id, token, "e")
    async with database.read() as connection:
        row = (await connection.execute(text("SELECT state, attempts, held FROM turns"))).one()
    assert (row.state, row.attempts, bool(row.held)) == ("waiting", 0, False)


async def test_words_in_a_newer_format_are_not_guessed_at(database: Database, clock: ManualClock) -> None:
    journal = Journal(database, NewerVault(), clock)
    await journal.accept([acceptance()])
    with pytest.raises(WrittenByNewer, match="version 2, this program knows 1"):
        await journal.claim((await chat_of(journal)).id, 1, "e")


async def test_a_reply_that_a_newer_version_sealed_waits_for_its_owner(
    journal: Journal, database: Database
) -> None:
    """It is neither buried nor overtaken by what comes behind it."""
    await journal.accept([acceptance(sends_from=SendsFrom.OWNER)])
    await journal.store_reply(await journal.claim((await chat_of(journal)).id, 1, "e"), reply())
    async with database.read() as connection:
        (sealed,) = (await connection.execute(text("SELECT text_sealed FROM reply_parts"))).scalars().all()
    await change(database, reply_parts, text_sealed=b"\x02" + sealed[1:])
    (owed,) = await journal.owed("fake", 10)
    assert isinstance(owed, LockedReply)
    assert "newer version" in owed.why
    assert (await journal.counts()).dead == 0


async def test_a_chat_of_a_newer_kind_is_treated_as_a_group(journal: Journal, database: Database) -> None:
    await journal.accept([acceptance()])
    await change(database, chats, kind="channel")
    assert (await chat_of(journal)).kind is ConversationKind.GROUP


@pytest.mark.parametrize("sends_from", SendsFrom)
async def test_a_notice_of_a_newer_kind_is_left_and_hides_no_other(
    journal: Journal, database: Database, clock: ManualClock, sends_from: SendsFrom
) -> None:
    await journal.accept([acceptance(conversation="new", refusal=REFUSAL, sends_from=sends_from)])
    await change(database, notices, kind="overjoyed")
    clock.advance(1)
    await journal.accept([acceptance(conversation="old", refusal=REFUSAL, sends_from=sends_from)])
    if sends_from is SendsFrom.ANY:
        found = [await journal.claim_notice(clock.now(), 60.0)]
        assert await journal.claim_notice(clock.now(), 60.0) is None
    else:
        found = await journal.owed("fake", 10)
    assert [notice.chat.conversation for notice in found] == ["old"]


def test_the_next_versions_seal_is_told_from_damage() -> None:
    vault, place = EphemeralVault(), Place(chat="c", item="i", field=SealedField.REPLY)
    key = vault.new_key()
    blob = vault.seal(key, "text", place)
    for changed_key, changed_blob in ((key, b"\x02" + blob[1:]), (b"\x02" + bytes(KEY_BYTES), blob)):
        with pytest.raises(WrittenByNewer, match=r"reply of item i in chat c|data key of chat c"):
            vault.open(changed_key, changed_blob, place)
