"""The sink every adapter hands its messages to: decide, commit with whoever else waits, then announce."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from adapters.base import (
    ConversationMoved,
    Delivery,
    Edited,
    Inbound,
    MembershipChanged,
    Outcome,
    Pressed,
    Receipt,
    StopRequested,
    Withdrawn,
)
from bot.chat.ambient_keeper import Listening
from bot.ingress.acceptances import Acceptances, IntakeSettings
from bot.ingress.announcing import Announcer
from bot.ingress.asked import AcceptingJournal, StopSignals
from bot.ingress.bursts import Bursts
from bot.ingress.comings import Comings, Introduction
from bot.ingress.endings import DONE, IGNORED, Endings
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
    Stop,
    as_rest,
    decide,
)
from bot.ingress.presses import Presses
from bot.ingress.reports import Reports
from bot.ingress.telling import told_of
from bot.telemetry.events import Hooks, emit
from bot.turns.acceptance import Acceptance
from bot.turns.journal import Change
from bot.turns.model import NoticeKind, Skill


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
        introduction: Introduction | None = None,
    ) -> None:
        """Keep whom to ask and to tell; the contexts of announcer and modes are entered and left with this one.

        Without a `load` no wait is predicted, without `bursts` only the pictures of an album wait for their rest,
        without `modes` no chat ever chose one, without `listening` nothing is remembered, without `forgetting` no wish
        to be forgotten is heeded, without an `introduction` nobody who comes later is told what the assistant is.
        """
        self._journal = journal
        self._announcer = announcer
        self._rules = settings.rules
        self._hooks = hooks
        self._acceptances = Acceptances(settings, load or NoLoad())
        self._endings = Endings(journal, announcer, live, hooks)
        self._bursts = bursts or Bursts({})
        self._modes = modes or FirstModes()
        self._listening = listening
        self._forgetting = forgetting
        self._commits = GroupCommit(
            journal.accept, largest_batch=settings.largest_batch, committed=self._announce
        )
        self._presses = Presses(journal, self._endings, self._acceptances, self._commits.submit, hooks)
        self._reports = Reports(journal, announcer, hooks)
        self._comings = Comings(
            journal,
            announcer,
            self._endings,
            self._acceptances,
            self._commits.submit,
            introduction=introduction,
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
                return await self._commits.submit(self._acceptances.refused(kept, reason, sentence))

    async def edited(self, event: Edited) -> Receipt:
        """Change what still waits; one that cannot be taken (too long, not text) leaves what stood.

        Raises `StoreUnavailable` when nothing could be committed: do not acknowledge then.
        """
        inbound = event.inbound
        mode = self._modes.of(inbound.adapter, inbound.account, inbound.conversation.ref)
        decision = decide(inbound, self._rules, mode.consent)
        await self._heard_anew(mode, inbound, decision)
        match decision:
            case Accept() as accepted:
                return await self._amend(self._acceptances.of(accepted))
            case Refuse():
                return IGNORED
            case (Ignore() | Remember()) as ignored:
                # Beside others it need not address anybody: the journal knows whether it stands alone.
                as_one_of_several = as_rest(inbound, ignored, self._rules, mode.consent)
                if isinstance(as_one_of_several, Accept):
                    return await self._amend(self._acceptances.of(as_one_of_several))
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
        return await self._endings.changed(await self._journal.withdraw(event))

    async def _amend(self, edited: Acceptance) -> Receipt:
        await self._commits.settled()
        changed = await self._journal.amend(edited)
        if changed.change is Change.UNKNOWN and not edited.is_rest:
            # It addresses the assistant only now; if it did before, it was answered, and its event is known.
            return await self._commits.submit(edited)
        return await self._endings.changed(changed)

    async def stop(self, event: StopRequested) -> Receipt:
        """Cancel what runs and waits in a conversation. Raises `StoreUnavailable` if that is not recorded."""
        return await self._stop(event.adapter, event.account, event.conversation)

    async def pressed(self, event: Pressed) -> Receipt:
        """Carry out what a button says. Raises `StoreUnavailable` if that is not recorded."""
        # What was handed over before is committed before: a stop must find it.
        await self._commits.settled()
        return await self._presses.carry_out(event)

    async def moved(self, event: ConversationMoved) -> Receipt:
        """Take everything of a conversation along. Raises `StoreUnavailable` if that is not recorded."""
        await self._commits.settled()
        return await self._comings.moved(event)

    async def membership(self, event: MembershipChanged) -> Receipt:
        """Introduce the assistant to who came, or end what waits where it was removed. Raises `StoreUnavailable`."""
        await self._commits.settled()
        return await self._comings.changed(event)

    async def delivered(self, event: Delivery) -> Receipt:
        """Write down what became of a message of ours. Raises `StoreUnavailable` if that is not recorded."""
        return await self._reports.hear(event)

    async def _stop(self, adapter: str, account: str, conversation: str) -> Receipt:
        # What was handed over before the stop is committed before it, or it would escape.
        await self._commits.settled()
        return await self._endings.stop(adapter, account, conversation)

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
        told = self._acceptances.refused(of_nobody(kept), NoticeKind.FORGOTTEN, heeded.sentence)
        return await self._commits.submit(told)

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
        decision = decide(event, self._rules, mode.consent)
        if not self._bursts.is_rest(event):
            return decision
        return as_rest(event, decision, self._rules, mode.consent)

    async def _take(self, accepted: Accept) -> Receipt:
        receipt = await self._commits.submit(self._acceptances.of(accepted, self._hold_back_s(accepted)))
        if receipt.outcome is Outcome.REFUSED:
            self._bursts.refused(accepted.event)
        return receipt

    def _hold_back_s(self, accepted: Accept) -> float:
        return self._bursts.hold_back_s(accepted.event) if accepted.skill is Skill.ANSWER else 0.0

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
