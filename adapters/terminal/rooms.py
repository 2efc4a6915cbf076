"""The rooms with somebody in them: who listens, and what is being written and answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from adapters.answering import Answering
from adapters.base import ConversationKind, LivePhase, LiveSnapshot
from adapters.terminal.frames import Live
from adapters.terminal.render import printable, render_growing


class Listener(Protocol):
    """Somebody in a room; told that there is news, never handed any, so that nobody slow can hold up the others."""

    def wake(self) -> None:
        """Say that there is something new to read."""
        ...


class Room:
    """One room's passing state; what must last is in the history."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        self.listeners: set[Listener] = set()
        #: The newest frame of each reply being written, by turn.
        self.live: dict[str, Live] = {}
        #: Which messages a turn answers; what has its answer shows nothing live any more.
        self.answering = Answering()
        self._numbers: dict[str, int] = {}

    def wake(self) -> None:
        """Tell everybody that there is news."""
        for listener in self.listeners:
            listener.wake()

    def show(self, snapshot: LiveSnapshot) -> None:
        """Keep a snapshot in place of the one before; what is stale or already answered is dropped."""
        turn = snapshot.turn_id
        if snapshot.phase is LivePhase.ENDED or self.answering.is_settled(snapshot.reply_to):
            self._forget(turn)
        elif snapshot.number >= self._numbers.get(turn, 0) or snapshot.phase is not LivePhase.STREAMING:
            # A new take of the turn counts from the start again, and begins with another phase than STREAMING.
            self._numbers[turn] = snapshot.number
            self.live[turn] = _frame(snapshot)
        self.wake()

    def settled(self, answers: tuple[str, ...], *, replied: bool) -> None:
        """Drop what was live for these messages; after a reply, nothing live follows for them."""
        for turn in [turn for turn, live in self.live.items() if live.reply_to in answers]:
            self._forget(turn)
        if replied:
            self.answering.settle(answers)

    def _forget(self, turn: str) -> None:
        self.live.pop(turn, None)
        self._numbers.pop(turn, None)


class Rooms:
    """All rooms that somebody is in or something is written in."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def at(self, ref: str) -> Room:
        """Return a room, opening it if need be."""
        return self._rooms.setdefault(ref, Room(ref))

    def known(self, ref: str) -> Room | None:
        """Return a room if it is open."""
        return self._rooms.get(ref)

    def drop_if_idle(self, ref: str) -> None:
        """Close a room in which nobody is and nothing is written."""
        room = self._rooms.get(ref)
        if room and not room.listeners and not room.live:
            del self._rooms[ref]

    @contextmanager
    def entered(self, ref: str, listener: Listener) -> Iterator[Room]:
        """Be in a room until left."""
        room = self.at(ref)
        room.listeners.add(listener)
        try:
            yield room
        finally:
            room.listeners.discard(listener)
            self.drop_if_idle(ref)


def group_ref(identity: str) -> str:
    """Name the room of a group."""
    return f"group:{identity}"


def direct_ref(person: str) -> str:
    """Name the room in which a person is alone with the assistant."""
    return f"direct:{person}"


def kind_of(ref: str) -> ConversationKind:
    """Tell a room's kind by its ref."""
    return ConversationKind.GROUP if ref.startswith("group:") else ConversationKind.DIRECT


def _frame(snapshot: LiveSnapshot) -> Live:
    streaming = snapshot.phase is LivePhase.STREAMING
    return Live(
        turn_id=snapshot.turn_id,
        reply_to=snapshot.reply_to,
        phase=snapshot.phase,
        text=render_growing(snapshot.text) if streaming else printable(snapshot.text),
    )
