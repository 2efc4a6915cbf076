"""One person leaves a very large group: in many small transactions, and with no crash between them in the way."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from adapters.base import Person as Sender
from adapters.base import Quoted
from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing
from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.transaction import Transaction
from bot.turns.journal import Journal, burying, forgetting, forgetting_ahead
from bot.turns.journal.forgetting import Forgetting
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply

THEIRS, OTHERS = 9, 14
#: As the module has them for a test: what others keep, what the last transaction takes, and each one before it.
KEPT, AT_ONCE, BATCH = 6, 2, 2
OLD_NAME = "Ann of old"


@dataclass(kw_only=True)
class Group:
    """A group in which Ann and Bob were answered, Bob last."""

    database: Database
    journal: Journal
    vault: AesVault
    clock: ManualClock
    chat_id: str = ""

    def forgetting(self, database: Database | None = None) -> Forgetting:
        return Forgetting(database or self.database, self.vault, self.clock)

    async def fill(self) -> None:
        for number in range(THEIRS):
            await self._talk("ann", f"ann {number}", name=OLD_NAME if number == 0 else "Ann")
        for number in range(OTHERS):
            await self._talk("bob", f"bob {number}")
        quoting = acceptance("what was that?", conversation="room", sender="bob")
        quoted = Quoted(ref="m", author=OLD_NAME, text="as it was edited", by_assistant=False)
        asking = replace(quoting, inbound=replace(quoting.inbound, quoted=quoted))
        [receipt] = await self.journal.accept([asking])
        self.chat_id = receipt.chat_id or ""

    async def _talk(self, sender: str, words: str, name: str = "") -> None:
        wanted = acceptance(words, conversation="room", sender=sender)
        who = Sender(id=sender, name=name or sender.title())
        [receipt] = await self.journal.accept([replace(wanted, inbound=replace(wanted.inbound, sender=who))])
        turn = await self.journal.claim(receipt.chat_id or "", self.next_token(), "epoch")
        assert turn is not None
        turn = await self.journal.store_reply(turn, reply(f"to {words}", prompt=words))
        await self.journal.part_sent(turn, 0, "message")
        await self.journal.finish(turn)

    def next_token(self) -> int:
        self.clock.advance(1)
        return int(self.clock.now().timestamp())

    async def prompts(self) -> list[str]:
        chat = await self.forgetting().chat(self.chat_id)
        assert chat is not None
        return [one.prompt for one in await self.journal.exchanges(chat, 99)]

    async def is_ann_forgotten(self) -> bool:
        """Look for her turns, and for the quote by a name that only her oldest words tell."""
        async with self.database.read() as connection:
            hers = text("SELECT count(*) FROM turns WHERE sender_id = 'ann'")
            if (await connection.execute(hers)).scalar_one():
                return False
        turn = await self.journal.claim(self.chat_id, self.next_token(), "epoch")
        assert turn is not None
        return [(said.text, said.quoted_author, said.quoted_text) for said in turn.said] == [
            ("what was that?", "", "")
        ]


class Killed(Database):
    """A database whose process dies at its n-th write."""

    def __init__(self, database: Database, writes: int) -> None:
        self._alive, self._left = database, writes
        self.survey, self.read = database.survey, database.read

    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[Transaction]:
        if self._left == 0:
            raise StoreUnavailable("killed")
        self._left -= 1
        async with self._alive.write(durable=durable) as connection:
            yield connection


@pytest.fixture
async def group(database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Group:
    for module in (forgetting, forgetting_ahead):
        monkeypatch.setattr(module, "MOST_RESEALED", KEPT)
    monkeypatch.setattr(forgetting_ahead, "_MOST_AT_ONCE", AT_ONCE)
    monkeypatch.setattr(forgetting_ahead, "_BATCH", BATCH)
    vault = AesVault(KeyRing.fresh(), organisation="test")
    made = Group(database=database, journal=Journal(database, vault, clock), vault=vault, clock=clock)
    await made.fill()
    return made


async def test_no_transaction_takes_more_than_its_share(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    async def bury(connection: Transaction, digester: Any, turn_ids: Sequence[str], now: datetime) -> None:
        taken.append(len(turn_ids))
        await burying.bury_words(connection, digester, turn_ids, now)

    for module in (forgetting, forgetting_ahead):
        monkeypatch.setattr(module, "bury_words", bury)
    done = await group.forgetting().forget_person(group.chat_id, "ann")
    assert done.turns == THEIRS
    assert max(taken) <= max(BATCH, AT_ONCE)
    assert sum(taken) == THEIRS + OTHERS + 1 - KEPT


async def test_she_goes_and_the_newest_of_the_others_stays(group: Group) -> None:
    await group.forgetting().forget_person(group.chat_id, "ann")
    # One of those that are kept waits still.
    assert await group.prompts() == [f"bob {number}" for number in range(OTHERS)][1 - KEPT :]
    assert await group.is_ann_forgotten()


# Five transactions for the oldest of the others, three for quotes of her, four for her older turns; the last ends it.
@pytest.mark.parametrize("writes", [0, 3, 7, 10, 12])
async def test_a_kill_between_two_transactions_is_made_good_by_the_next_wish(
    group: Group, writes: int
) -> None:
    """As the platform delivers it once more, or the person asks again; until then nobody says that it is done."""
    with pytest.raises(StoreUnavailable):
        await group.forgetting(Killed(group.database, writes)).forget_person(group.chat_id, "ann")
    assert await group.forgetting().count(group.chat_id, "ann") >= AT_ONCE
    done = await group.forgetting().forget_person(group.chat_id, "ann")
    assert done.turns >= AT_ONCE
    assert await group.is_ann_forgotten()


async def test_a_small_group_takes_one_transaction(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (forgetting, forgetting_ahead):
        monkeypatch.setattr(module, "MOST_RESEALED", OTHERS + 1)
    monkeypatch.setattr(forgetting_ahead, "_MOST_AT_ONCE", THEIRS)
    await group.forgetting(Killed(group.database, 1)).forget_person(group.chat_id, "ann")
    assert await group.is_ann_forgotten()
