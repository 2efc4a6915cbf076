"""The sink every adapter hands its messages to: decide, commit with whoever else waits, then announce."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from adapters.base import (
    ConversationKind,
    Edited,
    Inbound,
    Outcome,
    Receipt,
    SendsFrom,
    StopRequested,
    Withdrawn,
)
from bot.chat.ambient_keeper import Listening
from bot.ingress.announcing import Announcer
from bot.ingress.bursts import Bursts
from bot.ingress.forget_requests import ForgetRequests, of_nobody
from bot.ingress.group_commit import GroupCommit
from bot.ingress.load import Load, NoLoad
from bot.ingress.modes import FirstModes, Mode, Modes
from bot.ingress.policy import (
    Accept,
    Decision,
    Forget,
    Ignore,
    Refuse,
    Remember,
    Rules,
    Stop,
    as_rest,
    decide,
)
from bot.ingress.telling import told_of
from bot.telemetry.events import Hooks, TurnFinished, TurnOutcome, emit
from bot.turns.acceptance import Acceptance
from bot.turns.journal import Cancelled, Change, Changed
from bot.turns.model import Chat, NoticeKind, Skill

IGNORED: Final = Receipt(outcome=Outcome.IGNORED)
DONE: Final = Receipt(outcome=Outcome.DONE)


class AcceptingJournal(Protocol):
    """What intake asks of the journal. Every call raises `StoreUnavailable` with nothing stored."""

    async def accept(self, batch: Sequence[Acceptance]) -> Sequence[Receipt]:
        """Commit a batch in one transaction; the receipts stand in its order and name their chats."""
        ...

    async def chat_by_conversation(self, adapter: str, account: str, conversation: str) -> Chat | None:
        """Find a chat by where it is; None where the assistant was never addressed."""
        ...

    async def amend(self, edited: Acceptance) -> Changed:
        """Give a mention that nobody has in hand another text; one that speaks to nobody now is taken back.

        It stays where its turn has other messages: they speak for it.
        """
        ...

    async def withdraw(self, event: Withdrawn) -> Changed:
        """Cancel the turn of a message that was taken back, or take the message out of its turn."""
        ...

    async def request_cancel(self, chat_id: str) -> Cancelled:
        """End every waiting turn of a chat, ask for the running ones to be cancelled, and tell which are which."""
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
    #: A chat's share of the schedule.
    direct_weight: float = 2.0
    group_weight: float = 1.0
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
        *,
        load: Load | None = None,
        bursts: Bursts | None = None,
        modes: Modes | None = None,
        listening: Listening | None = None,
        forgetting: ForgetRequests | None = None,
    ) -> None:
        """Keep whom to ask and to tell; the contexts of announcer and modes are entered and left with this one.

        Without a `load` no wait is predicted, without `bursts` only the pictures of an album wait for their rest,
        without `modes` no chat ever chose one, without `listening` nothing is remembered, without `forgetting` no wish
        to be forgotten is heeded.
        """
        self._journal = journal
        self._announcer = announcer
        self._live = live
        self._settings = settings
        self._hooks = hooks
        self._load = load or NoLoad()
        self._bursts = bursts or Bursts({})
        self._modes = modes or FirstModes()
        self._listening = listening
        self._forgetting = forgetting
        self._commits = GroupCommit(
            journal.accept, largest_batch=settings.largest_batch, committed=self._announce
        )
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start committing."""
        await self._open.enter_async_context(self._modes)
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
        mode = self._modes.of(event.adapter, event.account, event.conversation.ref)
        match self._decide(event, mode):
            case Ignore():
                return IGNORED
            case Remember(remembered):
                await self._hear(mode, remembered)
                return IGNORED
            case Accept() as accepted:
                return await self._take(accepted)
            case Stop():
                return await self._stop(event.adapter, event.account, event.conversation.ref)
            case Forget(kept, text):
                return await self._forget(kept, text)
            case Refuse(reason, sentence, kept):
                refused = self._acceptance(kept, Skill.ANSWER, "", (reason, sentence))
                return await self._commits.submit(refused)

    async def edited(self, event: Edited) -> Receipt:
        """Change what still waits; one that cannot be taken (too long, not text) leaves what stood.

        Raises `StoreUnavailable` when nothing could be committed: do not acknowledge then.
        """
        inbound = event.inbound
        mode = self._modes.of(inbound.adapter, inbound.account, inbound.conversation.ref)
        decision = decide(inbound, self._settings.rules, mode.consent)
        await self._heard_anew(mode, inbound, decision)
        match decision:
            case Accept() as accepted:
                return await self._amend(self._accepted(accepted))
            case Refuse():
                return IGNORED
            case (Ignore() | Remember()) as ignored:
                # Beside others it need not address anybody: the journal knows whether it stands alone.
                as_one_of_several = as_rest(inbound, ignored, self._settings.rules, mode.consent)
                if isinstance(as_one_of_several, Accept):
                    return await self._amend(self._accepted(as_one_of_several))
                return await self.withdrawn(_taken_back(inbound))
            case Stop() | Forget():
                return await self.withdrawn(_taken_back(inbound))

    async def withdrawn(self, event: Withdrawn) -> Receipt:
        """Cancel what a message asked that was taken back. Raises `StoreUnavailable` if that is not recorded."""
        # What was handed over before is committed before, or it would escape.
        await self._commits.settled()
        mode = self._modes.of(event.adapter, event.account, event.conversation)
        if self._listening and mode.chat:
            await self._listening.withdrawn(mode.chat, event.message)
        return await self._changed(await self._journal.withdraw(event))

    async def _changed(self, changed: Changed) -> Receipt:
        chat_id, turn_id = changed.chat_id or "", changed.turn_id or ""
        if changed.change is Change.CANCELLING:
            self._announcer.put(chat_id, changed.weight)
            await self._live.signal_stop(turn_id)
        elif changed.change is Change.CANCELLED:
            finished = TurnFinished(
                turn_id=turn_id, chat_id=chat_id, outcome=TurnOutcome.CANCELLED, total_s=changed.waited_s
            )
            emit(self._hooks, finished)
        if changed.change in (Change.UNKNOWN, Change.LEFT):
            return IGNORED
        return Receipt(
            outcome=Outcome.DONE,
            turn_id=changed.turn_id,
            chat_id=changed.chat_id,
            cancelled=changed.change is Change.CANCELLED,
        )

    async def _amend(self, edited: Acceptance) -> Receipt:
        await self._commits.settled()
        changed = await self._journal.amend(edited)
        if changed.change is Change.UNKNOWN and not edited.is_rest:
            # It addresses the assistant only now; if it did before, it was answered, and its event is known.
            return await self._commits.submit(edited)
        return await self._changed(changed)

    async def stop(self, event: StopRequested) -> Receipt:
        """Cancel what runs and waits in a conversation. Raises `StoreUnavailable` if that is not recorded."""
        return await self._stop(event.adapter, event.account, event.conversation)

    async def _stop(self, adapter: str, account: str, conversation: str) -> Receipt:
        # What was handed over before the stop is committed before it, or it would escape.
        await self._commits.settled()
        chat = await self._journal.chat_by_conversation(adapter, account, conversation)
        if chat is not None:
            cancelled = await self._journal.request_cancel(chat.id)
            self._announcer.put(chat.id, chat.weight)
            self._announcer.ring(adapter)
            for turn_id in cancelled.asked:
                await self._live.signal_stop(turn_id)
            for turn_id, waited_s in cancelled.ended:
                finished = TurnFinished(
                    turn_id=turn_id, chat_id=chat.id, outcome=TurnOutcome.CANCELLED, total_s=waited_s
                )
                emit(self._hooks, finished)
        return DONE

    async def _forget(self, kept: Inbound, text: str) -> Receipt:
        if self._forgetting is None:
            return IGNORED
        # What was handed over before is committed before, or it would escape.
        await self._commits.settled()
        heeded = await self._forgetting.heed(kept, text)
        if heeded is None:
            return DONE
        for chat in heeded.chats:
            self._announcer.put(chat.id, chat.weight)
            self._announcer.ring(chat.adapter)
        told = (NoticeKind.FORGOTTEN, heeded.sentence)
        return await self._commits.submit(self._acceptance(of_nobody(kept), Skill.ANSWER, "", told))

    async def _hear(self, mode: Mode, event: Inbound) -> None:
        if self._listening and mode.chat:
            await self._listening.hear(mode.chat, event)

    async def _heard_anew(self, mode: Mode, inbound: Inbound, decision: Decision) -> None:
        """Let what is remembered of a message say what the message says now, if it still addresses nobody."""
        if self._listening is None or mode.chat is None:
            return
        if isinstance(decision, Remember):
            await self._listening.amended(mode.chat, decision.event)
        else:
            await self._listening.withdrawn(mode.chat, inbound.message)

    def _decide(self, event: Inbound, mode: Mode) -> Decision:
        decision = decide(event, self._settings.rules, mode.consent)
        if not self._bursts.is_rest(event):
            return decision
        return as_rest(event, decision, self._settings.rules, mode.consent)

    async def _take(self, accepted: Accept) -> Receipt:
        receipt = await self._commits.submit(self._accepted(accepted, self._hold_back_s(accepted)))
        if receipt.outcome is Outcome.REFUSED:
            self._bursts.refused(accepted.event)
        return receipt

    def _hold_back_s(self, accepted: Accept) -> float:
        return self._bursts.hold_back_s(accepted.event) if accepted.skill is Skill.ANSWER else 0.0

    def _accepted(self, accepted: Accept, hold_back_s: float = 0.0) -> Acceptance:
        return self._acceptance(
            accepted.event,
            accepted.skill,
            accepted.text,
            hold_back_s=hold_back_s,
            is_rest=accepted.is_rest,
        )

    def _acceptance(
        self,
        event: Inbound,
        skill: Skill,
        text: str,
        refusal: tuple[NoticeKind, str] | None = None,
        *,
        hold_back_s: float = 0.0,
        is_rest: bool = False,
    ) -> Acceptance:
        settings = self._settings
        is_direct = event.conversation.kind is ConversationKind.DIRECT
        return Acceptance(
            inbound=event,
            text=text,
            skill=skill,
            sends_from=settings.sends_from[event.adapter],
            weight=settings.direct_weight if is_direct else settings.group_weight,
            deadline_s=settings.deadline_s,
            refusal=refusal,
            hold_back_s=hold_back_s,
            is_rest=is_rest,
            too_late=self._is_too_late(),
            ask_again_s=self._load.ask_again_s(),
        )

    def _is_too_late(self) -> bool:
        wait_s, longest_s = self._load.predicted_wait_s(), self._load.longest_wait_s()
        if wait_s is None:
            return False
        return wait_s > self._settings.deadline_s or (longest_s is not None and wait_s > longest_s)

    def _announce(self, committed: Sequence[tuple[Acceptance, Receipt]]) -> None:
        for acceptance, receipt in committed:
            adapter, chat_id = acceptance.inbound.adapter, receipt.chat_id or ""
            if receipt.outcome in (Outcome.ACCEPTED, Outcome.JOINED):
                self._announcer.put(chat_id, acceptance.weight)
            elif receipt.outcome is Outcome.REFUSED:
                self._announcer.ring(adapter)
            if told := told_of(acceptance, receipt):
                emit(self._hooks, told)


def _taken_back(inbound: Inbound) -> Withdrawn:
    return Withdrawn(
        adapter=inbound.adapter,
        account=inbound.account,
        conversation=inbound.conversation.ref,
        message=inbound.message,
    )
