"""Caps, quotas and episodes: what is refused at acceptance, and how often people are told."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from adapters.base import ConversationKind, Outcome, SendsFrom
from bot.chat.memory_vault import EphemeralVault
from bot.store.database import Database
from bot.turns.acceptance import Cap, CapRefusal, Caps, Quotas
from bot.turns.journal import Journal, NotYet, OwedNotice
from bot.turns.journal.rows import notices, turns
from bot.turns.model import NoticeKind, Skill
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply

ACCEPTED, REFUSED = Outcome.ACCEPTED, Outcome.REFUSED


class Desk:
    """One journal with limits, and what becomes of what is handed to it."""

    def __init__(self, database: Database, clock: ManualClock, caps: Caps) -> None:
        self.database = database
        self.clock = clock
        self.journal = Journal(database, EphemeralVault(), clock, caps)
        self._token = 0

    async def say(self, *people: str, **how) -> list[Outcome]:
        """Hand over a command of each of these people, in one batch: commands do not join."""
        batch = [acceptance(sender=person, skill=Skill.HELP, **how) for person in people]
        return [receipt.outcome for receipt in await self.journal.accept(batch)]

    async def serve(self, conversation: str = "room") -> None:
        """Answer the turn that stands first in a chat."""
        self._token += 1
        chat = await self.journal.chat_by_conversation("fake", "main", conversation)
        turn = await self.journal.claim(chat.id, self._token, "epoch")
        stored = await self.journal.store_reply(turn, reply())
        await self.journal.part_sent(stored, 0, "m")
        await self.journal.finish(stored)

    async def notices(self) -> list[str]:
        """Return the texts of every notice so far, oldest first."""
        async with self.database.read() as connection:
            query = select(notices.c.text).order_by(notices.c.id)
            return list((await connection.execute(query)).scalars())

    async def unspoken(self) -> list[str]:
        """Return every refused turn that no notice speaks for."""
        spoken = select(notices.c.id)
        own = select(notices.c.turn_id)
        async with self.database.read() as connection:
            query = select(turns.c.id).where(
                turns.c.state == "refused",
                turns.c.id.not_in(own),
                turns.c.notice_id.is_(None) | turns.c.notice_id.not_in(spoken),
            )
            return list((await connection.execute(query)).scalars())


@pytest.fixture
def desk(database: Database, clock: ManualClock):
    return lambda **caps: Desk(database, clock, Caps(**caps))


async def test_a_direct_chat_has_a_cap_of_its_own(desk) -> None:
    at = desk(per_chat=2, per_direct_chat=1)
    assert await at.say("ann", "bob", "cid") == [ACCEPTED, ACCEPTED, REFUSED]
    direct = {"conversation": "alone", "kind": ConversationKind.DIRECT}
    assert await at.say("ann", "ann", **direct) == [ACCEPTED, REFUSED]


@pytest.mark.parametrize("batched", [True, False], ids=["one batch", "two batches"])
async def test_a_person_has_a_cap_across_all_chats(desk, batched: bool) -> None:
    at = desk(per_person=2)
    if batched:
        wanted = [acceptance(sender="ann", conversation=room) for room in "abc"]
        found = [receipt.outcome for receipt in await at.journal.accept(wanted)]
    else:
        found = [(await at.say("ann", conversation=room))[0] for room in "abc"]
    assert found == [ACCEPTED, ACCEPTED, REFUSED]
    assert await at.say("bob", conversation="c") == [ACCEPTED]


async def test_a_person_may_ask_again_once_answered(desk) -> None:
    at = desk(per_person=1)
    assert await at.say("ann", "ann") == [ACCEPTED, REFUSED]
    await at.serve()
    assert await at.say("ann") == [ACCEPTED]


async def test_people_of_two_platforms_who_share_an_id_share_no_cap(desk) -> None:
    at = desk(per_person=1)
    assert await at.say("ann") == [ACCEPTED]
    assert await at.say("ann", adapter="other") == [ACCEPTED]


async def test_what_joins_counts_as_no_turn_of_its_own(desk) -> None:
    at = desk(per_person=1)
    receipts = await at.journal.accept([acceptance(), acceptance()])
    assert [each.outcome for each in receipts] == [ACCEPTED, Outcome.JOINED]


async def test_too_long_a_line_refuses_a_new_turn_and_lets_a_message_join(desk) -> None:
    at = desk()
    first, late, joining = await at.journal.accept(
        [
            acceptance(sender="ann"),
            acceptance(sender="bob", conversation="b", too_late=True, ask_again_s=240),
            acceptance(sender="ann", too_late=True),
        ]
    )
    assert (first.outcome, late.outcome, joining.outcome) == (ACCEPTED, REFUSED, Outcome.JOINED)
    assert isinstance(late, CapRefusal)
    assert late.cap is Cap.LINE
    (notice,) = await at.notices()
    assert notice.endswith("Please ask again in about 4 minutes.")


async def test_a_full_chat_is_told_once_and_everything_refused_is_linked_to_that(desk) -> None:
    at = desk(per_chat=1)
    await at.say("ann", "bob", "cid")
    await at.say("dan", "eve")
    assert len(await at.notices()) == 1
    assert await at.unspoken() == []


async def test_one_chat_being_told_does_not_silence_another(desk) -> None:
    at = desk(per_chat=1)
    for room in "ab":
        await at.say("ann", "bob", conversation=room)
    assert len(await at.notices()) == 2


async def test_a_chat_that_was_served_and_is_full_again_is_told_again(desk) -> None:
    at = desk(per_chat=2)
    await at.say("ann", "bob", "cid")
    await at.serve()
    assert await at.say("dan", "eve") == [ACCEPTED, REFUSED]
    assert len(await at.notices()) == 2


async def test_a_chat_that_is_served_by_nobody_is_told_again_after_the_episode(desk, clock) -> None:
    at = desk(per_chat=1, episode_s=60)
    await at.say("ann", "bob")
    clock.advance(59)
    await at.say("cid")
    assert len(await at.notices()) == 1
    clock.advance(1)
    await at.say("dan")
    assert len(await at.notices()) == 2


@pytest.mark.parametrize(
    ("caps", "late"),
    [
        pytest.param({"total": 1}, False, id="the deployment's cap"),
        pytest.param({"per_person": 1}, False, id="a person's cap"),
        pytest.param({}, True, id="the line"),
    ],
)
async def test_who_asks_again_when_told_to_and_is_refused_is_told_so(desk, clock, caps, late: bool) -> None:
    at = desk(**caps)
    await at.say("ann")
    for wait_s, told in ((0, 1), (89, 1), (1, 2)):
        clock.advance(wait_s)
        assert await at.say("ann", too_late=late, ask_again_s=90.0) == [REFUSED]
        assert len(await at.notices()) == told


async def test_people_who_keep_asking_are_told_once_a_minute_at_most(desk, clock) -> None:
    at = desk(total=1)
    await at.say("ann", "bob", ask_again_s=0.0)
    clock.advance(59)
    await at.say("bob", ask_again_s=0.0)
    assert len(await at.notices()) == 1


async def test_the_first_batch_of_a_new_chat_and_the_next_are_one_episode(desk) -> None:
    at = desk(per_chat=2)
    await at.say("ann", "bob", "cid")
    await at.say("dan")
    assert len(await at.notices()) == 1


async def test_a_persons_own_limit_is_told_to_each_person(desk) -> None:
    at = desk(per_person=1)
    await at.say("ann", "bob", "ann", "bob", "ann")
    texts = await at.notices()
    assert len(texts) == 2
    assert all(each.startswith("You have as many questions waiting") for each in texts)


async def test_a_refused_text_never_stands_in_a_notice(desk) -> None:
    at = desk(per_chat=1)
    await at.journal.accept([acceptance("ann"), acceptance("a secret", sender="bob", skill=Skill.HELP)])
    assert all("secret" not in each for each in await at.notices())


async def test_the_notice_of_an_owners_platform_reaches_the_owner(desk) -> None:
    at = desk(per_chat=1)
    await at.say("ann", "bob", "cid", sends_from=SendsFrom.OWNER)
    (owed,) = await at.journal.owed("fake", 10)
    assert isinstance(owed, OwedNotice)
    assert owed.kind is NoticeKind.BUSY


async def test_two_gateways_tell_a_full_chat_once(
    database_url: str, clock: ManualClock, database: Database
) -> None:
    """Twenty refusals of one chat through two gateways at once make one notice."""
    caps, vault = Caps(per_chat=1), EphemeralVault()
    async with Database(database_url) as other:
        desks = [Desk(store, clock, caps) for store in (database, other)]
        for each in desks:
            each.journal = Journal(each.database, vault, clock, caps)
        await desks[0].say("ann")
        await asyncio.gather(*(desks[n % 2].say(f"p{n}") for n in range(20)))
    assert len(await desks[0].notices()) == 1
    assert await desks[0].unspoken() == []


@pytest.mark.parametrize(
    ("quotas", "cap", "words"),
    [
        pytest.param(
            Quotas(person_hourly=2),
            Cap.PERSON_QUOTA,
            "I may take 2 messages from one person in one hour. Please ask again in about 30 minutes.",
            id="a person's hour",
        ),
        pytest.param(
            Quotas(person_daily=2),
            Cap.PERSON_QUOTA,
            "I may take 2 messages from one person in one day. Please ask again in about 12 hours.",
            id="a person's day",
        ),
        pytest.param(
            Quotas(chat_hourly=2),
            Cap.CHAT_QUOTA,
            "I may take 2 messages from this chat in one hour. Please ask again in about 30 minutes.",
            id="a chat's hour",
        ),
        pytest.param(
            Quotas(chat_daily=2),
            Cap.CHAT_QUOTA,
            "I may take 2 messages from this chat in one day. Please ask again in about 12 hours.",
            id="a chat's day",
        ),
    ],
)
@pytest.mark.parametrize("batched", [True, False], ids=["one batch", "three batches"])
async def test_a_quota_refuses_what_exceeds_it_and_says_when_it_ends(
    desk, quotas: Quotas, cap: Cap, words: str, batched: bool
) -> None:
    at = desk(quotas=quotas)
    at.clock.instant = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
    wanted = [acceptance(sender="ann", skill=Skill.HELP) for _ in range(3)]
    if batched:
        receipts = await at.journal.accept(wanted)
    else:
        receipts = [(await at.journal.accept([each]))[0] for each in wanted]
    assert [receipt.outcome for receipt in receipts] == [ACCEPTED, ACCEPTED, REFUSED]
    assert receipts[2].cap is cap
    assert await at.notices() == [words]


async def test_what_joins_is_counted_too(desk) -> None:
    at = desk(quotas=Quotas(person_hourly=2))
    receipts = await at.journal.accept([acceptance() for _ in range(3)])
    assert [each.outcome for each in receipts] == [ACCEPTED, Outcome.JOINED, REFUSED]


@pytest.mark.parametrize("batched", [True, False], ids=["one batch", "three batches"])
async def test_the_pieces_of_one_message_use_a_quota_up_once(desk, batched: bool) -> None:
    at = desk(quotas=Quotas(person_hourly=2))
    pieces = [acceptance(hold_back_s=1.0), acceptance(hold_back_s=1.0), acceptance(is_rest=True)]
    batches = [pieces] if batched else [[piece] for piece in pieces]
    receipts = [receipt for batch in batches for receipt in await at.journal.accept(batch)]
    assert [each.outcome for each in receipts] == [ACCEPTED, Outcome.JOINED, Outcome.JOINED]
    assert await at.say("ann", "ann") == [ACCEPTED, REFUSED]


async def test_a_turn_that_was_held_back_takes_nothing_more_for_free(desk) -> None:
    at = desk(quotas=Quotas(person_hourly=1))
    await at.journal.accept([acceptance(hold_back_s=1.0)])
    at.clock.advance(1)
    (receipt,) = await at.journal.accept([acceptance()])
    assert receipt.outcome is REFUSED


async def test_a_second_delivery_and_a_refusal_use_nothing_up(desk) -> None:
    at = desk(per_chat=1, quotas=Quotas(person_hourly=2))
    await at.say("ann", event="once")
    await at.say("ann", event="once")
    await at.say("ann")
    await at.serve()
    assert await at.say("ann") == [ACCEPTED]


async def test_the_next_hour_begins_with_the_whole_quota(desk, clock) -> None:
    clock.instant = datetime(2026, 11, 1, 12, 59, 59, tzinfo=UTC)
    at = desk(quotas=Quotas(person_hourly=1))
    assert await at.say("ann", "ann") == [ACCEPTED, REFUSED]
    clock.advance(1)
    assert await at.say("ann") == [ACCEPTED]


async def test_one_persons_quota_is_not_anothers(desk) -> None:
    at = desk(quotas=Quotas(person_hourly=1))
    assert await at.say("ann", "bob", "ann") == [ACCEPTED, ACCEPTED, REFUSED]


async def test_windows_that_are_over_are_forgotten(desk, clock, database: Database) -> None:
    at = desk(quotas=Quotas(person_hourly=1, chat_daily=100))
    await at.say("ann", "bob")
    clock.advance(2 * 86_400)
    await at.say("cid")
    async with database.read() as connection:
        (left,) = (await connection.execute(text("SELECT count(*) FROM quota_uses"))).one()
    assert left == 2


async def test_a_quota_episode_outlasts_what_is_answered_meanwhile(desk) -> None:
    at = desk(quotas=Quotas(person_hourly=1))
    await at.say("ann", "ann", "bob")
    await at.serve()
    await at.say("ann")
    assert len(await at.notices()) == 1


async def test_the_rest_of_a_message_joins_or_leaves_no_trace(desk, database: Database) -> None:
    at = desk()
    rest = acceptance(sender="ann", is_rest=True)
    (alone,) = await at.journal.accept([rest])
    assert alone.outcome is Outcome.IGNORED
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM inbounds"))).scalar_one() == 0
    _, joined = await at.journal.accept([acceptance(sender="ann"), rest])
    assert joined.outcome is Outcome.JOINED


async def claimed(at: Desk, token: int):
    chat = await at.journal.chat_by_conversation("fake", "main", "room")
    return await at.journal.claim(chat.id, token, "epoch")


async def test_a_turn_that_waits_for_its_rest_is_kept_from_the_workers_for_that_long(desk) -> None:
    at = desk()
    await at.journal.accept([acceptance("one", hold_back_s=1.0)])
    with pytest.raises(NotYet) as not_yet:
        await claimed(at, 1)
    assert not_yet.value.delay_ms == 1000
    at.clock.advance(1)
    assert [said.text for said in (await claimed(at, 2)).said] == ["one"]


async def test_a_piece_that_joins_a_turn_that_waited_long_holds_it_back_once(desk) -> None:
    at = desk()
    await at.journal.accept([acceptance("one")])
    at.clock.advance(10)
    await at.journal.accept([acceptance("two", hold_back_s=1.0)])
    at.clock.advance(0.9)
    await at.journal.accept([acceptance("three", hold_back_s=1.0)])
    at.clock.advance(0.1)
    assert [said.text for said in (await claimed(at, 1)).said] == ["one", "two", "three"]


async def test_pieces_hold_a_new_turn_back_for_two_moments_at_most(desk) -> None:
    at = desk()
    for _ in range(8):
        await at.journal.accept([acceptance(hold_back_s=1.0)])
        at.clock.advance(0.3)
    assert await claimed(at, 1) is not None


async def test_the_persons_waiting_are_counted_by_an_index(database: Database) -> None:
    query = (
        "SELECT sender_id, adapter, count(*) FROM turns WHERE turns.state = 'waiting'"
        " AND sender_id IN ('a', 'b') GROUP BY sender_id, adapter"
    )
    explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    async with database.read() as connection:
        if database.dialect == "postgresql":
            # An empty table is scanned whatever its indexes.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = (await connection.execute(text(f"{explain} {query}"))).all()
    assert any("ix_turns_person" in str(step) for step in plan)
