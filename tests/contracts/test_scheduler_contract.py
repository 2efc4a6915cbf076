"""What every scheduler promises: in memory, on Valkey, and on Debian's Redis 7.0."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.errors import ScheduleErased
from bot.turns.scheduler.base import DoneOutcome, ScheduleCounts
from tests.fixtures.schedulers import LONG_MS, Subject, open_subject, take_ids, take_one


@pytest.fixture(params=["memory", "valkey", "redis"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    """Open an empty schedule that has begun."""
    async with open_subject(request.param, request.getfixturevalue) as subject:
        await subject.scheduler.begin_epoch()
        yield subject


async def test_nothing_is_taken_from_an_empty_schedule(subject):
    assert await subject.scheduler.take(LONG_MS) is None


async def test_a_put_chat_is_taken_once(subject):
    """One in flight per chat."""
    await subject.scheduler.put("a")
    take = await take_one(subject)
    assert take.chat_id == "a"
    assert await subject.scheduler.take(LONG_MS) is None


async def test_put_is_idempotent(subject):
    for _ in range(3):
        await subject.scheduler.put("a")
    assert (await subject.scheduler.counts()).ready == 1
    assert await subject.scheduler.done(await take_one(subject), DoneOutcome.IDLE)
    assert await subject.scheduler.take(LONG_MS) is None


async def test_put_many_puts_every_chat(subject):
    chats = {f"c{number:04}": 1.0 for number in range(1201)}
    await subject.scheduler.put_many(chats)
    assert (await subject.scheduler.counts()).ready == 1201
    assert await take_ids(subject, 3) == ["c0000", "c0001", "c0002"]


async def test_ranks_are_the_order_of_takes_and_only_ready_chats_have_one(subject):
    await subject.scheduler.put_many({"a": 1.0, "b": 1.0, "c": 1.0, "taken": 1.0})
    await subject.scheduler.hold("c")
    ranked = await subject.scheduler.ranks(["b", "taken", "c", "a", "unknown"])
    assert ranked == [1, 2, None, 0, None]
    assert await take_ids(subject, 3) == ["a", "b", "taken"]
    assert await subject.scheduler.ranks(["b", "taken"]) == [None, None]


async def test_put_many_of_nothing_changes_nothing(subject):
    await subject.scheduler.put_many({})
    assert (await subject.scheduler.counts()).ready == 0


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
async def test_a_weight_that_cannot_divide_is_refused(subject, weight):
    with pytest.raises(ValueError, match="weight"):
        await subject.scheduler.put("a", weight=weight)
    with pytest.raises(ValueError, match="weight"):
        await subject.scheduler.put_many({"a": weight})


async def test_the_smallest_virtual_start_is_first(subject):
    """A chat that has held a slot waits behind one that has not, though it was put earlier."""
    await subject.scheduler.put("a")
    take = await take_one(subject)
    await subject.scheduler.put("b")
    await subject.pass_ms(5)
    await subject.scheduler.done(take, DoneOutcome.AGAIN)
    assert await take_ids(subject, 2) == ["b", "a"]


async def test_slot_seconds_are_charged_over_the_weight_given_at_put(subject):
    """Held as long as the other, the heavy chat is charged a thousandth of it."""
    await subject.scheduler.put_many({"heavy": 1000.0, "light": 1.0})
    takes = [await take_one(subject) for _ in range(2)]
    await subject.pass_ms(30)
    for take in takes:
        await subject.scheduler.done(take, DoneOutcome.AGAIN)
    heavy = await take_one(subject)
    assert heavy.chat_id == "heavy"
    await subject.pass_ms(10)
    await subject.scheduler.done(heavy, DoneOutcome.AGAIN)
    assert await take_ids(subject, 2) == ["heavy", "light"]


async def test_a_later_put_changes_the_weight_of_the_next_take(subject):
    await subject.scheduler.put_many({"a": 1.0, "b": 1.0})
    takes = [await take_one(subject) for _ in range(2)]
    await subject.scheduler.put("b", weight=1000.0)
    for take in takes:
        await subject.scheduler.done(take, DoneOutcome.AGAIN)
    takes = [await take_one(subject) for _ in range(2)]
    await subject.pass_ms(200)
    for take in takes:
        await subject.scheduler.done(take, DoneOutcome.AGAIN)
    assert (await take_one(subject)).chat_id == "b"


async def test_who_asks_first_is_first_whatever_the_chats_are_called(subject):
    """While a line of chats stands that all ask for the first time."""
    await subject.scheduler.put_many({f"m{number}": 1.0 for number in range(9)})
    for name in ("z", "a"):
        take = await take_one(subject)
        await subject.pass_ms(20)
        await subject.scheduler.done(take, DoneOutcome.IDLE)
        await subject.scheduler.put(name)
    served = await take_ids(subject, 9)
    assert served[-2:] == ["z", "a"]


async def test_who_asked_before_is_served_while_others_keep_asking_for_the_first_time(subject):
    await subject.scheduler.put_many({"again": 1.0} | {f"first{number:02}": 1.0 for number in range(4)})
    take = await take_one(subject)
    await subject.pass_ms(20)
    await subject.scheduler.done(take, DoneOutcome.IDLE)
    await subject.scheduler.put("again")
    served = []
    for number in range(4, 24):
        take = await take_one(subject)
        served.append(take.chat_id)
        await subject.scheduler.put(f"first{number:02}")
        await subject.pass_ms(20)
        await subject.scheduler.done(take, DoneOutcome.IDLE)
    assert "again" in served


async def test_flooding_chats_do_not_starve_an_ordinary_one(subject):
    """An ordinary chat is served after each flooding one had at most one more turn."""
    flood = {f"flood{number}": 1.0 for number in range(5)}
    await subject.scheduler.put_many(flood)
    for _ in range(20):
        take = await take_one(subject)
        await subject.pass_ms(2)
        await subject.scheduler.done(take, DoneOutcome.AGAIN)
    await subject.scheduler.put("ordinary")
    served = []
    while "ordinary" not in served:
        take = await take_one(subject)
        served.append(take.chat_id)
        await subject.pass_ms(2)
        await subject.scheduler.done(take, DoneOutcome.AGAIN)
    assert len(served) <= len(flood) + 1


async def test_a_returning_chat_does_not_collect_credit_while_away(subject):
    """Having been idle gives no more than one turn's lead, not the sum of what the others used meanwhile."""
    await subject.scheduler.put("busy")
    for _ in range(10):
        began_ms = await subject.now_ms()
        take = await take_one(subject)
        await subject.pass_ms(3)
        await subject.scheduler.done(take, DoneOutcome.AGAIN)
        last_turn_ms = await subject.now_ms() - began_ms
    await subject.scheduler.put("back")
    served = 0
    while (take := await take_one(subject)).chat_id != "busy":
        served += 1
        await subject.pass_ms(3)
        await subject.scheduler.done(take, DoneOutcome.AGAIN)
    assert 3 * (served - 1) <= last_turn_ms + 2


async def test_a_put_while_leased_is_remembered(subject):
    await subject.scheduler.put("a")
    take = await take_one(subject)
    await subject.scheduler.put("a")
    assert await subject.scheduler.take(LONG_MS) is None
    assert await subject.scheduler.done(take, DoneOutcome.IDLE)
    assert (await take_one(subject)).chat_id == "a"


async def test_what_was_put_before_a_take_is_not_remembered_after_it(subject):
    """The taker reads SQL after the take, so an expired lease's note is used up by the next one."""
    await subject.scheduler.put("a")
    await take_one(subject, lease_ms=1)
    await subject.scheduler.put("a")
    await subject.pass_ms(3)
    await subject.scheduler.done(await take_one(subject), DoneOutcome.IDLE)
    assert await subject.scheduler.take(LONG_MS) is None


async def test_an_expired_lease_is_taken_over_with_a_greater_token(subject):
    await subject.scheduler.put("a")
    lost = await take_one(subject, lease_ms=1)
    await subject.pass_ms(3)
    taken_over = await take_one(subject)
    assert taken_over.chat_id == "a"
    assert taken_over.token > lost.token


async def test_an_expired_lease_is_charged(subject):
    await subject.scheduler.put("a")
    await take_one(subject, lease_ms=10)
    await subject.scheduler.put("b")
    await subject.pass_ms(12)
    assert await take_ids(subject, 2) == ["b", "a"]


async def test_a_kept_lease_does_not_expire(subject):
    await subject.scheduler.put("a")
    take = await take_one(subject, lease_ms=20)
    assert await subject.scheduler.keep(take, LONG_MS)
    await subject.pass_ms(25)
    assert await subject.scheduler.take(LONG_MS) is None


async def test_keep_of_a_lost_lease_is_refused_and_changes_nothing(subject):
    await subject.scheduler.put("a")
    lost = await take_one(subject, lease_ms=1)
    await subject.pass_ms(3)
    held = await take_one(subject, lease_ms=20)
    assert not await subject.scheduler.keep(lost, LONG_MS)
    await subject.pass_ms(25)
    assert (await take_one(subject)).token > held.token


@pytest.mark.parametrize("outcome", DoneOutcome)
async def test_done_of_a_lost_lease_is_refused_and_changes_nothing(subject, outcome):
    await subject.scheduler.put("a")
    lost = await take_one(subject, lease_ms=1)
    await subject.pass_ms(3)
    held = await take_one(subject)
    before = await subject.scheduler.counts()
    assert not await subject.scheduler.done(lost, outcome)
    assert await subject.scheduler.counts() == before
    assert await subject.scheduler.keep(held, LONG_MS)


async def test_done_twice_counts_once(subject):
    await subject.scheduler.put("a")
    take = await take_one(subject)
    assert await subject.scheduler.done(take, DoneOutcome.IDLE)
    assert not await subject.scheduler.done(take, DoneOutcome.AGAIN)
    assert await subject.scheduler.take(LONG_MS) is None


async def test_a_delayed_chat_waits_until_it_is_due(subject):
    await subject.scheduler.put("a")
    await subject.scheduler.done(await take_one(subject), DoneOutcome.LATER, delay_ms=300)
    assert (await subject.scheduler.counts()).later == 1
    assert await subject.scheduler.take(LONG_MS) is None
    await subject.pass_ms(302)
    assert (await take_one(subject)).chat_id == "a"


async def test_a_put_does_not_shorten_a_delay(subject):
    await subject.scheduler.put("a")
    await subject.scheduler.done(await take_one(subject), DoneOutcome.LATER, delay_ms=LONG_MS)
    await subject.scheduler.put("a")
    assert await subject.scheduler.take(LONG_MS) is None


async def test_a_put_during_a_delay_is_used_up_by_the_take_after_it(subject):
    await subject.scheduler.put("a")
    await subject.scheduler.done(await take_one(subject), DoneOutcome.LATER, delay_ms=2)
    await subject.scheduler.put("a")
    await subject.pass_ms(4)
    await subject.scheduler.done(await take_one(subject), DoneOutcome.IDLE)
    assert await subject.scheduler.take(LONG_MS) is None


async def test_a_held_chat_is_not_taken_until_released(subject):
    await subject.scheduler.put_many({"a": 1.0, "b": 1.0})
    await subject.scheduler.hold("a")
    assert (await take_one(subject)).chat_id == "b"
    assert await subject.scheduler.take(LONG_MS) is None
    await subject.scheduler.release("a")
    assert (await take_one(subject)).chat_id == "a"


async def test_a_put_while_held_is_remembered(subject):
    await subject.scheduler.hold("a")
    await subject.scheduler.put("a")
    assert await subject.scheduler.take(LONG_MS) is None
    await subject.scheduler.release("a")
    assert (await take_one(subject)).chat_id == "a"


@pytest.mark.parametrize("outcome", [DoneOutcome.AGAIN, DoneOutcome.LATER])
async def test_a_chat_held_in_flight_stops_at_its_end(subject, outcome):
    await subject.scheduler.put("a")
    take = await take_one(subject)
    await subject.scheduler.hold("a")
    assert await subject.scheduler.keep(take, LONG_MS)
    assert await subject.scheduler.done(take, outcome)
    await subject.pass_ms(2)
    assert await subject.scheduler.take(LONG_MS) is None
    await subject.scheduler.release("a")
    assert (await take_one(subject)).chat_id == "a"


async def test_a_release_does_not_free_a_chat_in_flight(subject):
    await subject.scheduler.put("a")
    take = await take_one(subject)
    await subject.scheduler.hold("a")
    await subject.scheduler.put("a")
    await subject.scheduler.release("a")
    assert await subject.scheduler.take(LONG_MS) is None
    await subject.scheduler.done(take, DoneOutcome.IDLE)
    assert (await take_one(subject)).chat_id == "a"


async def test_a_release_without_a_hold_changes_nothing(subject):
    await subject.scheduler.release("a")
    assert await subject.scheduler.take(LONG_MS) is None


async def test_nothing_is_taken_while_paused(subject):
    await subject.scheduler.put("a")
    await subject.scheduler.pause()
    assert await subject.scheduler.take(LONG_MS) is None
    assert (await subject.scheduler.counts()).paused
    await subject.scheduler.resume()
    assert (await take_one(subject)).chat_id == "a"


async def test_a_lease_can_be_kept_and_ended_while_paused(subject):
    await subject.scheduler.put("a")
    take = await take_one(subject)
    await subject.scheduler.pause()
    assert await subject.scheduler.keep(take, LONG_MS)
    assert await subject.scheduler.done(take, DoneOutcome.IDLE)


async def test_an_erased_schedule_says_so_until_an_epoch_begins(subject):
    first = await subject.scheduler.begin_epoch()
    await subject.scheduler.put("a")
    await subject.erase()
    await subject.scheduler.put("b")
    with pytest.raises(ScheduleErased):
        await subject.scheduler.take(LONG_MS)
    assert await subject.scheduler.begin_epoch() != first
    assert (await take_one(subject)).chat_id == "b"


async def test_begin_epoch_keeps_a_standing_one(subject):
    epoch = await subject.scheduler.begin_epoch()
    assert await subject.scheduler.begin_epoch() == epoch
    await subject.scheduler.put("a")
    assert (await take_one(subject)).epoch == epoch


async def test_a_lease_from_before_an_erasure_is_lost(subject):
    await subject.scheduler.put("a")
    lost = await take_one(subject)
    await subject.erase()
    await subject.scheduler.begin_epoch()
    assert not await subject.scheduler.keep(lost, LONG_MS)
    assert not await subject.scheduler.done(lost, DoneOutcome.AGAIN)
    assert await subject.scheduler.take(LONG_MS) is None


async def test_tokens_grow_with_every_take_and_across_an_erasure(subject):
    tokens = []
    for _ in range(3):
        await subject.scheduler.begin_epoch()
        await subject.scheduler.put_many({"a": 1.0, "b": 1.0, "c": 1.0})
        tokens += [(await take_one(subject)).token for _ in range(3)]
        await subject.erase()
    assert tokens == sorted(set(tokens))


async def test_the_token_after_a_lift_is_above_it(subject):
    await subject.scheduler.put_many({"a": 1.0, "b": 1.0})
    lifted = (await take_one(subject)).token + 10**12
    await subject.scheduler.lift(lifted)
    await subject.scheduler.lift(5)
    assert (await take_one(subject)).token == lifted + 1


async def test_wait_returns_at_a_put(subject):
    waiting = asyncio.create_task(subject.scheduler.wait(60))
    await subject.scheduler.put("a")
    async with asyncio.timeout(10):
        await waiting


async def test_wait_returns_at_once_for_a_put_that_nobody_has_taken(subject):
    await subject.scheduler.put("a")
    async with asyncio.timeout(10):
        await subject.scheduler.wait(60)


@pytest.mark.parametrize("change", ["again", "release", "resume", "begin_epoch"])
async def test_wait_returns_when_a_chat_becomes_takeable_again(subject, change):
    await subject.scheduler.put("a")
    take = await take_one(subject)
    if change == "release":
        await subject.scheduler.hold("a")
    if change in ("release", "resume"):
        await subject.scheduler.done(take, DoneOutcome.AGAIN)
    if change == "resume":
        await subject.scheduler.pause()
    if change == "begin_epoch":
        await subject.erase()
        await subject.scheduler.put("a")
        await subject.scheduler.wait(60)
    else:
        assert await subject.scheduler.take(LONG_MS) is None
    waiting = asyncio.create_task(subject.scheduler.wait(60))
    await {
        "again": lambda: subject.scheduler.done(take, DoneOutcome.AGAIN),
        "release": lambda: subject.scheduler.release("a"),
        "resume": subject.scheduler.resume,
        "begin_epoch": subject.scheduler.begin_epoch,
    }[change]()
    async with asyncio.timeout(10):
        await waiting


@pytest.mark.parametrize("timeout_s", [0.0, 0.01])
async def test_wait_ends_at_its_timeout(subject, timeout_s):
    async with asyncio.timeout(10):
        await subject.scheduler.wait(timeout_s)


async def test_counts_tell_each_state(subject):
    await subject.scheduler.put_many({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0})
    await take_one(subject)
    await subject.scheduler.done(await take_one(subject), DoneOutcome.LATER, delay_ms=LONG_MS)
    await subject.scheduler.hold("d")
    assert await subject.scheduler.counts() == ScheduleCounts(
        ready=1, leased=1, later=1, held=1, paused=False
    )
