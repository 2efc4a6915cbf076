"""What is owed to people, who may send it, and what is unfinished or done."""

import asyncio
from datetime import timedelta

from sqlalchemy import update

from adapters.base import SendsFrom
from bot.chat.memory_vault import EphemeralVault
from bot.store.database import Database
from bot.turns.journal import Journal, LockedReply, OwedNotice, OwedReply, TurnCounts
from bot.turns.journal.rows import reply_parts
from bot.turns.model import NoticeKind
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply

REFUSAL = (NoticeKind.TOO_LONG, "Too long.")


async def answer(journal: Journal, token: int, conversation: str = "room", words: str = "noon"):
    chat = await journal.chat_by_conversation("fake", "main", conversation)
    return await journal.store_reply(await journal.claim(chat.id, token, "e"), reply(words))


async def test_an_owner_reads_replies_and_notices_in_the_order_of_the_chat(journal: Journal) -> None:
    own = SendsFrom.OWNER
    await journal.accept(
        [
            acceptance(event="a", sender="ann", sends_from=own),
            acceptance(event="b", sender="bob", sends_from=own, refusal=REFUSAL),
            acceptance(event="c", sender="cid", sends_from=own),
        ]
    )
    await answer(journal, 1, words="first")
    await answer(journal, 2, words="third")
    owed = await journal.owed("fake", 10)
    assert [(type(item), item.ord, item.reply_to) for item in owed] == [
        (OwedReply, 1, "message-of-a"),
        (OwedNotice, 2, "message-of-b"),
        (OwedReply, 3, "message-of-c"),
    ]
    assert [part.text for part in owed[0].parts] == ["first"]
    assert owed[0].chat.conversation == "room"


async def test_what_was_handed_over_is_owed_no_more(journal: Journal) -> None:
    own = SendsFrom.OWNER
    await journal.accept([acceptance(sends_from=own), acceptance(sends_from=own, refusal=REFUSAL)])
    stored = await answer(journal, 1)
    reply_owed, notice_owed = await journal.owed("fake", 10)
    for _ in range(2):
        await journal.handed_over(reply_owed.turn_id)
        await journal.notice_handed_over(notice_owed.notice_id)
    assert await journal.owed("fake", 10) == []
    assert (await journal.counts()).done == 1
    assert [e.reply for e in await journal.exchanges(stored.chat, 99)] == ["noon"]


async def test_several_are_handed_over_together_and_the_rest_stays_owed(journal: Journal) -> None:
    own = SendsFrom.OWNER
    await journal.accept([acceptance(sender=name, sends_from=own) for name in ("ann", "bob", "cid")])
    await journal.accept([acceptance(sends_from=own, refusal=REFUSAL) for _ in range(2)])
    turns = [await answer(journal, token) for token in (1, 2, 3)]
    notice, kept = (item for item in await journal.owed("fake", 10) if isinstance(item, OwedNotice))
    for _ in range(2):
        await journal.handed_over_all([turns[0].id, turns[2].id], [notice.notice_id])
        left = await journal.owed("fake", 10)
        assert [item.turn_id for item in left] == [turns[1].id, kept.turn_id]


async def test_an_owner_reads_only_what_is_its_own(journal: Journal) -> None:
    await journal.accept(
        [
            acceptance(conversation="a"),
            acceptance(conversation="b", refusal=REFUSAL),
            acceptance(conversation="c", adapter="other", sends_from=SendsFrom.OWNER, refusal=REFUSAL),
        ]
    )
    await answer(journal, 1, "a")
    assert await journal.owed("fake", 10) == []


async def test_a_workers_turn_is_not_handed_over(journal: Journal) -> None:
    await journal.accept([acceptance()])
    turn = await answer(journal, 1)
    await journal.handed_over(turn.id)
    assert (await journal.counts()).unsent == 1


async def test_a_reply_that_no_longer_opens_is_told_and_blocks_nobody(
    journal: Journal, database: Database
) -> None:
    own = SendsFrom.OWNER
    await journal.accept([acceptance(sender="ann", sends_from=own), acceptance(sender="bob", sends_from=own)])
    first, second = await answer(journal, 1), await answer(journal, 2)
    broken = update(reply_parts).where(reply_parts.c.turn_id == first.id).values(text_sealed=b"broken")
    async with database.write() as connection:
        await connection.execute(broken)
    assert [item.turn_id for item in await journal.owed("fake", 10)] == [second.id]
    notice, _ = await journal.owed("fake", 10)
    assert (notice.turn_id, notice.kind) == (first.id, NoticeKind.FAILED)


async def test_a_reply_that_no_longer_opens_leaves_the_context(journal: Journal, database: Database) -> None:
    await journal.accept([acceptance(sends_from=SendsFrom.OWNER)])
    turn = await answer(journal, 1)
    broken = update(reply_parts).where(reply_parts.c.turn_id == turn.id).values(text_sealed=b"broken")
    async with database.write() as connection:
        await connection.execute(broken)
    before = await journal.chat_by_conversation("fake", "main", "room")
    await journal.owed("fake", 10)
    after = await journal.chat_by_conversation("fake", "main", "room")
    assert after.context_version == before.context_version + 1


async def test_a_missing_key_buries_nothing(journal: Journal, database: Database, clock: ManualClock) -> None:
    await journal.accept([acceptance(sends_from=SendsFrom.OWNER)])
    await answer(journal, 1)
    [locked] = await Journal(database, EphemeralVault(), clock).owed("fake", 10)
    assert isinstance(locked, LockedReply)
    [owed] = await journal.owed("fake", 10)
    assert isinstance(owed, OwedReply)
    assert (locked.turn_id, locked.chat.id, locked.ord) == (owed.turn_id, owed.chat.id, owed.ord)


async def test_one_of_several_claims_a_notice(
    database_url: str, database: Database, clock: ManualClock
) -> None:
    vault = EphemeralVault()
    async with Database(database_url) as other:
        one, two = Journal(database, vault, clock), Journal(other, vault, clock)
        await one.accept([acceptance(refusal=REFUSAL)])
        claims = await asyncio.gather(*(j.claim_notice(clock.now(), 10) for j in (one, two, one, two)))
    (notice,) = [claim for claim in claims if claim]
    assert (notice.text, notice.in_doubt) == ("Too long.", False)


async def test_notices_are_claimed_oldest_first_and_once_sent_no_more(
    journal: Journal, clock: ManualClock
) -> None:
    await journal.accept([acceptance(event="a", refusal=REFUSAL)])
    clock.advance(1)
    await journal.accept([acceptance(event="b", refusal=REFUSAL)])
    found = []
    while notice := await journal.claim_notice(clock.now(), 10):
        found.append(notice.reply_to)
        await journal.notice_sent(notice.notice_id, "m")
    clock.advance(60)
    assert found == ["message-of-a", "message-of-b"]
    assert await journal.claim_notice(clock.now(), 10) is None


async def test_a_notice_whose_claim_ran_out_is_claimed_in_doubt(journal: Journal, clock: ManualClock) -> None:
    await journal.accept([acceptance(refusal=REFUSAL)])
    first = await journal.claim_notice(clock.now(), 10)
    clock.advance(10)
    again = await journal.claim_notice(clock.now(), 10)
    assert (again.notice_id, again.op_id, again.in_doubt) == (first.notice_id, first.op_id, True)


async def test_a_notice_known_not_to_be_sent_waits_and_leaves_no_doubt(
    journal: Journal, clock: ManualClock
) -> None:
    await journal.accept([acceptance(refusal=REFUSAL)])
    notice = await journal.claim_notice(clock.now(), 10)
    await journal.notice_not_sent(notice.notice_id, clock.now() + timedelta(seconds=30))
    clock.advance(29)
    assert await journal.claim_notice(clock.now(), 10) is None
    clock.advance(1)
    assert not (await journal.claim_notice(clock.now(), 10)).in_doubt


async def test_everything_is_counted_once(journal: Journal, clock: ManualClock) -> None:
    rooms = ["waiting", "running", "unsent", "cancelled"]
    await journal.accept([acceptance(conversation=room) for room in rooms])
    await journal.accept([acceptance(conversation="refused", refusal=REFUSAL)])
    clock.advance(5)
    await answer(journal, 1, "unsent")
    for room in ("running", "cancelled"):
        chat = await journal.chat_by_conversation("fake", "main", room)
        turn = await journal.claim(chat.id, 1, "e")
    await journal.cancel(turn, None)
    assert await journal.counts() == TurnCounts(
        waiting=2, running=1, oldest_waiting_s=5.0, unsent=1, done=0, dead=0, refused=1, cancelled=1
    )


async def test_an_empty_record_counts_nothing(journal: Journal) -> None:
    counts = await journal.counts()
    assert (counts.waiting, counts.oldest_waiting_s, counts.done) == (0, 0.0, 0)


async def test_unfinished_chats_come_in_pages_each_once(journal: Journal) -> None:
    await journal.accept([acceptance(conversation=f"r{n % 5}", sender=f"s{n}") for n in range(15)])
    pages, after = [], ""
    while page := await journal.unfinished(limit=2, after=after):
        pages.append([chat.chat_id for chat in page])
        after = pages[-1][-1]
    assert [len(page) for page in pages] == [2, 2, 1]
    flat = [chat_id for page in pages for chat_id in page]
    assert flat == sorted(set(flat))


async def test_young_and_claimed_turns_can_be_left_out(journal: Journal, clock: ManualClock) -> None:
    await journal.accept([acceptance(conversation="old"), acceptance(conversation="claimed")])
    claimed = await journal.chat_by_conversation("fake", "main", "claimed")
    await journal.claim(claimed.id, 1, "e")
    clock.advance(1)
    await journal.accept([acceptance(conversation="young")])
    old = await journal.chat_by_conversation("fake", "main", "old")
    found = await journal.unfinished(min_age_s=1.0, only_unclaimed=True)
    assert [chat.chat_id for chat in found] == [old.id]
    assert len(await journal.unfinished()) == 3


async def test_what_waits_for_its_owner_is_no_workers_business(journal: Journal) -> None:
    await journal.accept([acceptance(sends_from=SendsFrom.OWNER)])
    await answer(journal, 1)
    assert await journal.unfinished() == []


async def test_the_notice_of_a_turn_that_was_stopped_while_it_waited_answers_its_newest_message(
    journal: Journal, clock: ManualClock
) -> None:
    await journal.accept([acceptance(event="a"), acceptance(event="b")])
    chat = await journal.chat_by_conversation("fake", "main", "room")
    await journal.request_cancel(chat.id)
    notice = await journal.claim_notice(clock.now(), 5.0)
    assert (notice.kind, notice.reply_to) == (NoticeKind.STOPPED, "message-of-b")
