"""One attempt at one turn: from the claim to a stored and delivered reply, or an honest end."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from bot.chat.keeper import ContextKeeper
from bot.clock import Clock
from bot.errors import PlatformMissing
from bot.skills.base import SkillRunner
from bot.telemetry.events import (
    ContextCut,
    CutWithoutSummary,
    Hooks,
    TurnFinished,
    TurnOutcome,
    TurnReplied,
    emit,
)
from bot.turns.delivery import Delivery
from bot.turns.journal import Journal
from bot.turns.lease import Lease
from bot.turns.model import Chat, Exchange, NoticeKind, Reply, Skill, Spent, Turn, TurnState
from bot.turns.notice_texts import MAY_HAVE_ARRIVED, NOTICES, STOPPED_MARK
from bot.turns.stopping import Stop
from bot.turns.trouble import Trouble
from engine.errors import PromptTooLong

logger = logging.getLogger(__name__)

#: The last share of the time allowed for a turn in which no generation is begun, if half of one does not fit in.
LAST_SHARE = 0.1

#: Seconds for which a notice is left to the worker that caused it: it sends it before the chat's next reply.
NOTICE_FIRST_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSettings:
    """How often a turn is tried."""

    #: Failed attempts after which a turn is given up.
    most_attempts: int = 3


class Attempt:
    """Works on claimed turns; one instance serves a whole worker."""

    def __init__(
        self,
        *,
        journal: Journal,
        deliveries: Mapping[str, Delivery],
        skills: Mapping[Skill, SkillRunner],
        keeper: ContextKeeper,
        trouble: Trouble,
        clock: Clock,
        settings: AttemptSettings,
        usual_s: Callable[[], float | None] = lambda: None,
        summarise: Callable[[Chat], None] = lambda _chat: None,
        settle: Callable[[Turn, Reply], Awaitable[None]] | None = None,
        hooks: Hooks = (),
    ) -> None:
        self._journal = journal
        self._deliveries = deliveries
        self._skills = skills
        self._keeper = keeper
        self._trouble = trouble
        self._clock = clock
        self._settings = settings
        self._usual_s = usual_s
        self._summarise = summarise
        self._settle = settle
        self._hooks = hooks

    async def work(self, turn: Turn, lease: Lease, stop: Stop) -> None:
        """Bring a claimed turn as far as it goes now.

        Whatever was stored stays stored. Raises what ended the attempt; `Trouble` knows what each error means.
        """
        delivery = self._deliveries.get(turn.chat.adapter)
        if delivery is None:
            raise PlatformMissing(f"the platform {turn.chat.adapter} is not enabled here")
        if turn.state is TurnState.SENT:
            await self._restate(turn, lease, delivery)
        elif turn.state is TurnState.WAITING and turn.cancel_requested:
            # Before any end of ours: whoever stopped it is told that it stopped, not that it failed.
            await self._cancel(turn, delivery)
        elif ended := self._ending(turn):
            await self._end(turn, lease, delivery, ended)
        elif turn.state is not TurnState.WAITING:
            await self._deliver(turn, lease, delivery)
        else:
            await self._answer_if_it_fits(turn, lease, stop, delivery)

    async def lost(self, turn: Turn, lease: Lease) -> None:
        """Hear that another may have the turn by now."""
        delivery = self._deliveries.get(turn.chat.adapter)
        if delivery is not None:
            await delivery.lost(turn, lease)

    async def _end(self, turn: Turn, lease: Lease, delivery: Delivery, kind: NoticeKind) -> None:
        """Give a turn up, unless a last look finds on the platform what was in doubt: then it goes on."""
        looked = await delivery.look(turn, lease)
        if looked != turn:
            await self._deliver(looked, lease, delivery)
        else:
            await self._give_up(turn, delivery, kind)

    def _ending(self, turn: Turn) -> NoticeKind | None:
        if turn.attempts >= self._settings.most_attempts:
            return NoticeKind.FAILED
        if turn.state is TurnState.WAITING and self._left_s(turn) <= self._least_left_s(turn):
            return NoticeKind.EXPIRED
        return None

    def _left_s(self, turn: Turn) -> float:
        return (turn.deadline_at - self._clock.now()).total_seconds()

    def _least_left_s(self, turn: Turn) -> float:
        """Tell how much time must be left, so that the engine does not work on what will expire in its hands."""
        allowed_s = (turn.deadline_at - turn.accepted_at).total_seconds()
        return min((self._usual_s() or 0.0) / 2, allowed_s * LAST_SHARE)

    async def _answer_if_it_fits(self, turn: Turn, lease: Lease, stop: Stop, delivery: Delivery) -> None:
        try:
            await self._answer(turn, lease, stop, delivery)
        except PromptTooLong:
            # The skill has shortened what it can: trying again would change nothing.
            await self._give_up(turn, delivery, NoticeKind.TOO_LONG)

    async def _answer(self, turn: Turn, lease: Lease, stop: Stop, delivery: Delivery) -> None:
        async with delivery.live(turn, lease) as live:
            with self._trouble.explained(live):
                reply = await self._skills[turn.skill].reply(turn, live, stop)
        if reply is None:
            await self._cancel(turn, delivery)
            return
        lease.require()
        stored = await self._journal.store_reply(turn, self._cut(turn, reply, delivery))
        self._tell_replied(turn, reply)
        await self._remember(turn, stored, reply)
        if self._settle is not None:
            await self._settle(turn, reply)
        if reply.wants_summary:
            self._summarise(stored.chat)
        await self._deliver(stored, lease, delivery)

    async def _deliver(self, turn: Turn, lease: Lease, delivery: Delivery) -> None:
        await delivery.deliver(turn, lease)
        # An owner's turn is told here too: from now on it needs no worker, and its owner counts nothing.
        self._tell_finished(turn, TurnOutcome.SENT)

    async def _restate(self, turn: Turn, lease: Lease, delivery: Delivery) -> None:
        if turn.attempts < self._settings.most_attempts:
            await delivery.restate(turn, lease)
        else:
            logger.error("the final text of turn %s could not be edited in again", turn.id)
            await self._journal.clear_restate(turn)

    async def _remember(self, turn: Turn, stored: Turn, reply: Reply) -> None:
        if reply.prompt is None or reply.context_from is not None:
            if stored.chat.context_version != turn.chat.context_version:
                await self._keeper.forget(turn.chat)
            return
        exchange = Exchange(
            ord=turn.ord,
            prompt=reply.prompt,
            reply=reply.text,
            tokens=reply.spent.prompt_tokens + reply.spent.output_tokens if reply.spent else None,
        )
        await self._keeper.add(turn.chat, exchange, version=stored.chat.context_version)

    def _cut(self, turn: Turn, reply: Reply, delivery: Delivery) -> Reply:
        shown = "\n\n".join(reply.parts) or reply.text
        if reply.stopped:
            shown = f"{shown}\n\n{STOPPED_MARK}"
        return replace(reply, parts=delivery.split(turn, shown))

    async def _cancel(self, turn: Turn, delivery: Delivery) -> None:
        await self._journal.cancel(turn, NOTICES[NoticeKind.STOPPED], reserved_s=NOTICE_FIRST_S)
        self._tell_finished(turn, TurnOutcome.CANCELLED)
        await delivery.closed(turn)

    async def _give_up(self, turn: Turn, delivery: Delivery, kind: NoticeKind) -> None:
        state = TurnState.DEAD if kind is NoticeKind.FAILED else TurnState.REFUSED
        logger.warning("turn %s is given up: %s after %d attempts", turn.id, kind.value, turn.attempts)
        text = MAY_HAVE_ARRIVED if _may_have_arrived(turn) else NOTICES[kind]
        await self._journal.give_up(turn, state, kind, text, reserved_s=NOTICE_FIRST_S)
        self._tell_finished(turn, TurnOutcome(state.value))
        await delivery.closed(turn)

    def _tell_replied(self, turn: Turn, reply: Reply) -> None:
        spent = reply.spent or Spent(prompt_tokens=0, cached_tokens=0, output_tokens=0)
        replied = TurnReplied(
            turn_id=turn.id,
            prompt_tokens=spent.prompt_tokens,
            cached_tokens=spent.cached_tokens,
            output_tokens=spent.output_tokens,
        )
        emit(self._hooks, replied)
        if reply.context_from is not None:
            cut = ContextCut if reply.takes_summary is not None else CutWithoutSummary
            emit(self._hooks, cut(turn_id=turn.id, chat_id=turn.chat.id))

    def _tell_finished(self, turn: Turn, outcome: TurnOutcome) -> None:
        total_s = (self._clock.now() - turn.accepted_at).total_seconds()
        finished = TurnFinished(turn_id=turn.id, chat_id=turn.chat.id, outcome=outcome, total_s=total_s)
        emit(self._hooks, finished)


def _may_have_arrived(turn: Turn) -> bool:
    return any(part.in_doubt or part.message is not None for part in turn.parts)
