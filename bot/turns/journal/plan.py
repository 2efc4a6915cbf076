"""What a batch becomes: duplicates, joins, new turns and refusals. Pure, in the order of the batch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.base import Inbound, Outcome, Receipt
from bot.chat.vault import Vault
from bot.store.ids import Ids
from bot.turns.acceptance import Acceptance, Cap, CapRefusal, Caps
from bot.turns.journal.rows import seal_said
from bot.turns.model import NoticeKind, NoticeState, Skill, TurnState

#: (adapter, account, conversation) or (adapter, account, event key).
Key = tuple[str, str, str]
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
class Joinable:
    """A chat's newest turn, which still waits unclaimed."""

    turn_id: str
    sender_id: str
    messages: int


@dataclass(slots=True, kw_only=True)
class ChatSlot:
    """A chat while a batch is planned."""

    id: str
    key: bytes
    last_ord: int
    weight: float
    waiting: int = 0
    newest: Joinable | None = None
    touched: bool = False
    #: The row of a chat that is yet to be stored.
    row: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Plan:
    """The rows a batch adds, and the receipt of every acceptance."""

    now: datetime
    vault: Vault
    ids: Ids
    caps: Caps
    slots: Mapping[Key, ChatSlot]
    #: Events that were committed before, and those of this batch: event to turn.
    known: dict[Key, str]
    waiting: int
    #: By `TURN_NAMES` and `INBOUND_NAMES`.
    turns: list[Values] = field(default_factory=list)
    inbounds: list[Values] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
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
        if turn_id := self.known.get(event):
            return Receipt(outcome=Outcome.DUPLICATE, turn_id=turn_id, chat_id=slot.id)
        if joined := self._joined(acceptance, slot):
            receipt = Receipt(outcome=Outcome.JOINED, turn_id=joined.turn_id, chat_id=slot.id)
        else:
            receipt = self._new_turn(acceptance, slot)
        turn_id = receipt.turn_id or ""
        self._add_inbound(acceptance, slot, turn_id)
        self.known[event] = turn_id
        return receipt

    def _joined(self, acceptance: Acceptance, slot: ChatSlot) -> Joinable | None:
        newest = slot.newest
        if newest is None or acceptance.refusal or acceptance.skill is not Skill.ANSWER:
            return None
        if newest.sender_id != acceptance.inbound.sender.id or newest.messages >= self.caps.per_turn:
            return None
        newest.messages += 1
        return newest

    def _new_turn(self, acceptance: Acceptance, slot: ChatSlot) -> Receipt:
        cap = None if acceptance.refusal else self._exceeded(slot)
        refusal = (NoticeKind.BUSY, self.caps.busy_text) if cap else acceptance.refusal
        ahead = self.waiting - self.caps.slots
        turn_id = self._add_turn(acceptance, slot, refusal)
        if cap:
            return CapRefusal(outcome=Outcome.REFUSED, turn_id=turn_id, chat_id=slot.id, cap=cap)
        if refusal:
            return Receipt(outcome=Outcome.REFUSED, turn_id=turn_id, chat_id=slot.id)
        return Receipt(
            outcome=Outcome.ACCEPTED, turn_id=turn_id, chat_id=slot.id, ahead=ahead if ahead >= 0 else None
        )

    def _exceeded(self, slot: ChatSlot) -> Cap | None:
        if slot.waiting >= self.caps.per_chat:
            return Cap.CHAT
        return Cap.TOTAL if self.waiting >= self.caps.total else None

    def _add_turn(
        self, acceptance: Acceptance, slot: ChatSlot, refusal: tuple[NoticeKind, str] | None
    ) -> str:
        turn_id = next(self._new_ids)
        slot.last_ord += 1
        slot.weight = acceptance.weight
        slot.touched = True
        slot.newest = None
        self.turns.append(self._turn_row(acceptance, slot, turn_id, refused=refusal is not None))
        if refusal:
            self.notices.append(self._notice_row(acceptance, slot, turn_id, refusal))
            return turn_id
        slot.waiting += 1
        self.waiting += 1
        if acceptance.skill is Skill.ANSWER:
            slot.newest = Joinable(turn_id=turn_id, sender_id=acceptance.inbound.sender.id, messages=1)
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
            (TurnState.REFUSED if refused else TurnState.WAITING).value,
            self.now,
            self._deadlines[acceptance.deadline_s],
            self.now if refused else None,
        )

    def _notice_row(
        self, acceptance: Acceptance, slot: ChatSlot, turn_id: str, refusal: tuple[NoticeKind, str]
    ) -> dict[str, Any]:
        kind, sentence = refusal
        return notice_row(
            notice_id=self.ids.new(),
            chat_id=slot.id,
            turn_id=turn_id,
            adapter=acceptance.inbound.adapter,
            sends_from=acceptance.sends_from.value,
            kind=kind,
            text=sentence,
            reply_to=acceptance.inbound.message,
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


def conversation_of(inbound: Inbound) -> Key:
    """Name the conversation a message belongs to."""
    return inbound.adapter, inbound.account, inbound.conversation.ref


def event_of(inbound: Inbound) -> Key:
    """Name the event a message arrived as."""
    return inbound.adapter, inbound.account, inbound.event_key


def notice_row(
    *,
    notice_id: str,
    chat_id: str,
    turn_id: str,
    adapter: str,
    sends_from: str,
    kind: NoticeKind,
    text: str,
    reply_to: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Lay out a new notice, to be sent."""
    return {
        "id": notice_id,
        "chat_id": chat_id,
        "turn_id": turn_id,
        "adapter": adapter,
        "sends_from": sends_from,
        "kind": kind.value,
        "text": text,
        "reply_to": reply_to,
        "op_id": f"{notice_id}-notice",
        "state": NoticeState.WAITING.value,
        "created_at": now,
    }
