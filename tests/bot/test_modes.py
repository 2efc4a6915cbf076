"""What a gateway knows of its chats' modes: current within seconds, without I/O, and never more than was allowed."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from bot.chat.memory_vault import EphemeralVault
from bot.errors import StoreUnavailable
from bot.ingress.modes import KnownModes
from bot.store.database import Database
from bot.turns.journal import Journal
from bot.turns.journal.consenting import Chosen
from bot.turns.journal.rows import chats
from bot.turns.model import Consent, ConsentChange
from tests.fixtures.clocks import ManualClock
from tests.fixtures.remembered import a_chat
from tests.fixtures.turns import acceptance, reply

RECENT = a_chat(id="c1", conversation="recent", consent=Consent.RECENT, recent_messages=5, recent_hours=1)
OFF = a_chat(id="c2", conversation="off", consent=Consent.OFF)
QUOTED = a_chat(id="c3", conversation="quoted", consent=Consent.QUOTED)


class Record:
    """The record's answer, or its absence."""

    def __init__(self) -> None:
        self.chats = [RECENT, OFF, QUOTED]
        self.is_away = False
        self.asked = 0
        self.first: Consent | None = None
        self.looked = asyncio.Event()

    async def __call__(self, first: Consent, _since: datetime | None = None) -> Chosen:
        self.asked += 1
        self.first = first
        self.looked.set()
        if self.is_away:
            raise StoreUnavailable("away")
        return Chosen(
            modes={(chat.adapter, chat.account, chat.conversation): chat.consent for chat in self.chats},
            heard=[chat for chat in self.chats if chat.consent is Consent.RECENT],
        )


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def modes(record: Record, clock: ManualClock) -> KnownModes:
    return KnownModes(record, clock, every_s=0.001)


def known(modes: KnownModes) -> list[Consent]:
    return [modes.of("terminal", "main", room).consent for room in ("recent", "off", "quoted", "another")]


ALL = [Consent.RECENT, Consent.OFF, Consent.QUOTED, Consent.MENTIONS]
LEAST = [Consent.MENTIONS, Consent.OFF, Consent.MENTIONS, Consent.MENTIONS]


async def test_modes_are_known_from_the_start_and_cost_no_question(modes: KnownModes, record: Record) -> None:
    await modes.look()
    assert known(modes) == ALL
    assert record.asked == 1


async def test_a_chat_to_listen_to_comes_with_what_seals_it(modes: KnownModes) -> None:
    await modes.look()
    assert modes.of("terminal", "main", "recent").chat == RECENT


async def test_a_change_is_found_while_the_context_is_open(modes: KnownModes, record: Record) -> None:
    async with modes:
        record.chats = [OFF]
        async with asyncio.timeout(20):
            while known(modes) != LEAST:
                record.looked.clear()
                await record.looked.wait()


@pytest.mark.parametrize(("away_s", "expected"), [(10.0, ALL), (20.0, LEAST)], ids=["short", "long"])
async def test_an_outage_leaves_what_is_off_and_soon_allows_the_least(
    modes: KnownModes, record: Record, clock: ManualClock, away_s: float, expected: list[Consent]
) -> None:
    await modes.look()
    record.is_away = True
    clock.advance(away_s)
    await modes.look()
    assert known(modes) == expected


async def test_a_record_that_is_away_at_the_start_is_asked_again(modes: KnownModes, record: Record) -> None:
    record.is_away = True
    async with modes:
        assert known(modes) == [Consent.MENTIONS] * 4
        record.is_away = False
        async with asyncio.timeout(20):
            while known(modes) != ALL:
                record.looked.clear()
                await record.looked.wait()


async def test_an_outage_is_told_once_and_so_is_its_end(
    modes: KnownModes, record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    for record.is_away in (True, True, False, False):
        await modes.look()
    assert [line.getMessage() for line in caplog.records] == [
        "what chats allow cannot be read now",
        "what chats allow is read again",
    ]


async def test_an_unknown_chat_begins_in_the_deployments_mode(record: Record, clock: ManualClock) -> None:
    modes = KnownModes(record, clock, first=Consent.QUOTED)
    await modes.look()
    assert modes.of("terminal", "main", "another").consent is Consent.QUOTED
    assert record.first is Consent.QUOTED


@pytest.mark.parametrize("away_s", [None, 20.0], ids=["never read", "not read for long"])
async def test_a_wider_first_mode_is_not_believed_while_nothing_is_known(
    record: Record, clock: ManualClock, away_s: float | None
) -> None:
    modes = KnownModes(record, clock, first=Consent.QUOTED)
    if away_s is not None:
        await modes.look()
        clock.advance(away_s)
    record.is_away = True
    await modes.look()
    assert modes.of("terminal", "main", "another").consent is Consent.MENTIONS


async def test_a_chat_keeps_the_mode_it_began_in(database: Database, clock: ManualClock) -> None:
    journal = Journal(database, EphemeralVault(), clock)
    await journal.accept([acceptance(conversation="old")])
    await journal.accept([acceptance(conversation="new", first_consent=Consent.QUOTED)])
    await journal.accept([acceptance(conversation="old", first_consent=Consent.QUOTED)])
    for first, differing in ((Consent.QUOTED, "old"), (Consent.MENTIONS, "new")):
        modes = KnownModes(journal.chosen, clock, first=first)
        await modes.look()
        assert modes.of("fake", "main", "old").consent is Consent.MENTIONS
        assert modes.of("fake", "main", "new").consent is Consent.QUOTED
        assert [where[2] for where in (await journal.chosen(first)).modes] == [differing]


class Grown:
    """A record of many chats, and how much of it each look read."""

    def __init__(self, database: Database, clock: ManualClock, first: Consent) -> None:
        self.journal = Journal(database, EphemeralVault(), clock)
        self.modes = KnownModes(self._read, clock, first=first)
        self.clock = clock
        self.read: list[list[str]] = []
        self._token = 0

    async def _read(self, first: Consent, since: datetime | None) -> Chosen:
        chosen = await self.journal.chosen(first, since)
        self.read.append(sorted(where[2] for where in chosen.modes))
        return chosen

    async def meet(self, room: str, first: Consent = Consent.MENTIONS) -> None:
        await self.journal.accept([acceptance(conversation=room, sender=room, first_consent=first)])

    async def choose(self, room: str, consent: Consent) -> None:
        chat = await self.journal.chat_by_conversation("fake", "main", room)
        self._token += 1
        if (turn := await self.journal.claim(chat.id, self._token, "epoch")) is None:
            await self.meet(room)
            turn = await self.journal.claim(chat.id, self._token, "epoch")
        change = ConsentChange(consent=consent, recent_messages=5, recent_hours=1)
        turn = await self.journal.store_reply(turn, replace(reply(), consents=change))
        await self.journal.start_part(turn, 0)
        await self.journal.part_sent(turn, 0, "message")
        await self.journal.finish(turn)

    async def look(self) -> list[Consent]:
        await self.modes.look()
        return [self.modes.of("fake", "main", room).consent for room in ROOMS]


ROOMS = ["r0", "r1", "r2", "r3", "r4"]


@pytest.fixture(params=[Consent.QUOTED, Consent.MENTIONS])
async def grown(request: pytest.FixtureRequest, database: Database, clock: ManualClock) -> Grown:
    """Chats that all began in another mode than the one in which chats begin now."""
    other = Consent.MENTIONS if request.param is Consent.QUOTED else Consent.QUOTED
    found = Grown(database, clock, request.param)
    for room in ROOMS:
        await found.meet(room, other)
    clock.advance(3600)
    return found


async def test_after_the_first_look_only_what_changed_is_read(grown: Grown) -> None:
    before = await grown.look()
    await grown.choose("r1", Consent.OFF)
    grown.clock.advance(120)
    assert await grown.look() == [before[0], Consent.OFF, *before[2:]]
    await grown.choose("r1", Consent.RECENT)
    await grown.meet("new", Consent.OFF)
    assert (await grown.look())[1] is Consent.RECENT
    assert grown.modes.of("fake", "main", "r1").chat is not None
    assert grown.modes.of("fake", "main", "new").consent is Consent.OFF
    assert grown.read[0] == ROOMS
    grown.clock.advance(120)
    await grown.meet("newer")
    await grown.look()
    await grown.look()
    assert grown.read[-1] == ["newer"]


async def test_a_chat_that_chose_the_first_mode_is_known_to_have_it(grown: Grown) -> None:
    await grown.look()
    first = grown.modes.of("fake", "main", "unknown").consent
    await grown.choose("r3", first)
    assert (await grown.look())[3] is first


async def test_what_a_clock_that_is_behind_wrote_is_found_after_a_while(
    grown: Grown, database: Database
) -> None:
    before = await grown.look()
    async with database.write() as connection:
        changed = chats.update().where(chats.c.conversation == "r2")
        await connection.execute(changed.values(consent="off", consent_at=None))
    assert await grown.look() == before
    grown.clock.advance(601)
    assert (await grown.look())[2] is Consent.OFF


async def test_all_chats_are_read_in_pages(grown: Grown, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await grown.look()
    monkeypatch.setattr("bot.turns.journal.consenting._PAGE", 2)
    grown.clock.advance(601)
    assert (await grown.look(), grown.read[-1]) == (whole, ROOMS)
