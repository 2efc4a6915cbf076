"""What intake tells the hooks of every decision that was committed. Pure: ids and reasons, never content."""

from adapters.base import Outcome, Receipt
from bot.telemetry.events import Details, InboundRepeated, ShedReason, TurnAccepted, TurnShed
from bot.turns.acceptance import Acceptance, Cap, CapRefusal
from bot.turns.model import NOT_REFUSING, NoticeKind

_REASONS = {NoticeKind.TOO_LONG: ShedReason.TOO_LONG, NoticeKind.UNREADABLE: ShedReason.UNREADABLE}
_FULL = {
    Cap.CHAT: ShedReason.CHAT_FULL,
    Cap.PERSON: ShedReason.PERSON_FULL,
    Cap.TOTAL: ShedReason.ALL_FULL,
    Cap.LINE: ShedReason.TOO_LATE,
    Cap.CHAT_QUOTA: ShedReason.CHAT_QUOTA,
    Cap.PERSON_QUOTA: ShedReason.PERSON_QUOTA,
}


def told_of(acceptance: Acceptance, receipt: Receipt) -> Details | None:
    """Say what became of a message; None where there is nothing to tell."""
    adapter, chat_id = acceptance.inbound.adapter, receipt.chat_id or ""
    match receipt.outcome:
        case Outcome.ACCEPTED | Outcome.JOINED:
            joined = receipt.outcome is Outcome.JOINED
            return TurnAccepted(
                turn_id=receipt.turn_id or "", chat_id=chat_id, adapter=adapter, joined=joined
            )
        case Outcome.DUPLICATE:
            return InboundRepeated(adapter=adapter)
        case Outcome.REFUSED if acceptance.refusal and acceptance.refusal[0] in NOT_REFUSING:
            return None
        case Outcome.REFUSED:
            return TurnShed(chat_id=chat_id, adapter=adapter, reason=_shed_reason(acceptance, receipt))
        case Outcome.IGNORED | Outcome.DONE:
            return None


def _shed_reason(acceptance: Acceptance, receipt: Receipt) -> ShedReason:
    if isinstance(receipt, CapRefusal):
        return _FULL[receipt.cap]
    kind = acceptance.refusal[0] if acceptance.refusal else NoticeKind.BUSY
    return _REASONS.get(kind, ShedReason.CHAT_FULL)
