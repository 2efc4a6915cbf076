"""Dead letters: the exact state in which a turn died, its trail, and a requeue that runs once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from adapters.base import SendsFrom
from bot.chat.memory_vault import EphemeralVault
from bot.errors import Fenced
from bot.store.database import Database
from bot.turns.dead_letters import Requeued, TrailEvent, Which
from bot.turns.journal import Journal, NotYet, OwedNotice, OwedReply
from bot.turns.journal.dead import DeadLetters
from bot.turns.journal.rows import inbounds, reply_parts, trail
from bot.turns.model import NoticeKind, TurnState
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply

ALL = Which()


@pytest.fixture
def letters(database: Database, clock: ManualClock) -> DeadLetters:
    return DeadLetters(database, clock)


async def chat_of(journal: Journal, conversation: str = "room") -> str:
    return (await journal.chat_by_conversation("fake", "main", conversation)).id


async def claim(journal: Journal, token: int, conversation: str = "room"):
    return await journal.claim(await chat_of(journal, conversation), token, "e")


async def give_up(journal: Journal, turn) -> None:
    await journal.give_up(turn, TurnState.DEAD, NoticeKind.FAILED, "Sorry.")


async def died(journal: Journal, clock: ManualClock, *, conversation: str = "room", error: str = "Broke: x"):
    """Have a turn fail once and be given up."""
    await journal.accept([acceptance(conversation=conversation)])
    await journal.fail(await claim(journal, 1, conversation), error, clock.now())
    turn = await claim(journal, 2, conversation)
    await give_up(journal, turn)
    return turn


async def notice_arrived(journal: Journal, clock: ManualClock) -> OwedNotice:
    notice = await journal.claim_notice(clock.now(), 10)
    await journal.notice_sent(notice.notice_id, "m")
    return notice


async def requeue(letters: DeadLetters, which: Which = ALL) -> list[Requeued]:
    return [await letters.requeue(letter, deadline_s=60) for letter in await letters.listed(which)]


async def steps(letters: DeadLetters, turn_id: str) -> list[tuple]:
    trail = (await letters.details(turn_id)).trail
    return [(step.event, step.state, step.attempts, step.counted, step.token, step.error) for step in trail]


async def test_a_letter_keeps_the_reason_and_the_exact_state(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    turn = await died(journal, clock, error="EngineFailed: the stream broke off")
    [letter] = await letters.listed(ALL)
    assert (letter.turn_id, letter.chat_id, letter.adapter) == (turn.id, turn.chat.id, "fake")
    assert (letter.reason, letter.error) == ("EngineFailed", "EngineFailed: the stream broke off")
    assert (letter.state, letter.attempts, letter.token) == (TurnState.WAITING, 1, 2)
    assert (letter.died_at, letter.requeues) == (clock.now(), 0)


async def test_a_letter_knows_how_far_a_stored_reply_had_come(journal: Journal, letters: DeadLetters) -> None:
    await journal.accept([acceptance()])
    stored = await journal.store_reply(await claim(journal, 1), reply("abc", parts=("a", "b", "c")))
    await journal.start_part(stored, 0)
    await journal.part_sent(stored, 0, "m0")
    await journal.start_part(stored, 1)
    await journal.release(stored)
    await give_up(journal, await claim(journal, 2))
    details = await letters.details(stored.id)
    assert (details.letter.state, details.state_now) == (TurnState.SENDING, TurnState.DEAD)
    assert (details.parts.stored, details.parts.sent, details.parts.in_doubt) == (3, 1, 1)
    assert (details.messages, details.notice, details.has_placeholder) == (1, "waiting", False)


async def test_the_trail_tells_every_attempt_in_order(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    await journal.accept([acceptance()])
    await journal.fail(await claim(journal, 1), "EngineFailed: gone", clock.now())
    await claim(journal, 2)  # its worker dies
    third = await claim(journal, 3)
    await journal.fail(third, "ValueError in reply", clock.now())
    await give_up(journal, await claim(journal, 4))
    waiting = TurnState.WAITING
    assert await steps(letters, third.id) == [
        (TrailEvent.FAILED, waiting, 1, True, 1, "EngineFailed: gone"),
        (
            TrailEvent.LAPSED,
            waiting,
            2,
            True,
            2,
            "LeaseExpired: the worker died or stood still past its lease",
        ),
        (TrailEvent.FAILED, waiting, 3, True, 3, "ValueError in reply"),
        (TrailEvent.GIVEN_UP, waiting, 3, False, 4, "ValueError in reply"),
    ]


async def test_a_turn_whose_workers_all_died_died_of_that(journal: Journal, letters: DeadLetters) -> None:
    await journal.accept([acceptance()])
    for token in (1, 2, 3):
        await claim(journal, token)
    await give_up(journal, await claim(journal, 4))
    [letter] = await letters.listed(ALL)
    assert (letter.reason, letter.attempts) == ("LeaseExpired", 3)


async def test_a_lease_lost_with_the_schedule_is_told_and_charges_nothing(
    journal: Journal, letters: DeadLetters
) -> None:
    await journal.accept([acceptance()])
    chat = await chat_of(journal)
    await journal.claim(chat, 1, "before")
    turn = await journal.claim(chat, 2, "after")
    await give_up(journal, turn)
    [lapsed, _] = await steps(letters, turn.id)
    assert lapsed[:5] == (TrailEvent.LAPSED, TurnState.WAITING, 0, False, 1)


async def test_what_is_not_there_for_hours_is_one_step_of_the_trail(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    await journal.accept([acceptance()])
    began = clock.now()
    for token in range(1, 100):
        await journal.release(await claim(journal, token), "EngineNotReady")
        clock.advance(1)
    turn = await claim(journal, 100)
    await give_up(journal, turn)
    [postponed, _] = (await letters.details(turn.id)).trail
    assert (postponed.event, postponed.error, postponed.times) == (TrailEvent.POSTPONED, "EngineNotReady", 99)
    assert (postponed.attempts, postponed.counted, postponed.token) == (0, False, 99)
    assert (postponed.first_at, postponed.last_at) == (began, began + timedelta(seconds=98))


async def test_a_step_that_was_fenced_leaves_no_trail(
    journal: Journal, letters: DeadLetters, database: Database, clock: ManualClock
) -> None:
    await journal.accept([acceptance()])
    old = await claim(journal, 1)
    new = await claim(journal, 2)
    for step in (journal.fail(old, "x", clock.now()), journal.release(old, "x"), give_up(journal, old)):
        with pytest.raises(Fenced):
            await step
    async with database.read() as connection:
        tokens = list((await connection.execute(select(trail.c.token))).scalars())
    assert tokens == [1], "only the lease that new took over"
    assert await letters.count(ALL) == 0
    await give_up(journal, new)


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (Which(), ["one", "two", "three"]),
        (Which(reason="Ambiguous"), ["two"]),
        (Which(adapter="other"), []),
        (Which(adapter="fake", reason="EngineFailed"), ["one", "three"]),
        (Which(turn_ids=("no such turn",)), []),
    ],
    ids=["all", "reason", "adapter", "both", "id"],
)
async def test_letters_are_chosen_by_everything_that_is_given(
    journal: Journal, letters: DeadLetters, clock: ManualClock, which: Which, found: list[str]
) -> None:
    ids = {}
    for room, error in (("one", "EngineFailed: x"), ("two", "Ambiguous: y"), ("three", "EngineFailed: z")):
        ids[(await died(journal, clock, conversation=room, error=error)).id] = room
        clock.advance(60)
    assert [ids[letter.turn_id] for letter in await letters.listed(which)] == found
    assert await letters.count(which) == len(found)


async def test_letters_are_chosen_by_chat_and_by_age(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    first = await died(journal, clock, conversation="one")
    clock.advance(60)
    second = await died(journal, clock, conversation="two")
    by_chat = await letters.listed(Which(chat_id=second.chat.id))
    by_age = await letters.listed(Which(died_before=clock.now() - timedelta(seconds=30)))
    assert [letter.turn_id for letter in by_chat] == [second.id]
    assert [letter.turn_id for letter in by_age] == [first.id]


async def test_letters_come_in_pages_each_once(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    for number in range(5):
        await died(journal, clock, conversation=f"room{number}")
    seen = []
    while page := await letters.listed(ALL, limit=2, behind=seen[-1] if seen else None):
        assert len(page) <= 2
        seen += page
    assert len({letter.turn_id for letter in seen}) == len(seen) == 5


async def test_a_requeued_turn_is_tried_again_from_the_beginning(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    turn = await died(journal, clock)
    await notice_arrived(journal, clock)
    clock.advance(3600)
    assert await requeue(letters) == [Requeued.DONE]
    assert await letters.count(ALL) == 0
    [chat] = await journal.unfinished()
    assert await letters.weights([chat.chat_id]) == {turn.chat.id: chat.weight}
    again = await claim(journal, 9)
    assert (again.id, again.state, again.attempts) == (turn.id, TurnState.WAITING, 0)
    assert again.deadline_at == clock.now() + timedelta(seconds=60)
    assert again.said == turn.said


async def test_a_requeued_reply_is_sent_and_not_generated_again(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    await journal.accept([acceptance()])
    stored = await journal.store_reply(await claim(journal, 1), reply("ab", parts=("a", "b")))
    await journal.start_part(stored, 0)
    await journal.part_sent(stored, 0, "m0")
    await journal.start_part(stored, 1)
    await give_up(journal, await claim(journal, 2))
    assert await journal.exchanges(stored.chat, 99) == []
    before = (await journal.context_state(stored.chat.id))[0]
    assert await requeue(letters) == [Requeued.DONE]
    again = await claim(journal, 9)
    assert (again.state, again.reply) == (TurnState.REPLIED, "ab")
    assert [(part.message, part.in_doubt) for part in again.parts] == [("m0", False), (None, True)]
    assert (await journal.context_state(stored.chat.id))[0] == before + 1
    assert [exchange.reply for exchange in await journal.exchanges(stored.chat, 99)] == ["ab"]


async def test_a_requeue_pressed_twice_requeues_once(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    await died(journal, clock)
    [letter] = await letters.listed(ALL)
    pressed = [await letters.requeue(letter, deadline_s=60) for _ in range(3)]
    assert pressed == [Requeued.DONE, Requeued.CHANGED, Requeued.CHANGED]


async def test_a_requeue_from_two_places_at_once_requeues_once(
    journal: Journal, letters: DeadLetters, clock: ManualClock, database_url: str
) -> None:
    await died(journal, clock)
    [letter] = await letters.listed(ALL)
    async with Database(database_url) as other:
        both = (letters, DeadLetters(other, clock))
        pressed = await asyncio.gather(*(place.requeue(letter, deadline_s=60) for place in (*both, *both)))
    assert sorted(pressed) == [Requeued.CHANGED] * 3 + [Requeued.DONE]
    details = await letters.details(letter.turn_id)
    assert details.letter.requeues == 1
    assert [step.event for step in details.trail].count(TrailEvent.REQUEUED) == 1


async def test_whoever_gave_a_turn_up_changes_nothing_of_it_once_it_is_requeued(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    turn = await died(journal, clock)
    await requeue(letters)
    for step in (journal.fail(turn, "x", clock.now()), give_up(journal, turn), journal.release(turn)):
        with pytest.raises(Fenced):
            await step
    assert (await claim(journal, 9)).attempts == 0


async def test_a_second_death_is_another_one_with_a_notice_of_its_own(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    turn = await died(journal, clock)
    [first] = await letters.listed(ALL)
    said = await notice_arrived(journal, clock)
    await requeue(letters)
    clock.advance(5)
    await journal.fail(await claim(journal, 8), "Rejected: never", clock.now())
    await give_up(journal, await claim(journal, 9))
    [second] = await letters.listed(ALL)
    assert (second.turn_id, second.reason, second.requeues) == (turn.id, "Rejected", 1)
    assert await letters.requeue(first, deadline_s=60) is Requeued.CHANGED, "an old look requeued a new death"
    again = await notice_arrived(journal, clock)
    assert again.turn_id == turn.id
    assert again.op_id != said.op_id


async def test_a_notice_that_waits_is_not_said_of_a_requeued_turn(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    await died(journal, clock)
    await requeue(letters)
    assert await journal.claim_notice(clock.now(), 10) is None


async def test_a_turn_whose_notice_is_being_sent_is_not_requeued_before_that_is_over(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    await died(journal, clock)
    notice = await journal.claim_notice(clock.now(), 10)
    assert await requeue(letters) == [Requeued.BUSY]
    assert await journal.unfinished() == []
    await journal.notice_sent(notice.notice_id, "m")
    assert await requeue(letters) == [Requeued.DONE]


async def test_a_discarded_letter_leaves_the_list_and_its_turn_stays_dead(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    turn = await died(journal, clock)
    [letter] = await letters.listed(ALL)
    assert (await journal.counts()).dead == 1
    assert await letters.discard(letter)
    assert not await letters.discard(letter)
    assert await letters.requeue(letter, deadline_s=60) is Requeued.CHANGED
    assert (await letters.listed(ALL), (await journal.counts()).dead) == ([], 0)
    details = await letters.details(turn.id)
    assert (details.state_now, details.letter.discarded_at) == (TurnState.DEAD, clock.now())
    assert details.trail[-1].event is TrailEvent.DISCARDED


async def test_a_turn_that_never_died_has_no_letter(journal: Journal, letters: DeadLetters) -> None:
    await journal.accept([acceptance()])
    turn = await claim(journal, 1)
    assert await letters.details(turn.id) is None


async def test_what_no_longer_opens_leaves_a_letter_that_says_so(
    journal: Journal, letters: DeadLetters, database: Database
) -> None:
    await journal.accept([acceptance()])
    async with database.write() as connection:
        await connection.execute(update(inbounds).values(said_sealed=b"broken"))
    assert await claim(journal, 1) is None
    [letter] = await letters.listed(ALL)
    assert (letter.reason, letter.state) == ("SealBroken", TurnState.WAITING)


async def test_an_owners_reply_that_no_longer_opens_leaves_a_letter_and_can_be_sent_once_it_does(
    journal: Journal, letters: DeadLetters, database: Database
) -> None:
    await journal.accept([acceptance(sends_from=SendsFrom.OWNER)])
    await journal.store_reply(await claim(journal, 1), reply("noon"))
    async with database.write() as connection:
        sealed = (await connection.execute(select(reply_parts.c.text_sealed))).scalar_one()
        await connection.execute(update(reply_parts).values(text_sealed=b"broken"))
    await journal.owed("fake", 10)
    [letter] = await letters.listed(ALL)
    assert (letter.reason, letter.state) == ("SealBroken", TurnState.REPLIED)
    async with database.write() as connection:
        await connection.execute(update(reply_parts).values(text_sealed=sealed))
    assert await requeue(letters) == [Requeued.DONE]
    [owed] = await journal.owed("fake", 10)
    assert isinstance(owed, OwedReply)
    assert owed.parts[0].text == "noon"


async def test_a_requeued_turn_waits_out_no_old_backoff(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    turn = await died(journal, clock)
    await requeue(letters)
    try:
        assert (await claim(journal, 9)).id == turn.id
    except NotYet:
        pytest.fail("it waits for a failure of its life before")


async def test_a_letter_read_before_a_requeue_is_no_longer_discarded(
    journal: Journal, letters: DeadLetters, clock: ManualClock
) -> None:
    await died(journal, clock)
    [letter] = await letters.listed(ALL)
    await requeue(letters)
    assert not await letters.discard(letter)
    assert not await letters.discard(replace(letter, requeues=1))
    assert (await journal.counts()).waiting == 1


async def test_letters_need_no_key(journal: Journal, letters: DeadLetters, clock: ManualClock) -> None:
    """What operators read was never sealed, and what was sealed they cannot read: there is no vault to ask."""
    await died(journal, clock)
    assert not any(isinstance(held, EphemeralVault) for held in vars(letters).values())
    assert await requeue(letters) == [Requeued.DONE]
