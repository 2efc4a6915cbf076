"""First signs in the record: who may post one, what is read of those without, and what becomes of a failed one."""

from datetime import timedelta

from bot.turns.journal import Journal
from bot.turns.journal.owed import ChatLine
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance

SOON = timedelta(seconds=9)


async def accepted(journal: Journal, *rooms: str) -> list[str]:
    batch = [acceptance(conversation=room, sender=f"person{n}") for n, room in enumerate(rooms)]
    return [receipt.turn_id for receipt in await journal.accept(batch)]


async def test_turns_without_a_sign_come_in_pages_oldest_first_each_once(
    journal: Journal, clock: ManualClock
) -> None:
    turns = []
    for number in range(5):
        turns += await accepted(journal, f"room{number}", f"room{number}")
        clock.advance(1)
    found, after = [], None
    while page := await journal.unsigned(clock.now(), 3, after, adapters=["fake"]):
        found += [turn.turn_id for turn in page]
        after = page[-1].accepted_at, page[-1].turn_id
    assert found == turns


async def test_turns_of_a_platform_without_signs_are_not_read(journal: Journal, clock: ManualClock) -> None:
    await journal.accept([acceptance(adapter="other")])
    [turn] = await accepted(journal, "room")
    clock.advance(1)
    found = await journal.unsigned(clock.now(), 10, adapters=["fake"])
    assert [each.turn_id for each in found] == [turn]


async def test_a_failed_sign_is_anybodys_to_post_again(journal: Journal, clock: ManualClock) -> None:
    [turn] = await accepted(journal, "room")
    until = clock.now() + SOON
    assert await journal.sign_claim(turn, until, told_wait_s=60.0)
    await journal.sign_not_posted(turn, until)
    assert await journal.sign_of(turn) == (None, None)
    assert not (await journal.lines([await _chat(journal)]))[await _chat(journal)].told
    assert await journal.sign_claim(turn, until)


async def test_who_lost_the_claim_gives_nobody_elses_back(journal: Journal, clock: ManualClock) -> None:
    [turn] = await accepted(journal, "room")
    mine, theirs = clock.now() + SOON, clock.now() + 3 * SOON
    await journal.sign_claim(turn, mine)
    clock.advance(10)
    assert await journal.sign_claim(turn, theirs)
    await journal.sign_not_posted(turn, mine)
    assert await journal.sign_of(turn) == (None, theirs)


async def test_a_sign_that_may_stand_is_left_to_itself_for_long(journal: Journal, clock: ManualClock) -> None:
    [turn] = await accepted(journal, "room")
    until = clock.now() + SOON
    await journal.sign_claim(turn, until)
    await journal.sign_left(turn, until, until + timedelta(days=1))
    clock.advance(60)
    assert await journal.unsigned(clock.now(), 10, adapters=["fake"]) == []


async def test_a_late_sign_is_adopted_while_its_turn_waits_without_one(
    journal: Journal, clock: ManualClock
) -> None:
    first, second = await accepted(journal, "room", "room")
    assert await journal.sign_adopted(first, "late")
    assert not await journal.sign_adopted(first, "later")
    await journal.request_cancel(await _chat(journal))
    assert not await journal.sign_adopted(second, "too late")


async def test_a_line_is_what_waits_in_a_chat_and_whether_it_was_told(
    journal: Journal, clock: ManualClock
) -> None:
    turns = await accepted(journal, "room", "room", "room")
    chat = await _chat(journal)
    await journal.claim(chat, 1, "epoch")
    assert (await journal.lines([chat, "unknown"])) == {chat: ChatLine(ords=(2, 3), told=False)}
    assert (await journal.lines([chat]))[chat].before(3) == 1
    await journal.sign_claim(turns[1], clock.now() + SOON, told_wait_s=60.0)
    assert (await journal.lines([chat]))[chat].told


async def _chat(journal: Journal) -> str:
    chat = await journal.chat_by_conversation("fake", "main", "room")
    assert chat is not None
    return chat.id
