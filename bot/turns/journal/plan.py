"""What a batch becomes: duplicates, joins, new turns and refusals. Pure, in the order of the batch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.base import Outcome, Receipt
from bot.chat.vault import Vault
from bot.store.ids import Ids
from bot.turns.acceptance import Acceptance, Cap, CapRefusal, Caps
from bot.turns.journal.chat_slots import ChatSlot, Joinable, Key, conversation_of, event_of
from bot.turns.journal.episodes import Episodes, Shed
from bot.turns.journal.limits import Exceeded, Limits
from bot.turns.journal.notice_rows import notice_row
from bot.turns.journal.sealed import seal_said
from bot.turns.model import NOT_REFUSING, NoticeKind, Skill, TurnState

#: Nothing of it is stored.
IGNORED: Final = Receipt(outcome=Outcome.IGNORED)

#: A new row's values, in the order of the names beside it: a dictionary a row would cost more than planning it.
Values = tuple[Any, ...]
TURN_NAMES = (
    "id",
    "chat_id",
    "ord",
    "adapter",
    "sends_from",
    "sender_id",
    "skill",
    "state",
    "accepted_at",
    "deadline_at",
    "finished_at",
)
INBOUND_NAMES = (
    "id",
    "adapter",
    "account",
    "event_key",
    "turn_id",
    "message",
    "said_sealed",
    "accepted_at",
)


@dataclass(slots=True, kw_only=True)
class Plan:
    """The rows a batch adds, and the receipt of every acceptance."""

    now: datetime
    vault: Vault
    ids: Ids
    caps: Caps
    slots: Mapping[Key, ChatSlot]
    #: Events that were committed before, and those of this batch: event to turn; to nothing where it was forgotten.
    known: dict[Key, str]
    limits: Limits
    #: By `TURN_NAMES` and `INBOUND_NAMES`.
    turns: list[Values] = field(default_factory=list)
    inbounds: list[Values] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    #: What limits refused: told of by `tell`.
    shed: list[Shed] = field(default_factory=list)
    #: Turns that wait for their rest, and until when.
    held_back: dict[str, datetime] = field(default_factory=dict)
    _new_ids: Iterator[str] = field(default=iter(()))
    _deadlines: dict[float, datetime] = field(default_factory=dict)

    def receipts(self, batch: Sequence[Acceptance]) -> list[Receipt]:
        """Plan every acceptance in order."""
        # A turn and a message each, at most.
        self._new_ids = iter(self.ids.several(2 * len(batch)))
        self._deadlines = {
            seconds: self.now + timedelta(seconds=seconds) for seconds in {each.deadline_s for each in batch}
        }
        return [self._receipt(acceptance) for acceptance in batch]

    def _receipt(self, acceptance: Acceptance) -> Receipt:
        event = event_of(acceptance.inbound)
        slot = self.slots[conversation_of(acceptance.inbound)]
        if event in self.known:
            return Receipt(outcome=Outcome.DUPLICATE, turn_id=self.known[event] or None, chat_id=slot.id)
        receipt = self._placed(acceptance, slot)
        if receipt is IGNORED:
            return receipt
        turn_id = receipt.turn_id or ""
        if acceptance.hold_back_s:
            self.held_back[turn_id] = self.now + timedelta(seconds=acceptance.hold_back_s)
        self._add_inbound(acceptance, slot, turn_id)
        self.known[event] = turn_id
        return receipt

    def tell(self, episodes: Episodes) -> None:
        """Have one notice an episode speak for what limits refused."""
        for shed in self.shed:
            notice_id = self.ids.new()
            if episodes.notice_of(shed, notice_id):
                refusal = (NoticeKind.BUSY, shed.text)
                self.notices.append(
                    self._notice_row(shed.acceptance, shed.chat_id, shed.turn_id, refusal, notice_id)
                )

    def _placed(self, acceptance: Acceptance, slot: ChatSlot) -> Receipt:
        """Find a message's place: a turn that waits, a turn of its own, or none."""
        joinable = self._joinable(acceptance, slot)
        # The pieces of one message are one message: its first piece was checked and counted.
        is_piece = joinable is not None and (acceptance.is_rest or joinable.held_back)
        refused = None if acceptance.refusal or is_piece else self.limits.quota(acceptance)
        if joinable is not None and refused is None:
            joinable.messages += 1
            if not is_piece:
                self.limits.used(acceptance)
            return Receipt(outcome=Outcome.JOINED, turn_id=joinable.turn_id, chat_id=slot.id)
        return IGNORED if acceptance.is_rest else self._new_turn(acceptance, slot, refused)

    def _joinable(self, acceptance: Acceptance, slot: ChatSlot) -> Joinable | None:
        if acceptance.refusal or acceptance.stands_alone or acceptance.skill is not Skill.ANSWER:
            return None
        sender_id = acceptance.inbound.sender.id
        found = slot.theirs.get(sender_id) if acceptance.is_rest else slot.newest
        if found is None or found.sender_id != sender_id or found.messages >= self.caps.per_turn:
            return None
        return found

    def _new_turn(self, acceptance: Acceptance, slot: ChatSlot, exceeded: Exceeded | None) -> Receipt:
        if acceptance.refusal:
            turn_id = self._add_turn(acceptance, slot, refused=True)
            self.notices.append(
                self._notice_row(acceptance, slot.id, turn_id, acceptance.refusal, self.ids.new())
            )
            return Receipt(outcome=Outcome.REFUSED, turn_id=turn_id, chat_id=slot.id)
        exceeded = exceeded or self.limits.cap(acceptance, slot.waiting)
        if exceeded:
            return self._shed(acceptance, slot, *exceeded)
        ahead = self.limits.waiting - self.caps.slots
        turn_id = self._add_turn(acceptance, slot, refused=False)
        return Receipt(
            outcome=Outcome.ACCEPTED, turn_id=turn_id, chat_id=slot.id, ahead=ahead if ahead >= 0 else None
        )

    def _shed(self, acceptance: Acceptance, slot: ChatSlot, cap: Cap, sentence: str) -> Receipt:
        head_ord = slot.head_ord
        turn_id = self._add_turn(acceptance, slot, refused=True)
        self.shed.append(
            Shed(
                acceptance=acceptance,
                chat_id=slot.id,
                turn_id=turn_id,
                cap=cap,
                text=sentence,
                head_ord=head_ord,
            )
        )
        return CapRefusal(outcome=Outcome.REFUSED, turn_id=turn_id, chat_id=slot.id, cap=cap)

    def _add_turn(self, acceptance: Acceptance, slot: ChatSlot, *, refused: bool) -> str:
        turn_id = next(self._new_ids)
        slot.last_ord += 1
        slot.weight = acceptance.weight
        slot.touched = True
        # What begins a turn here is not the rest of an older one, and neither is what follows it.
        slot.theirs.pop(acceptance.inbound.sender.id, None)
        self.turns.append(self._turn_row(acceptance, slot, turn_id, refused=refused))
        if refused:
            return turn_id
        slot.newest = None
        if not slot.waiting:
            slot.head_ord = slot.last_ord
        slot.waiting += 1
        self.limits.waits(acceptance)
        self.limits.used(acceptance)
        if acceptance.skill is Skill.ANSWER:
            sender_id, held_back = acceptance.inbound.sender.id, acceptance.hold_back_s > 0
            slot.newest = slot.theirs[sender_id] = Joinable(
                turn_id=turn_id, sender_id=sender_id, messages=1, held_back=held_back
            )
        return turn_id

    def _turn_row(self, acceptance: Acceptance, slot: ChatSlot, turn_id: str, *, refused: bool) -> Values:
        inbound = acceptance.inbound
        return (
            turn_id,
            slot.id,
            slot.last_ord,
            inbound.adapter,
            acceptance.sends_from.value,
            inbound.sender.id,
            acceptance.skill.value,
            (_ended_as(acceptance) if refused else TurnState.WAITING).value,
            self.now,
            self._deadlines[acceptance.deadline_s],
            self.now if refused else None,
        )

    def _notice_row(
        self,
        acceptance: Acceptance,
        chat_id: str,
        turn_id: str,
        refusal: tuple[NoticeKind, str],
        notice_id: str,
    ) -> dict[str, Any]:
        kind, sentence = refusal
        return notice_row(
            notice_id=notice_id,
            chat_id=chat_id,
            turn_id=turn_id,
            adapter=acceptance.inbound.adapter,
            sends_from=acceptance.sends_from.value,
            kind=kind,
            text=sentence,
            reply_to=acceptance.inbound.message or None,
            now=self.now,
        )

    def _add_inbound(self, acceptance: Acceptance, slot: ChatSlot, turn_id: str) -> None:
        inbound, inbound_id = acceptance.inbound, next(self._new_ids)
        sealed = seal_said(self.vault, slot.key, slot.id, inbound_id, inbound=inbound, said=acceptance.text)
        self.inbounds.append(
            (
                inbound_id,
                inbound.adapter,
                inbound.account,
                inbound.event_key,
                turn_id,
                inbound.message,
                sealed,
                self.now,
            )
        )


def _ended_as(acceptance: Acceptance) -> TurnState:
    # What was wished for and is done is no refusal, though a notice says so in the place of a reply.
    is_done = acceptance.refusal is not None and acceptance.refusal[0] in NOT_REFUSING
    return TurnState.SENT if is_done else TurnState.REFUSED
