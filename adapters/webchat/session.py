"""One connection from its `hello` to its end: reads what is asked, does it, answers."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

from adapters.deciding import NoDecision
from adapters.records import RecordsUnavailable
from adapters.webchat import views
from adapters.webchat.close_codes import CloseCode
from adapters.webchat.deed import Caller, Deed
from adapters.webchat.deeds_rooms import ROOMS
from adapters.webchat.deeds_talk import TALK
from adapters.webchat.desk import Desk
from adapters.webchat.frames import VERSION, Ask, BadFrame, Problem, answer, framed, read_ask, refusal
from adapters.webchat.limits import Kind, SlowDown
from adapters.webchat.people import Membership, Profile
from adapters.webchat.pump import TooSlow
from adapters.webchat.refusals import Refused
from adapters.webchat.rooms import RoomKind
from adapters.webchat.shell import LIMITS

logger = logging.getLogger(__name__)

DEEDS: Mapping[str, Deed] = {**TALK, **ROOMS}
#: Asks of one connection that are worked on at the same time.
_AT_ONCE = 8
#: Frames that make no sense, after which nobody listens any longer.
_MOST_NONSENSE = 20

#: What a request may be refused for.
_REFUSALS = (Refused, SlowDown, RecordsUnavailable, NoDecision)
_AGAIN_S = 2.0

_TRY_AGAIN = "Aside cannot take this just now. Nothing was lost: please try again in a moment."
_SLOW_DOWN = "That was a lot at once. Please wait a moment."


class Session:
    """Serves one WebSocket of one person."""

    def __init__(self, desk: Desk, caller: Caller, socket: web.WebSocketResponse) -> None:
        self._desk = desk
        self._caller = caller
        self._socket = socket
        self._in_order = asyncio.Lock()
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._has_said_hello = False
        self._nonsense = 0

    async def serve(self) -> None:
        """Serve until either side ends."""
        desk, pump = self._desk, self._caller.pump
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._listen(tasks)
        finally:
            desk.hub.drop(pump)
            desk.presence.went(pump.person)

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                await self._socket.close(code=CloseCode.NONSENSE, message=b"only texts are understood")
                return
            await self._at_once.acquire()
            task = tasks.create_task(self._take(message.data))
            task.add_done_callback(lambda _: self._at_once.release())

    async def _take(self, text: str) -> None:
        pump = self._caller.pump
        try:
            said = await self._answer(text)
            if said:
                pump.write(framed(said))
            await pump.drained(self._desk.settings.write_timeout_s)
        except TooSlow:
            pump.close(CloseCode.TOO_SLOW, "the connection does not read")
        except Exception:
            logger.exception("a page's request failed")
            pump.close(CloseCode.FAILED, "the server failed")

    async def _answer(self, text: str) -> str:
        """Do what a frame asks and say what came of it; empty where that was said already."""
        number = 0
        try:
            ask = read_ask(text)
            number = ask.number
            if ask.do == "hello":
                await self._hello(ask)
                return ""
            return answer(number, await self._do(ask))
        except BadFrame as exc:
            return self._bad(exc)
        except _REFUSALS as exc:
            return _refused(number, exc)

    def _bad(self, problem: BadFrame) -> str:
        self._nonsense += 1
        if self._nonsense > _MOST_NONSENSE:
            self._caller.pump.close(CloseCode.NONSENSE, "too many frames made no sense")
        return refusal(
            problem.number, Problem.BAD_REQUEST, f"The page sent something it should not: {problem}."
        )

    async def _do(self, ask: Ask) -> Mapping[str, Any]:
        limits, person = self._desk.limits, self._caller.person
        deed = DEEDS.get(ask.do)
        if deed is None:
            raise BadFrame("it asks for something unknown", ask.number)
        if not self._has_said_hello:
            raise BadFrame("a connection begins with hello", ask.number)
        limits.take(deed.counts_as, person)
        if not deed.in_order:
            return await deed.do(self._desk, self._caller, ask)
        async with self._in_order:
            return await deed.do(self._desk, self._caller, ask)

    async def _hello(self, ask: Ask) -> None:
        """Say who and what is here, and from then on what is new; what the page lacks of the past follows first."""
        self._desk.limits.take(Kind.OTHER, self._caller.person)
        async with self._in_order:
            if self._has_said_hello or ask.whole("v") != VERSION:
                raise BadFrame("hello is said once, with the version that the server speaks", ask.number)
            me = await self._desk.house.person(self._caller.person)
            if me is None:
                self._caller.pump.close(CloseCode.NOT_IN, "come in first")
                raise BadFrame("nobody is known by that cookie", ask.number)
            memberships, rooms = await self._rooms()
            facts = await self._facts(me, rooms)
            # From here to the end nothing may come between: what is stored later is told as news.
            self._begin(answer(ask.number, facts), rooms, ask.cursors())
            await self._look_again(memberships)

    async def _rooms(self) -> tuple[list[Membership], list[dict[str, Any]]]:
        desk, pump = self._desk, self._caller.pump
        memberships = await desk.house.rooms_of(pump.person)
        if not any(membership.room.kind is RoomKind.DIRECT for membership in memberships):
            await desk.house.direct(pump.person)
            memberships = await desk.house.rooms_of(pump.person)
        desk.presence.came(pump.person, [membership.room.id for membership in memberships])
        for membership in memberships:
            await desk.hub.open(pump, membership.room.id)
        return memberships, [await desk.seating.views.room(pump.person, each) for each in memberships]

    async def _facts(self, me: Profile, rooms: list[dict[str, Any]]) -> dict[str, Any]:
        desk, names = self._desk, self._desk.settings.assistant_names
        return {
            "v": VERSION,
            "version": desk.page_version,
            "me": views.me(me),
            "assistant": {"name": names[0], "names": list(names)},
            "rooms": rooms,
            "engine": await desk.engine.facts(),
            "limits": dict(LIMITS),
            "may_create": await desk.house.may_create(me.id),
            "intro": views.intro(desk.settings),
        }

    def _begin(self, hello: str, rooms: list[dict[str, Any]], cursors: dict[str, int]) -> None:
        hub, pump = self._desk.hub, self._caller.pump
        self._has_said_hello = True
        pump.write(framed(hello))
        hub.add(pump)
        for room in rooms:
            end = room["last_pos"]
            hub.seat(pump, room["id"], cursors.get(room["id"], end), end)

    async def _look_again(self, memberships: list[Membership]) -> None:
        """Make good what changed while `hello` was being written."""
        seen = {membership.room.id: membership.room for membership in memberships}
        standing = await self._desk.house.rooms_of(self._caller.person)
        now = {membership.room.id: membership.room for membership in standing}
        for ref, state in now.items():
            if ref not in seen or state.version != seen[ref].version:
                await self._desk.seating.changed(state)
        for ref in seen.keys() - now.keys():
            self._desk.seating.gone(self._caller.pump, ref)


def _refused(number: int, problem: Exception) -> str:
    match problem:
        case Refused():
            return refusal(number, problem.code.value, problem.text)
        case SlowDown():
            return refusal(number, Problem.SLOW_DOWN, _SLOW_DOWN, problem.retry_s)
        case _:
            return refusal(number, Problem.TRY_AGAIN, _TRY_AGAIN, _AGAIN_S)
