"""What people do within a room: say, change, read, stop, ask again."""

from collections.abc import Mapping
from typing import Any

from adapters.base import Person
from adapters.webchat.deed import Caller, Deed
from adapters.webchat.desk import Desk
from adapters.webchat.entries import Entry, EntryKind
from adapters.webchat.frames import Ask, event, framed
from adapters.webchat.limits import Kind, SlowDown
from adapters.webchat.parse import stop_of
from adapters.webchat.refusals import RefusalCode, Refused
from adapters.webchat.rooms import RoomState

#: Characters taken off a frame; the house says kindly that fewer fit.
_PASTE = 500_000
_PAGE = 50
_MOST = 100


async def _say(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room, client_id, text = ask.text("room"), ask.client_id(), ask.text("text", _PASTE)
    reply_to = ask.maybe_text("reply_to")
    # Only members make the core's handover remember a room.
    state = await desk.house.room(caller.person, room)
    async with desk.handover.saying(room):
        entry = await desk.house.say(caller.person, room, client_id, text, reply_to)
        desk.hub.publish(room, entry)
        await _hand_over(desk, state, entry)
    return {"ref": entry.ref, "pos": entry.pos}


async def _hand_over(desk: Desk, room: RoomState, entry: Entry, again: str = "") -> None:
    quoted = await desk.house.standing(room.id, entry.reply_to) if entry.reply_to else None
    await desk.handover.accept(room, entry, quoted, again)


async def _edit(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room, ref = ask.text("room"), ask.text("ref")
    # Only members make the core's handover remember a room.
    await desk.house.room(caller.person, room)
    async with desk.handover.saying(room) as after:
        entry = await desk.house.edit(caller.person, room, ref, ask.client_id(), ask.text("text", _PASTE))
        told = _published(desk, room, entry)
        # Also where it stood already: the core may not have heard of it the first time.
        await desk.handover.changed(room, ref, after)
    return told


async def _withdraw(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room, ref = ask.text("room"), ask.text("ref")
    await desk.house.room(caller.person, room)
    async with desk.handover.saying(room) as after:
        told = _published(desk, room, await desk.house.withdraw(caller.person, room, ref))
        await desk.handover.changed(room, ref, after)
    return told


async def _react(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room = ask.text("room")
    entry = await desk.house.react(
        caller.person, room, ask.text("ref"), ask.text("emoji", 64), on=ask.switch("on")
    )
    return _published(desk, room, entry)


def _published(desk: Desk, room: str, entry: Entry | None) -> Mapping[str, Any]:
    if entry is None:
        return {}
    desk.hub.publish(room, entry)
    return {"pos": entry.pos}


async def _rate(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    value = ask.text("value")
    await desk.house.rate(caller.person, ask.text("room"), ask.text("ref"), value)
    return {}


async def _stop(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room = ask.text("room")
    member = (await desk.house.room(caller.person, room)).members[caller.person]
    await desk.handover.stop(stop_of(room, Person(id=member.id, name=member.name)))
    if known := desk.hub.rooms.get(room):
        known.live.stop_waiting()
        desk.hub.wake(room)
    return {}


async def _retry(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room, client_id = ask.text("room"), ask.client_id()
    state = await desk.house.room(caller.person, room)
    entry = await desk.house.standing(room, ask.text("ref"))
    if entry is None or entry.kind is not EntryKind.SAID or entry.withdrawn:
        raise Refused(RefusalCode.NOT_FOUND, "The question is not there any more.")
    if known := desk.hub.rooms.get(room):
        known.live.answering.asked_again(entry.ref)
    await _hand_over(desk, state, entry, again=client_id)
    return {"ref": entry.ref}


async def _history(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room, before = ask.text("room"), ask.whole("before")
    limit = min(ask.whole("limit") or _PAGE, _MOST)
    house = desk.house
    found = (
        await house.latest(caller.person, room, limit + 1)
        if before is None
        else await house.before(caller.person, room, before, limit + 1)
    )
    page = found[max(0, len(found) - limit) :]
    return {"entries": [entry.to_wire(desk.hub.render) for entry in page], "more": len(found) > limit}


async def _search(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    hits = await desk.house.search(caller.person, ask.text("text"), ask.maybe_text("room"))
    return {"hits": [{"room": hit.room, "entry": hit.entry.to_wire(desk.hub.render)} for hit in hits]}


async def _read(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room, position = ask.text("room"), ask.whole("pos") or 0
    if await desk.house.read(caller.person, room, position):
        told = framed(event("read", room=room, pos=position))
        desk.hub.tell_person(caller.person, told, but=caller.pump)
    return {}


async def _typing(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room = ask.text("room")
    member = (await desk.house.room(caller.person, room)).members[caller.person]
    known = desk.hub.rooms.get(room)
    try:
        desk.limits.take(Kind.ROOM_TYPING, room)
    except SlowDown:
        return {}  # enough people are seen typing in a large room
    if known:
        told = event("typing", room=room, person={"id": member.id, "name": member.name})
        desk.hub.tell_room(known, framed(told), but=member.id)
    return {}


TALK: Mapping[str, Deed] = {
    "say": Deed(do=_say, counts_as=Kind.MESSAGE),
    "edit": Deed(do=_edit, counts_as=Kind.MESSAGE),
    "withdraw": Deed(do=_withdraw),
    "react": Deed(do=_react),
    "rate": Deed(do=_rate),
    "stop": Deed(do=_stop, in_order=False),
    "retry": Deed(do=_retry, counts_as=Kind.MESSAGE),
    "history": Deed(do=_history, in_order=False),
    "search": Deed(do=_search, in_order=False),
    "read": Deed(do=_read),
    "typing": Deed(do=_typing, counts_as=Kind.TYPING, in_order=False),
}
