"""Claiming: the oldest turn, one token at a time, and an honest count of attempts."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from adapters.base import SendsFrom
from bot.chat.memory_vault import EphemeralVault
from bot.errors import Fenced, KeyMissing, Outranked
from bot.store.database import Database
from bot.turns.journal import Journal, NotYet
from bot.turns.journal.rows import chats, inbounds
from bot.turns.model import NoticeKind, TurnState
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply


@pytest.fixture
async def chat_id(journal: Journal) -> str:
    """Give a chat with two waiting turns, of Ann and of Bob."""
    await journal.accept([acceptance("one", sender="ann"), acceptance("two", sender="bob")])
    return await chat_of(journal)


async def chat_of(journal: Journal, conversation: str = "room") -> str:
    return (await journal.chat_by_conversation("fake", "main", conversation)).id


async def send(journal: Journal, turn) -> None:
    turn = await journal.store_reply(turn, reply())
    for part in turn.parts:
        await journal.start_part(turn, part.number)
        await journal.part_sent(turn, part.number, f"sent-{part.number}")
    await journal.finish(turn)


async def test_turns_are_claimed_in_the_order_of_acceptance(journal: Journal, chat_id: str) -> None:
    texts = []
    for token in (1, 2):
        turn = await journal.claim(chat_id, token, "e")
        texts.append(turn.said[0].text)
        await send(journal, turn)
    assert texts == ["one", "two"]
    assert await journal.claim(chat_id, 3, "e") is None


async def test_a_claim_tells_whether_a_worker_has_more_to_do_behind_it(
    journal: Journal, chat_id: str
) -> None:
    refusal = (NoticeKind.TOO_LONG, "Too long.")
    await journal.accept([acceptance("three", sender="cid", refusal=refusal)])
    await journal.accept([acceptance("elsewhere", conversation="other")])
    found = []
    for token in (1, 2):
        turn = await journal.claim(chat_id, token, "e")
        found.append(turn.more)
        await send(journal, turn)
    assert found == [True, False]


async def test_an_owners_stored_reply_is_no_more_work_for_a_worker(journal: Journal) -> None:
    own = SendsFrom.OWNER
    await journal.accept([acceptance(sender="ann", sends_from=own), acceptance(sender="bob", sends_from=own)])
    chat_id = await chat_of(journal)
    await journal.store_reply(await journal.claim(chat_id, 1, "e"), reply())
    second = await journal.claim(chat_id, 2, "e")
    assert (second.ord, second.more) == (2, False)


async def test_a_claim_knows_the_chats_weight(journal: Journal) -> None:
    await journal.accept([acceptance(weight=2.5)])
    assert (await journal.claim(await chat_of(journal), 1, "e")).chat.weight == 2.5


async def test_an_unfinished_turn_is_claimed_again_before_the_next(journal: Journal, chat_id: str) -> None:
    first = await journal.claim(chat_id, 1, "e")
    await journal.release(first)
    assert (await journal.claim(chat_id, 2, "e")).id == first.id


async def test_a_chat_without_turns_gives_none(journal: Journal) -> None:
    assert await journal.claim("no such chat", 1, "e") is None


async def test_a_release_counts_no_attempt(journal: Journal, chat_id: str) -> None:
    for token in range(1, 6):
        turn = await journal.claim(chat_id, token, "e")
        await journal.release(turn)
    assert turn.attempts == 0


async def test_an_expired_lease_counts_an_attempt(journal: Journal, chat_id: str) -> None:
    await journal.claim(chat_id, 1, "e")
    await journal.claim(chat_id, 2, "e")
    assert (await journal.claim(chat_id, 3, "e")).attempts == 2


async def test_a_lease_lost_to_an_erased_schedule_counts_none(journal: Journal, chat_id: str) -> None:
    await journal.claim(chat_id, 1, "before")
    assert (await journal.claim(chat_id, 2, "after")).attempts == 0


async def test_a_failure_counts_and_waits_out_its_backoff(
    journal: Journal, chat_id: str, clock: ManualClock
) -> None:
    turn = await journal.claim(chat_id, 1, "e")
    await journal.fail(turn, "EngineError", clock.now() + timedelta(seconds=2))
    clock.advance(0.5)
    with pytest.raises(NotYet) as caught:
        await journal.claim(chat_id, 2, "e")
    assert caught.value.delay_ms == 1500
    clock.advance(1.5)
    assert (await journal.claim(chat_id, 3, "e")).attempts == 1


async def test_a_turn_that_is_cancelled_in_a_workers_hands_waits_out_no_backoff(
    journal: Journal, chat_id: str, clock: ManualClock
) -> None:
    turn = await journal.claim(chat_id, 1, "e")
    await journal.request_cancel(chat_id)
    await journal.fail(turn, "EngineError", clock.now() + timedelta(hours=1))
    assert (await journal.claim(chat_id, 2, "e")).cancel_requested


@pytest.mark.parametrize("token", [4, 5], ids=["smaller", "equal"])
async def test_a_token_not_above_the_rows_is_outranked(journal: Journal, chat_id: str, token: int) -> None:
    await journal.claim(chat_id, 5, "e")
    with pytest.raises(Outranked) as caught:
        await journal.claim(chat_id, token, "e")
    assert caught.value.fence == 5
    assert (await journal.claim(chat_id, 6, "e")).attempts == 1


CHANGES = {
    "placeholder": lambda j, t, c: j.placeholder_posted(t, "m"),
    "store": lambda j, t, c: j.store_reply(t, reply()),
    "release": lambda j, t, c: j.release(t),
    "fail": lambda j, t, c: j.fail(t, "x", c.now()),
    "give up": lambda j, t, c: j.give_up(t, TurnState.DEAD, NoticeKind.FAILED, "x"),
    "cancel": lambda j, t, c: j.cancel(t, "x"),
}
STORED_CHANGES = {
    "start": lambda j, t, c: j.start_part(t, 0),
    "sent": lambda j, t, c: j.part_sent(t, 0, "m"),
    "not sent": lambda j, t, c: j.part_not_sent(t, 0),
    "in doubt": lambda j, t, c: j.part_resent_in_doubt(t, 0),
    "finish": lambda j, t, c: j.finish(t),
    "clear": lambda j, t, c: j.clear_restate(t),
    "release": lambda j, t, c: j.release(t),
    "fail": lambda j, t, c: j.fail(t, "x", c.now()),
    "give up": lambda j, t, c: j.give_up(t, TurnState.DEAD, NoticeKind.FAILED, "x"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_an_older_token_changes_nothing(
    journal: Journal, chat_id: str, clock: ManualClock, change
) -> None:
    old = await journal.claim(chat_id, 1, "e")
    new = await journal.claim(chat_id, 2, "e")
    with pytest.raises(Fenced):
        await change(journal, old, clock)
    assert await journal.claim_notice(clock.now(), 10) is None
    assert (await journal.context_state(chat_id))[0] == 0
    await change(journal, new, clock)


@pytest.mark.parametrize("change", STORED_CHANGES.values(), ids=STORED_CHANGES.keys())
async def test_an_older_token_changes_nothing_of_a_stored_reply(
    journal: Journal, chat_id: str, clock: ManualClock, change
) -> None:
    old = await journal.store_reply(await journal.claim(chat_id, 1, "e"), reply())
    new = await journal.claim(chat_id, 2, "e")
    with pytest.raises(Fenced):
        await change(journal, old, clock)
    after = await journal.claim(chat_id, 3, "e")
    assert (after.state, after.parts, after.attempts) == (new.state, new.parts, 2)


async def test_two_workers_storing_at_once_leave_one_reply(
    database_url: str, database: Database, clock: ManualClock
) -> None:
    """However the two interleave, the reply of exactly one token stands, whole."""
    vault = EphemeralVault()
    async with Database(database_url) as other:
        one, two = Journal(database, vault, clock), Journal(other, vault, clock)
        for n in range(10):
            await one.accept([acceptance(conversation=f"r{n}")])
            chat = await chat_of(one, f"r{n}")
            old = await one.claim(chat, 1, "e")

            async def take_over(chat: str = chat):
                return await two.store_reply(await two.claim(chat, 2, "e"), reply("new"))

            results = await asyncio.gather(
                one.store_reply(old, reply("old")), take_over(), return_exceptions=True
            )
            stands = await one.claim(chat, 3, "e")
            winners = [r.reply for r in results if not isinstance(r, Exception)]
            assert [stands.reply] == winners
            assert [part.text for part in stands.parts] == winners


async def test_an_owners_stored_reply_is_left_to_its_owner(journal: Journal) -> None:
    own = SendsFrom.OWNER
    await journal.accept([acceptance("1", sends_from=own), acceptance("2", sender="bob", sends_from=own)])
    chat = await chat_of(journal)
    first = await journal.store_reply(await journal.claim(chat, 1, "e"), reply())
    second = await journal.claim(chat, 2, "e")
    assert (first.ord, second.ord) == (1, 2)


async def test_what_no_longer_opens_becomes_a_dead_letter_and_blocks_nobody(
    journal: Journal, chat_id: str, database: Database, clock: ManualClock
) -> None:
    broken = await first_message(journal, chat_id)
    async with database.write() as connection:
        await connection.execute(
            update(inbounds).where(inbounds.c.message == broken).values(said_sealed=b"broken")
        )
    turn = await journal.claim(chat_id, 9, "e")
    assert turn.said[0].text == "two"
    notice = await journal.claim_notice(clock.now(), 10)
    assert (notice.ord, notice.kind) == (1, NoticeKind.FAILED)
    assert (await journal.counts()).dead == 1


async def first_message(journal: Journal, chat_id: str) -> str:
    turn = await journal.claim(chat_id, 1, "e")
    await journal.release(turn)
    return turn.said[0].message


async def test_a_missing_key_is_raised_and_counts_nothing(
    journal: Journal, chat_id: str, database: Database, clock: ManualClock
) -> None:
    locked_out = Journal(database, EphemeralVault(), clock)
    with pytest.raises(KeyMissing):
        await locked_out.claim(chat_id, 1, "e")
    assert (await journal.claim(chat_id, 2, "e")).attempts == 0


async def test_a_held_chat_is_told_with_its_weight(journal: Journal, database: Database) -> None:
    await journal.accept([acceptance(weight=2.0)])
    async with database.write() as connection:
        await connection.execute(update(chats).values(held=True))
    (chat,) = await journal.unfinished()
    assert (chat.held, chat.weight) == (True, 2.0)
    assert await journal.held_chats() == [chat.chat_id]
