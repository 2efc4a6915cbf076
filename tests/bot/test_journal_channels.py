"""What channels bring to the record: presses, ratings, moves, departures and reports of what was delivered."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from adapters.base import (
    Action,
    ConversationMoved,
    Delivery,
    DeliveryFailure,
    DeliveryState,
    Person,
    Pressed,
)
from bot.chat.memory_vault import EphemeralVault
from bot.errors import Fenced
from bot.store.database import Database
from bot.turns.dead_letters import Requeued, Which
from bot.turns.journal import Cancelled, DeliveryChange, Journal
from bot.turns.journal.burying import ratings
from bot.turns.journal.dead import DeadLetters
from bot.turns.journal.forgetting import Forgetting
from bot.turns.journal.introducing import LEAST_PAUSE
from bot.turns.journal.retaining import Retaining
from bot.turns.journal.rows import chats, notices, turns
from bot.turns.model import Memory, MemoryChange, NoticeKind, Skill, Turn, TurnState
from bot.turns.ratings import Rating
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply

MOVED = ConversationMoved(adapter="fake", account="main", old="room", new="hall")


@pytest.fixture
def vault() -> EphemeralVault:
    return EphemeralVault()


@pytest.fixture
def journal(database: Database, vault: EphemeralVault, clock: ManualClock) -> Journal:
    return Journal(database, vault, clock)


def pressed(message: str, action: Action = Action.GOOD, conversation: str = "room") -> Pressed:
    return Pressed(
        adapter="fake",
        account="main",
        event_key="press-1",
        conversation=conversation,
        message=message,
        sender=Person(id="ann", name="Ann"),
        action=action,
    )


def report(state: DeliveryState, failure: DeliveryFailure | None = None, message: str = "m0") -> Delivery:
    return Delivery(
        adapter="fake", account="main", message=message, state=state, failure=failure, code="63016"
    )


async def claimed(journal: Journal, conversation: str = "room", token: int = 1) -> Turn | None:
    chat = await journal.chat_by_conversation("fake", "main", conversation)
    return await journal.claim(chat.id, token, "epoch")


async def sent(journal: Journal, *messages: str, conversation: str = "room", sender: str = "ann") -> Turn:
    """Have a turn answered; each part arrives under one of these references."""
    await journal.accept([acceptance("why?", conversation=conversation, sender=sender)])
    turn = await journal.store_reply(
        await claimed(journal, conversation), reply("because", parts=tuple(messages))
    )
    for number, message in enumerate(messages):
        await journal.start_part(turn, number)
        await journal.part_sent(turn, number, message)
    await journal.finish(turn)
    return turn


async def state_of(database: Database, turn_id: str) -> str:
    async with database.read() as connection:
        return (await connection.execute(select(turns.c.state).where(turns.c.id == turn_id))).scalar_one()


async def rated(database: Database) -> list[str]:
    async with database.read() as connection:
        return sorted((await connection.execute(select(ratings.c.value))).scalars())


async def test_a_press_finds_the_turn_of_any_of_its_messages(journal: Journal) -> None:
    turn = await sent(journal, "m0", "m1")
    for message in ("m0", "m1"):
        asked = await journal.asked_under(pressed(message))
        assert (asked.turn_id, asked.sender_id, asked.skill) == (turn.id, "ann", Skill.ANSWER)
    assert [said.text for said in await journal.said_in(asked)] == ["why?"]


async def test_a_press_finds_a_turn_by_its_placeholder_while_the_reply_grows(journal: Journal) -> None:
    await journal.accept([acceptance()])
    turn = await claimed(journal)
    await journal.placeholder_posted(turn, "sign")
    asked = await journal.asked_under(pressed("sign"))
    assert (asked.turn_id, asked.state) == (turn.id, TurnState.WAITING)


@pytest.mark.parametrize(
    "event", [pressed("m0", conversation="elsewhere"), pressed("m9")], ids=["another chat", "unknown"]
)
async def test_a_press_under_a_message_that_is_not_known_there_finds_nothing(
    journal: Journal, event: Pressed
) -> None:
    await sent(journal, "m0")
    await sent(journal, "other", conversation="elsewhere")
    assert await journal.asked_under(event) is None


async def test_stopping_one_turn_leaves_the_others_of_the_chat(journal: Journal, clock: ManualClock) -> None:
    first, second = await journal.accept([acceptance(sender="ann"), acceptance(sender="bob")])
    clock.advance(3)
    cancelled = await journal.request_cancel_of(first.chat_id, first.turn_id)
    assert cancelled == Cancelled(asked=(), ended=((first.turn_id, 3.0),))
    assert (await claimed(journal)).id == second.turn_id
    notice = await journal.claim_notice(clock.now(), 60)
    assert (notice.turn_id, notice.kind) == (first.turn_id, NoticeKind.STOPPED)


async def test_stopping_a_turn_in_somebodys_hands_asks_for_it(journal: Journal) -> None:
    await journal.accept([acceptance()])
    turn = await claimed(journal)
    assert (await journal.request_cancel_of(turn.chat.id, turn.id)).asked == (turn.id,)
    assert await journal.cancel_requested(turn.id)


async def test_stopping_what_is_answered_changes_nothing(journal: Journal, database: Database) -> None:
    turn = await sent(journal, "m0")
    assert await journal.request_cancel_of(turn.chat.id, turn.id) == Cancelled(asked=(), ended=())
    assert await state_of(database, turn.id) == TurnState.SENT


async def test_a_question_is_under_way_again_until_it_is_answered(journal: Journal) -> None:
    turn = await sent(journal, "m0")
    asked = await journal.asked_under(pressed("m0"))
    assert asked.turn_id == turn.id
    assert not await journal.is_asked_again(asked, turn.said[-1].message)
    again = acceptance(event="press")
    await journal.accept([again])
    assert await journal.is_asked_again(asked, again.inbound.message)


async def test_a_question_waits_for_its_own_turn_only_until_the_reply_is_there(journal: Journal) -> None:
    await journal.accept([acceptance()])
    turn = await claimed(journal)
    await journal.placeholder_posted(turn, "sign")
    asked = await journal.asked_under(pressed("sign"))
    assert await journal.is_asked_again(asked, turn.said[-1].message)
    await journal.store_reply(turn, reply())
    assert not await journal.is_asked_again(asked, turn.said[-1].message)


async def test_changing_ones_mind_replaces_a_rating_and_the_same_again_is_nothing(
    journal: Journal, database: Database
) -> None:
    turn = await sent(journal, "m0")
    said = [
        await journal.rate(turn.chat.id, turn.id, "ann", verdict)
        for verdict in (Rating.GOOD, Rating.GOOD, Rating.BAD)
    ]
    assert (said, await rated(database)) == ([True, False, True], ["bad"])


async def test_each_person_rates_for_themselves_and_nobody_can_be_read(
    journal: Journal, database: Database
) -> None:
    turn = await sent(journal, "m0")
    await journal.rate(turn.chat.id, turn.id, "ann", Rating.GOOD)
    await journal.rate(turn.chat.id, turn.id, "bob", Rating.BAD)
    assert await rated(database) == ["bad", "good"]
    async with database.read() as connection:
        persons = (await connection.execute(select(ratings.c.person))).scalars().all()
    assert not {"ann", "bob"} & set(persons)


async def test_forgetting_a_person_forgets_what_they_thought_of_others_replies(
    journal: Journal, database: Database, vault: EphemeralVault, clock: ManualClock
) -> None:
    turn = await sent(journal, "m0", sender="ann")
    await journal.rate(turn.chat.id, turn.id, "ann", Rating.GOOD)
    await journal.rate(turn.chat.id, turn.id, "bob", Rating.BAD)
    await Forgetting(database, vault, clock).forget_person(turn.chat.id, "bob")
    assert await rated(database) == ["good"]


async def test_ratings_go_with_the_words_they_are_about(
    journal: Journal, database: Database, vault: EphemeralVault, clock: ManualClock
) -> None:
    turn = await sent(journal, "m0")
    await journal.rate(turn.chat.id, turn.id, "bob", Rating.BAD)
    clock.advance(60)
    await Retaining(database, vault).sweep(clock.now(), clock.now())
    assert await rated(database) == []


async def test_a_chat_takes_everything_along_to_its_new_reference(journal: Journal) -> None:
    await sent(journal, "m0")
    await journal.accept([acceptance("and now?", event="waits")])
    before = await journal.chat_by_conversation("fake", "main", "room")
    moved = await journal.move(MOVED)
    assert (moved.chat.id, moved.chat.conversation) == (before.id, "hall")
    assert await journal.chat_by_conversation("fake", "main", "room") is None
    turn = await claimed(journal, "hall", token=2)
    assert (turn.said[-1].text, turn.said[-1].message) == ("and now?", "message-of-waits")
    assert [one.reply for one in await journal.exchanges(turn.chat, turn.ord)] == ["because"]


async def test_a_part_in_flight_is_sent_to_the_new_reference(journal: Journal) -> None:
    await journal.accept([acceptance()])
    turn = await journal.store_reply(await claimed(journal), reply(parts=("one", "two")))
    await journal.start_part(turn, 0)
    await journal.move(MOVED)
    await journal.part_sent(turn, 0, "m0")
    again = await claimed(journal, "hall", token=2)
    assert (again.chat.conversation, [part.message for part in again.parts]) == ("hall", ["m0", None])


async def test_moving_again_and_moving_what_was_never_addressed_changes_nothing(journal: Journal) -> None:
    assert (await journal.move(MOVED)).chat is None
    await sent(journal, "m0")
    await journal.move(MOVED)
    assert (await journal.move(MOVED)).chat is None
    assert await journal.chat_by_conversation("fake", "main", "hall")


async def test_where_people_were_quicker_the_new_chat_becomes_the_end_of_the_old_one(
    journal: Journal, database: Database
) -> None:
    await sent(journal, "m0")
    await sent(journal, "m0", conversation="hall")
    await journal.accept([acceptance("and now?", conversation="hall")])
    old = await journal.chat_by_conversation("fake", "main", "room")
    moved = await journal.move(MOVED)
    assert moved.chat.id == old.id
    turn = await claimed(journal, "hall", token=2)
    assert (turn.chat.id, turn.ord, turn.said[-1].text) == (old.id, 3, "and now?")
    assert [one.ord for one in await journal.exchanges(turn.chat, turn.ord)] == [1, 2]
    async with database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(chats))).scalar_one() == 1


async def test_whoever_holds_a_turn_of_the_chat_that_goes_begins_anew(journal: Journal) -> None:
    await sent(journal, "m0")
    await journal.accept([acceptance("and now?", conversation="hall")])
    held = await claimed(journal, "hall")
    moved = await journal.move(MOVED)
    assert moved.held == (held.id,)
    with pytest.raises(Fenced):
        await journal.store_reply(held, reply())
    again = await claimed(journal, "hall", token=9)
    await journal.store_reply(again, reply("now"))
    assert again.id == held.id


async def test_what_the_new_chat_was_asked_to_remember_stands_behind_what_the_old_one_was(
    journal: Journal,
) -> None:
    for conversation, text in (("room", "old thing"), ("hall", "new thing")):
        await journal.accept([acceptance(conversation=conversation, skill=Skill.REMEMBER)])
        turn = await claimed(journal, conversation)
        memory = Memory(id=turn.id, number=1, text=text, sender_id="ann", sender_name="Ann")
        change = MemoryChange(adds=memory, card=text)
        await journal.store_reply(turn, _remembering(change))
    moved = await journal.move(MOVED)
    remembered = await journal.memories(moved.chat)
    assert [(one.number, one.text) for one in remembered.memories] == [(1, "old thing"), (2, "new thing")]
    card = (await journal.background(moved.chat)).card
    assert card.index("old thing") < card.index("new thing")


def _remembering(change: MemoryChange):
    return replace(reply(prompt=None), memories=change)


async def test_where_the_assistant_was_removed_everything_is_over_without_a_word(
    journal: Journal, database: Database, clock: ManualClock
) -> None:
    first, second = await journal.accept([acceptance(sender="ann"), acceptance(sender="bob")])
    held = await claimed(journal)
    ended = await journal.left(first.chat_id)
    assert (ended.asked, {turn for turn, _ in ended.ended}) == (
        (held.id,),
        {first.turn_id, second.turn_id},
    )
    assert await claimed(journal, token=5) is None
    assert await journal.claim_notice(clock.now(), 60) is None
    with pytest.raises(Fenced):
        await journal.store_reply(held, reply())
    assert await journal.left(first.chat_id) == Cancelled(asked=(), ended=())


async def test_a_reply_that_nobody_will_see_leaves_the_context(journal: Journal) -> None:
    await journal.accept([acceptance()])
    turn = await journal.store_reply(await claimed(journal), reply())
    await journal.left(turn.chat.id)
    chat = await journal.chat_by_conversation("fake", "main", "room")
    assert chat.context_version > turn.chat.context_version
    assert await journal.exchanges(chat, 99) == []


async def test_a_notice_that_nobody_will_see_is_gone(journal: Journal, clock: ManualClock) -> None:
    [receipt] = await journal.accept([acceptance(refusal=(NoticeKind.BUSY, "Busy."))])
    await journal.left(receipt.chat_id)
    assert await journal.claim_notice(clock.now(), 60) is None


async def met(journal: Journal):
    [receipt] = await journal.accept([acceptance()])
    await journal.met(receipt.chat_id)
    return await journal.chat_by_conversation("fake", "main", "room")


async def test_who_joins_is_told_once_and_the_same_event_is_told_the_same(
    journal: Journal, clock: ManualClock
) -> None:
    chat = await met(journal)
    clock.advance(LEAST_PAUSE.total_seconds())
    assert [await journal.claim_introduction(chat, "eve", key) for key in ("join", "join", "again")] == [
        True,
        True,
        False,
    ]


async def test_a_chat_is_told_no_more_often_than_once_an_hour(journal: Journal, clock: ManualClock) -> None:
    chat = await met(journal)
    said = []
    for person, minutes in (("eve", 59), ("fay", 1), ("gus", 59), ("hal", 1)):
        clock.advance(timedelta(minutes=minutes).total_seconds())
        said.append(await journal.claim_introduction(chat, person, f"{person} joined"))
    assert said == [False, True, False, True]


async def test_who_joins_before_the_first_reply_is_told_by_that(journal: Journal) -> None:
    await journal.accept([acceptance()])
    chat = await journal.chat_by_conversation("fake", "main", "room")
    assert not await journal.claim_introduction(chat, "eve", "join")


async def test_reports_only_move_on(journal: Journal) -> None:
    await sent(journal, "m0")
    states = (DeliveryState.SENT, DeliveryState.READ, DeliveryState.DELIVERED, DeliveryState.READ)
    changes = [(await journal.delivered(report(state))).change for state in states]
    moved, nothing = DeliveryChange.MOVED, DeliveryChange.NOTHING
    assert changes == [moved, moved, nothing, nothing]


async def test_a_report_on_anothers_message_is_unknown(journal: Journal) -> None:
    await sent(journal, "m0")
    reported = await journal.delivered(report(DeliveryState.READ, message="m7"))
    assert reported.change is DeliveryChange.UNKNOWN


async def test_a_notice_is_reported_on_as_well(journal: Journal, clock: ManualClock) -> None:
    await journal.accept([acceptance(refusal=(NoticeKind.BUSY, "Busy."))])
    notice = await journal.claim_notice(clock.now(), 60)
    await journal.notice_sent(notice.notice_id, "m0")
    changes = [(await journal.delivered(report(DeliveryState.DELIVERED))).change for _ in range(2)]
    assert changes == [DeliveryChange.MOVED, DeliveryChange.NOTHING]


async def test_what_met_a_closed_window_is_sent_once_more_and_then_a_dead_letter(
    journal: Journal, database: Database, clock: ManualClock
) -> None:
    turn = await sent(journal, "m0")
    failed = DeliveryFailure.WINDOW_CLOSED
    assert (await journal.delivered(report(DeliveryState.FAILED, failed))).change is DeliveryChange.AGAIN
    again = await claimed(journal, token=2)
    assert (again.id, again.state, again.parts[0].message, again.parts[0].in_doubt) == (
        turn.id,
        TurnState.REPLIED,
        None,
        False,
    )
    await journal.start_part(again, 0)
    await journal.part_sent(again, 0, "m1")
    await journal.finish(again)
    last = await journal.delivered(report(DeliveryState.FAILED, failed, message="m1"))
    assert last.change is DeliveryChange.DEAD
    [letter] = await DeadLetters(database, clock).listed(Which())
    assert (letter.turn_id, letter.reason) == (turn.id, "WindowClosed")
    assert "63016" in letter.error


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (DeliveryFailure.GONE, "Gone"),
        (DeliveryFailure.POLICY, "PolicyBlocked"),
        (DeliveryFailure.REFUSED, "Rejected"),
        (None, "Rejected"),
    ],
    ids=str,
)
async def test_what_will_never_arrive_is_a_dead_letter_with_its_reason(
    journal: Journal, database: Database, clock: ManualClock, failure: DeliveryFailure | None, reason: str
) -> None:
    turn = await sent(journal, "m0")
    assert (await journal.delivered(report(DeliveryState.FAILED, failure))).change is DeliveryChange.DEAD
    letters = DeadLetters(database, clock)
    [letter] = await letters.listed(Which())
    assert letter.reason == reason
    chat = await journal.chat_by_conversation("fake", "main", "room")
    assert await journal.exchanges(chat, 99) == []
    assert await letters.requeue(letter, deadline_s=60) is Requeued.DONE
    assert (await claimed(journal, token=9)).parts[0].message is None
    assert await state_of(database, turn.id) == TurnState.REPLIED


async def test_what_met_a_limit_waits_before_it_is_sent_once_more(
    journal: Journal, database: Database, clock: ManualClock
) -> None:
    turn = await sent(journal, "m0")
    again = await journal.delivered(report(DeliveryState.FAILED, DeliveryFailure.LIMITED))
    assert again.change is DeliveryChange.AGAIN
    async with database.read() as connection:
        query = select(turns.c.not_before).where(turns.c.id == turn.id)
        assert (await connection.execute(query)).scalar_one() > clock.now()


async def test_a_failed_part_of_a_turn_that_is_being_sent_waits_until_that_is_over(journal: Journal) -> None:
    await journal.accept([acceptance()])
    turn = await journal.store_reply(await claimed(journal), reply(parts=("one", "two")))
    await journal.start_part(turn, 0)
    await journal.part_sent(turn, 0, "m0")
    gone = report(DeliveryState.FAILED, DeliveryFailure.GONE)
    assert (await journal.delivered(gone)).change is DeliveryChange.BUSY


async def test_an_introduction_answers_no_message_and_counts_as_no_refusal(
    journal: Journal, database: Database
) -> None:
    told = acceptance(refusal=(NoticeKind.INTRODUCED, "I am an AI."))
    [receipt] = await journal.accept([replace(told, inbound=replace(told.inbound, message=""))])
    assert await state_of(database, receipt.turn_id) == TurnState.SENT
    async with database.read() as connection:
        assert (await connection.execute(select(notices.c.reply_to))).scalar_one() is None
