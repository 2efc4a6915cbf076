"""Replies while they grow: the newest state of each, and what has to be sent to somebody who saw an earlier one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from adapters.answering import Answering
from adapters.base import LivePhase, LiveSnapshot
from adapters.webchat.frames import dump, event, framed

#: Turns Markdown into the page's blocks; made anew for every reply, as it remembers what it has read of one.
Render = Callable[[str], Sequence[object]]
Growing = Callable[[], Render]

#: A reply that is slow to render is rendered again only after so many times as long.
_RENDER_SHARE = 8
#: The phase before anybody took the turn; the others are the core's.
WAITING = "waiting"
ENDED = LivePhase.ENDED.value
STREAMING = LivePhase.STREAMING.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One growing reply as it can be seen; never changed, only replaced."""

    turn: str
    reply_to: str
    phase: str
    #: Turns that wait before this one, while that is known.
    ahead: int | None = None
    #: Why nothing can be seen yet, in words.
    reason: str = ""
    #: The reply so far, each block as JSON.
    blocks: tuple[str, ...] = ()


def difference(room: str, old: Shown | None, new: Shown) -> str:
    """Write the event that makes `new` of `old`: blocks from the first one that differs."""
    facts: dict[str, object] = {
        "room": room,
        "turn": new.turn,
        "reply_to": new.reply_to,
        "phase": new.phase,
    }
    if new.ahead is not None:
        facts["ahead"] = new.ahead
    if new.reason:
        facts["text"] = new.reason
    if new.phase != STREAMING:
        return event("live", **facts)
    start = _common(old.blocks, new.blocks) if old and old.phase == STREAMING else 0
    head = event("live", **facts, **{"from": start})
    return f'{head[:-1]},"blocks":[{",".join(new.blocks[start:])}]}}'


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    same = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        same += 1
    return same


class RoomLive:
    """What is being written in one room, and what is answered there."""

    def __init__(
        self,
        room: str,
        growing: Growing,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._room = room
        self._growing = growing
        self._monotonic = monotonic
        #: The newest state of each reply, by turn.
        self.shown: dict[str, Shown] = {}
        #: Which messages a turn answers; what has its answer shows nothing live any more.
        self.answering = Answering()
        self._numbers: dict[str, int] = {}
        #: What renders it, text that was not rendered yet, and when the next rendering is due, by turn.
        self._readers: dict[str, Render] = {}
        self._texts: dict[str, str] = {}
        self._due_s: dict[str, float] = {}
        #: The states are kept beside the frame: their ids name it only while they live.
        self._frames: dict[tuple[int, int], tuple[Shown | None, Shown, bytes]] = {}

    def waits(self, turn: str, reply_to: str, ahead: int | None) -> None:
        """Show that a turn was accepted; anything the core says of it is newer."""
        if turn not in self.shown and not self.answering.is_settled(reply_to):
            self.shown[turn] = Shown(turn=turn, reply_to=reply_to, phase=WAITING, ahead=ahead)

    def show(self, snapshot: LiveSnapshot) -> None:
        """Keep a snapshot in place of the one before; what is stale or already answered is dropped."""
        turn = snapshot.turn_id
        if snapshot.number < self._numbers.get(turn, 0):
            return
        if snapshot.phase is LivePhase.ENDED or self.answering.is_settled(snapshot.reply_to):
            self._forget(turn)
            return
        self._numbers[turn] = snapshot.number
        if snapshot.phase is LivePhase.STREAMING:
            self._texts[turn] = snapshot.text
            if turn not in self.shown:
                self.shown[turn] = Shown(
                    turn=turn, reply_to=snapshot.reply_to, phase=LivePhase.THINKING.value
                )
            return
        self._texts.pop(turn, None)
        self.shown[turn] = Shown(
            turn=turn, reply_to=snapshot.reply_to, phase=snapshot.phase.value, reason=snapshot.text
        )

    def settle(self, answers: Sequence[str], *, for_good: bool) -> None:
        """Drop what was live for these messages; where they are answered for good, nothing live follows."""
        for turn in [turn for turn, shown in self.shown.items() if shown.reply_to in answers]:
            self._forget(turn)
        if for_good:
            self.answering.settle(answers)

    def withdrawn(self, ref: str) -> None:
        """Drop what waits for this message alone, which was taken back: it is cancelled, and nothing may follow."""
        if self.answering.answers(ref) != (ref,):
            return
        for turn in [turn for turn, shown in self.shown.items() if shown.reply_to == ref]:
            if self.shown[turn].phase == WAITING:
                self._forget(turn)

    def stop_waiting(self) -> None:
        """Drop what nobody has taken yet: a stop cancels it, and nothing may follow."""
        for turn in [turn for turn, shown in self.shown.items() if shown.phase == WAITING]:
            self._forget(turn)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being written."""
        return not self.shown

    def render_due(self) -> bool:
        """Render what is new and due; tell whether something has to be rendered later."""
        for turn in list(self._texts):
            now_s = self._monotonic()
            if now_s < self._due_s.get(turn, 0.0):
                continue
            reader = self._readers.get(turn) or self._growing()
            self._readers[turn] = reader
            blocks = tuple(dump(block) for block in reader(self._texts.pop(turn)))
            self._due_s[turn] = self._monotonic() + _RENDER_SHARE * (self._monotonic() - now_s)
            self.shown[turn] = replace(
                self.shown[turn], phase=STREAMING, ahead=None, reason="", blocks=blocks
            )
        return bool(self._texts)

    def frame(self, old: Shown | None, new: Shown) -> bytes:
        """Write what makes `new` of `old`; once a round for everybody who saw the same."""
        key = (id(old), id(new))
        if key not in self._frames:
            self._frames[key] = (old, new, framed(difference(self._room, old, new)))
        return self._frames[key][2]

    def ended(self, old: Shown) -> bytes:
        """Write that nothing more comes live."""
        return framed(event("live", room=self._room, turn=old.turn, reply_to=old.reply_to, phase=ENDED))

    def forget_frames(self) -> None:
        """Let go of the frames that were made for one round."""
        self._frames.clear()

    def _forget(self, turn: str) -> None:
        for kept in (self.shown, self._numbers, self._readers, self._texts, self._due_s):
            kept.pop(turn, None)
