"""Serving one take: claim the chat's turn, work on it while the lease is kept, and give the chat back."""

import asyncio
import logging
from contextlib import suppress

from bot.clock import Clock
from bot.errors import (
    AsideError,
    Fenced,
    KeyMissing,
    Outranked,
    ScheduleUnavailable,
    StoreUnavailable,
    WrittenByNewer,
)
from bot.telemetry.events import Hooks, TurnTaken, emit
from bot.telemetry.events import LeaseLost as LeaseLostEvent
from bot.turns.attempt import Attempt
from bot.turns.journal import Journal, NotYet
from bot.turns.lease import Lease, LeaseLost
from bot.turns.model import Turn
from bot.turns.scheduler.base import DoneOutcome, Scheduler, Take
from bot.turns.stopping import Stop, StopBoard
from bot.turns.strain import Strain
from bot.turns.tasks import end
from bot.turns.trouble import Trouble

logger = logging.getLogger(__name__)

#: Seconds before asking again for a store that is not there.
OUTAGE_S = 1.0
#: Seconds before asking again for what an operator must mend.
OPERATOR_S = 60.0


class Serving:
    """What a worker does with each take."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        journal: Journal,
        attempt: Attempt,
        trouble: Trouble,
        stops: StopBoard,
        clock: Clock,
        lease_ms: int,
        strain: Strain,
        hooks: Hooks = (),
    ) -> None:
        self._scheduler = scheduler
        self._journal = journal
        self._attempt = attempt
        self._trouble = trouble
        self._stops = stops
        self._clock = clock
        self._lease_ms = lease_ms
        self._strain = strain
        self._hooks = hooks

    async def serve(self, take: Take) -> None:
        """Work on the chat's oldest unfinished turn; on cancellation release turn and chat, uncharged."""
        lease = Lease(self._scheduler, take, lease_ms=self._lease_ms, clock=self._clock)
        try:
            outcome, delay_s = await self._turn(lease)
        except (LeaseLost, Fenced):
            if lease.ran_out:
                self._strain.ran_out()
            emit(self._hooks, LeaseLostEvent(chat_id=take.chat_id, token=take.token))
            # Harmless where the chat is another's: the schedule looks at the token.
            await self._give_back(take, DoneOutcome.AGAIN, 0.0)
            return
        except asyncio.CancelledError:
            await self._give_back(take, DoneOutcome.AGAIN, 0.0)
            raise
        await self._give_back(take, outcome, delay_s)

    async def decline(self, taking: "asyncio.Future[Take | None]") -> None:
        """Give back at once what a take in flight still brings."""
        try:
            take = await taking
        except AsideError:
            return
        if take is not None:
            await self._give_back(take, DoneOutcome.AGAIN, 0.0)

    async def _turn(self, lease: Lease) -> tuple[DoneOutcome, float]:
        take = lease.take
        try:
            turn = await self._claimed(lease)
        except NotYet as error:
            return DoneOutcome.LATER, error.delay_ms / 1000
        except (StoreUnavailable, ScheduleUnavailable, WrittenByNewer):
            return DoneOutcome.LATER, OUTAGE_S
        except KeyMissing as error:
            logger.error("chat %s waits for its key: %s", take.chat_id, error)  # noqa: TRY400 - the cause says it all
            return DoneOutcome.LATER, OPERATOR_S
        except Outranked as error:
            return await self._lift(lease, error.fence)
        if turn is None:
            return DoneOutcome.IDLE, 0.0
        waited_s = (self._clock.now() - turn.accepted_at).total_seconds()
        emit(
            self._hooks,
            TurnTaken(
                turn_id=turn.id,
                chat_id=turn.chat.id,
                token=turn.token,
                waited_s=waited_s,
                attempts=turn.attempts,
            ),
        )
        return await self._try(turn, lease)

    async def _claimed(self, lease: Lease) -> Turn | None:
        """Claim and have KEEP confirm; a turn that is claimed and not worked on is released, uncharged."""
        take = lease.take
        claiming = asyncio.ensure_future(self._journal.claim(take.chat_id, take.token, take.epoch))
        turn = None
        try:
            turn = await asyncio.shield(claiming)
            await lease.confirm()
        except (asyncio.CancelledError, LeaseLost):
            with suppress(AsideError):
                turn = await claiming
            if turn is not None:
                await self._let_go(turn, lease)
            raise
        return turn

    async def _lift(self, lease: Lease, fence: int) -> tuple[DoneOutcome, float]:
        await lease.confirm()
        try:
            await self._scheduler.lift(fence)
        except ScheduleUnavailable:
            return DoneOutcome.LATER, OUTAGE_S
        return DoneOutcome.AGAIN, 0.0

    async def _try(self, turn: Turn, lease: Lease) -> tuple[DoneOutcome, float]:
        try:
            with self._stops.watch(turn.id) as stop:
                await self._work(turn, lease, stop)
        except (LeaseLost, Fenced):
            await self._let_go(turn, lease)
            raise
        except asyncio.CancelledError:
            await self._let_go(turn, lease)
            raise
        except Exception as error:  # noqa: BLE001 - the worker's loop top: judged, written down and logged
            try:
                return DoneOutcome.LATER, await self._settle(turn, error, lease)
            except (LeaseLost, Fenced):
                await self._let_go(turn, lease)
                raise
            except asyncio.CancelledError:
                await self._let_go(turn, lease)
                raise
        self._strain.ended_well()
        # What is accepted from here on is put after its commit, and a put during the lease is remembered.
        return DoneOutcome.AGAIN if turn.more else DoneOutcome.IDLE, 0.0

    async def _work(self, turn: Turn, lease: Lease, stop: Stop) -> None:
        """Work while the lease is kept; when it is lost, end the work first and raise `LeaseLost` then."""
        keeping = asyncio.ensure_future(self._keep(turn, lease, stop))
        working = asyncio.ensure_future(self._attempt.work(turn, lease, stop))
        try:
            await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await end({working})
                keeping.result()
            working.result()
        finally:
            await end({keeping, working})

    async def _keep(self, turn: Turn, lease: Lease, stop: Stop) -> None:
        while True:
            await lease.renew()
            try:
                if await self._journal.cancel_requested(turn.id):
                    stop.ask()
            except StoreUnavailable:
                continue  # the work itself will meet the store again

    async def _let_go(self, turn: Turn, lease: Lease) -> None:
        """Release a turn uncharged, if it is still ours and the store answers; else another may have it."""
        try:
            await self._journal.release(turn)
        except (Fenced, StoreUnavailable) as error:
            logger.info("turn %s was not released: %s", turn.id, type(error).__name__)
            await self._attempt.lost(turn, lease)

    async def _settle(self, turn: Turn, error: Exception, lease: Lease) -> float:
        while True:
            try:
                return await self._trouble.settle(turn, error)
            except StoreUnavailable:
                await asyncio.sleep(OUTAGE_S)
                await lease.confirm()

    async def _give_back(self, take: Take, outcome: DoneOutcome, delay_s: float) -> None:
        try:
            await self._scheduler.done(take, outcome, delay_ms=round(delay_s * 1000))
        except ScheduleUnavailable:
            logger.info("chat %s stays leased until its lease ends", take.chat_id)
