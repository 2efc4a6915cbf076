"""Listening where a chat allows it: what belongs to a turn, what is forgotten when, and outages that hold nobody up."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.chat.ambient import MOST_CHARS
from bot.chat.ambient_keeper import Listening
from bot.chat.ambient_memory import MemoryAmbient
from bot.errors import ContextUnavailable
from bot.turns.model import Consent, ConsentChange, Reply, Turn
from tests.fixtures.clocks import ManualClock
from tests.fixtures.remembered import a_chat, a_said, a_turn
from tests.fixtures.turns import inbound

CHAT = a_chat(consent=Consent.RECENT, recent_messages=20, recent_hours=6)
MINUTE = timedelta(minutes=1)


class Away(MemoryAmbient):
    """A store that can be away, and counts who asks."""

    is_away = False
    asked = 0

    async def add(self, chat, heard):
        self.asked += 1
        if self.is_away:
            raise ContextUnavailable("away")
        await super().add(chat, heard)

    async def drop(self, chat, *, deaf_s=0.0):
        self.asked += 1
        if self.is_away:
            raise ContextUnavailable("away")
        await super().drop(chat, deaf_s=deaf_s)


@pytest.fixture
def store(clock: ManualClock) -> Away:
    return Away(clock.monotonic)


@pytest.fixture
def listening(store: Away, clock: ManualClock) -> Listening:
    return Listening(store, clock)


def asked_at(at: datetime) -> Turn:
    return a_turn(a_said("what was that?"), chat=CHAT, accepted_at=at)


def up_to(at: datetime | None):
    async def heard_up_to(turn: Turn) -> datetime | None:
        return at

    return heard_up_to


async def hear_each_minute(listening: Listening, clock: ManualClock, many: int) -> datetime:
    """Hear `m0`, `m1`, ..., one a minute, and return when the first was."""
    began = clock.now()
    for number in range(many):
        await listening.hear(CHAT, replace(inbound(f"said {number}"), message=f"m{number}"))
        clock.advance(60)
    return began


@pytest.mark.parametrize(
    ("since", "asked", "expected"),
    [
        pytest.param(None, 9, ["m0", "m1", "m2", "m3"], id="all of it before the first prompt"),
        pytest.param(1, 9, ["m2", "m3"], id="what the last prompt had is not heard again"),
        pytest.param(None, 2, ["m0", "m1", "m2"], id="what was said later belongs to the next question"),
        pytest.param(0, 1, ["m1"], id="between two questions"),
    ],
)
async def test_a_turn_hears_what_was_said_since_the_last_prompt(
    listening: Listening, clock: ManualClock, since: int | None, asked: int, expected: list[str]
) -> None:
    began = await hear_each_minute(listening, clock, 4)
    since_at = None if since is None else began + since * MINUTE
    found = await listening.recall(asked_at(began + asked * MINUTE), up_to(since_at))
    assert [heard.message for heard in found] == expected


async def test_nobody_asks_the_record_where_nothing_was_said(
    listening: Listening, clock: ManualClock
) -> None:
    async def never(turn: Turn) -> None:
        raise AssertionError("the record was asked")

    assert await listening.recall(asked_at(clock.now()), never) == ()


async def test_a_long_message_is_remembered_by_its_beginning(
    listening: Listening, store: Away, clock: ManualClock
) -> None:
    await listening.hear(CHAT, replace(inbound(), text="x" * (MOST_CHARS + 1)))
    [heard] = await store.read(CHAT)
    assert heard.text == "x" * MOST_CHARS


LEAVES = ConsentChange(consent=Consent.QUOTED)
STAYS = ConsentChange(consent=Consent.RECENT, recent_messages=5, recent_hours=1)


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        pytest.param({"heard": ("m0",)}, ["m1", "later"], id="what was used"),
        pytest.param({"resets_context": True}, ["later"], id="a reset"),
        pytest.param({"consents": STAYS}, ["later"], id="other numbers"),
        pytest.param({"consents": LEAVES}, [], id="another mode, from then on"),
        pytest.param({}, ["m0", "m1", "later"], id="nothing of it"),
    ],
)
async def test_a_stored_reply_settles_what_is_remembered(
    listening: Listening, store: Away, clock: ManualClock, changes: dict, left: list[str]
) -> None:
    await hear_each_minute(listening, clock, 2)
    await listening.settle(asked_at(clock.now()), Reply(text="", parts=(), prompt=None, **changes))
    await listening.hear(CHAT, replace(inbound(), message="later"))
    assert [heard.message for heard in await store.read(CHAT)] == left


async def test_an_outage_holds_up_one_message_and_is_told_once(
    listening: Listening, store: Away, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    store.is_away = True
    for _ in range(5):
        await listening.hear(CHAT, inbound())
    assert store.asked == 1
    store.is_away = False
    clock.advance(6)
    await listening.hear(CHAT, inbound())
    assert len(await store.read(CHAT)) == 1
    assert [line.getMessage() for line in caplog.records] == [
        "what is said to nobody is not remembered, its store is out: away",
        "what is said to nobody is remembered again",
    ]


async def test_a_wish_to_forget_is_tried_whatever_the_store_did_before(
    listening: Listening, store: Away, clock: ManualClock
) -> None:
    await hear_each_minute(listening, clock, 1)
    store.is_away = True
    await listening.hear(CHAT, inbound())
    store.is_away = False
    reply = Reply(text="", parts=(), prompt=None, consents=LEAVES)
    await listening.settle(asked_at(clock.now()), reply)
    assert await store.read(CHAT) == ()
