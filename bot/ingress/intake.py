"""The sink every adapter hands its messages to: decide, commit with whoever else waits, then announce."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from adapters.base import Inbound, Outcome, Receipt, SendsFrom, StopRequested
from bot.ingress.announcing import Announcer
from bot.ingress.group_commit import GroupCommit
from bot.ingress.policy import Accept, Ignore, Refuse, Rules, Stop, decide
from bot.telemetry.events import Hooks, InboundRepeated, ShedReason, TurnAccepted, TurnShed, emit
from bot.turns.acceptance import Acceptance, Cap, CapRefusal
from bot.turns.model import Chat, NoticeKind, Skill

IGNORED: Final = Receipt(outcome=Outcome.IGNORED)
DONE: Final = Receipt(outcome=Outcome.DONE)

_REASONS = {NoticeKind.TOO_LONG: ShedReason.TOO_LONG, NoticeKind.UNREADABLE: ShedReason.UNREADABLE}
_FULL = {Cap.CHAT: ShedReason.CHAT_FULL, Cap.TOTAL: ShedReason.ALL_FULL}


class AcceptingJournal(Protocol):
    """What intake asks of the journal. Every call raises `StoreUnavailable` with nothing stored."""

    async def accept(self, batch: Sequence[Acceptance]) -> Sequence[Receipt]:
        """Commit a batch in one transaction; the receipts stand in its order and name their chats."""
        ...

    async def chat_by_conversation(self, adapter: str, account: str, conversation: str) -> Chat | None:
        """Find a chat by where it is; None where the assistant was never addressed."""
        ...

    async def request_cancel(self, chat_id: str) -> Sequence[str]:
        """Mark every unfinished turn of a chat as to be cancelled, and name the turns."""
        ...


class StopSignals(Protocol):
    """What intake asks of the live bus."""

    async def signal_stop(self, turn_id: str) -> None:
        """Tell every worker that a turn was cancelled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSettings:
    """What intake knows of the deployment."""

    rules: Rules
    #: Which process sends for each adapter, by the adapter's name.
    sends_from: Mapping[str, SendsFrom]
    #: Seconds from its acceptance within which an answer to a message is worth giving.
    deadline_s: float = 600.0
    #: Every chat's share of the schedule.
    weight: float = 1.0
    #: Messages that share one transaction at most; more would only make the first of them wait.
    largest_batch: int = 256


class Intake:
    """Implements `adapters.base.Sink`. Leaving the context commits and announces what is still on its way."""

    def __init__(
        self,
        journal: AcceptingJournal,
        announcer: Announcer,
        live: StopSignals,
        settings: IntakeSettings,
        hooks: Hooks = (),
    ) -> None:
        """Keep whom to ask and to tell; the announcer's context is entered and left with this one."""
        self._journal = journal
        self._announcer = announcer
        self._live = live
        self._settings = settings
        self._hooks = hooks
        self._commits = GroupCommit(
            journal.accept, largest_batch=settings.largest_batch, committed=self._announce
        )
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start committing."""
        await self._open.enter_async_context(self._announcer)
        await self._open.enter_async_context(self._commits)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit what waits, then announce it."""
        await self._open.aclose()

    async def accept(self, event: Inbound) -> Receipt:
        """Decide, and return once everything there is to keep is committed. Ignoring does no I/O.

        Raises `StoreUnavailable` when nothing could be committed: do not acknowledge then.
        """
        match decide(event, self._settings.rules):
            case Ignore():
                return IGNORED
            case Accept(skill, kept, text):
                return await self._commits.submit(self._acceptance(kept, skill, text))
            case Stop():
                return await self._stop(event.adapter, event.account, event.conversation.ref)
            case Refuse(reason, sentence, kept):
                refused = self._acceptance(kept, Skill.ANSWER, "", (reason, sentence))
                return await self._commits.submit(refused)

    async def stop(self, event: StopRequested) -> Receipt:
        """Cancel what runs and waits in a conversation. Raises `StoreUnavailable` if that is not recorded."""
        return await self._stop(event.adapter, event.account, event.conversation)

    async def _stop(self, adapter: str, account: str, conversation: str) -> Receipt:
        # What was handed over before the stop is committed before it, or it would escape.
        await self._commits.settled()
        chat = await self._journal.chat_by_conversation(adapter, account, conversation)
        if chat is not None:
            cancelled = await self._journal.request_cancel(chat.id)
            self._announcer.put(chat.id, self._settings.weight)
            for turn_id in cancelled:
                await self._live.signal_stop(turn_id)
        return DONE

    def _acceptance(
        self, event: Inbound, skill: Skill, text: str, refusal: tuple[NoticeKind, str] | None = None
    ) -> Acceptance:
        return Acceptance(
            inbound=event,
            text=text,
            skill=skill,
            sends_from=self._settings.sends_from[event.adapter],
            weight=self._settings.weight,
            deadline_s=self._settings.deadline_s,
            refusal=refusal,
        )

    def _announce(self, committed: Sequence[tuple[Acceptance, Receipt]]) -> None:
        for acceptance, receipt in committed:
            adapter, chat_id = acceptance.inbound.adapter, receipt.chat_id or ""
            if receipt.outcome in (Outcome.ACCEPTED, Outcome.JOINED):
                self._announcer.put(chat_id, acceptance.weight)
            elif receipt.outcome is Outcome.REFUSED:
                self._announcer.ring(adapter)
            self._tell(acceptance, receipt, adapter, chat_id)

    def _tell(self, acceptance: Acceptance, receipt: Receipt, adapter: str, chat_id: str) -> None:
        match receipt.outcome:
            case Outcome.ACCEPTED | Outcome.JOINED:
                joined = receipt.outcome is Outcome.JOINED
                turn_id = receipt.turn_id or ""
                emit(
                    self._hooks,
                    TurnAccepted(turn_id=turn_id, chat_id=chat_id, adapter=adapter, joined=joined),
                )
            case Outcome.DUPLICATE:
                emit(self._hooks, InboundRepeated(adapter=adapter))
            case Outcome.REFUSED:
                emit(
                    self._hooks,
                    TurnShed(chat_id=chat_id, adapter=adapter, reason=_shed_reason(acceptance, receipt)),
                )
            case Outcome.IGNORED | Outcome.DONE:
                pass


def _shed_reason(acceptance: Acceptance, receipt: Receipt) -> ShedReason:
    if isinstance(receipt, CapRefusal):
        return _FULL[receipt.cap]
    kind = acceptance.refusal[0] if acceptance.refusal else NoticeKind.BUSY
    return _REASONS.get(kind, ShedReason.CHAT_FULL)
