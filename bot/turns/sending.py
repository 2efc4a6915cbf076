"""Sending a stored reply from a worker: every part once, as far as the platform's class allows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from adapters.base import Adapter, Button, Edit, Idempotency, Purpose, Send, Sent
from adapters.errors import AdapterError, Ambiguous, Gone, Rejected
from adapters.markdown import parse
from bot.clock import Clock
from bot.errors import Fenced, StoreUnavailable
from bot.telemetry.events import AmbiguousSend, Hooks, emit
from bot.turns.ahead import granted
from bot.turns.buttons import under_reply
from bot.turns.delays import Delays
from bot.turns.journal import Journal
from bot.turns.lease import Lease
from bot.turns.linking import Linking
from bot.turns.model import Part, Turn
from bot.turns.send_policy import UNKNOWN, SendPolicy, leaves_doubt
from bot.turns.takeover import LateEffects
from bot.turns.tasks import unbroken

logger = logging.getLogger(__name__)

#: The addresses of a reply that may be live.
Links = frozenset[str]


class Sending:
    """Sends the parts of stored replies on one `sends_from: any` platform."""

    def __init__(
        self,
        adapter: Adapter,
        journal: Journal,
        late: LateEffects,
        clock: Clock,
        *,
        policy: SendPolicy = SendPolicy.RESEND,
        delays: Delays,
        hooks: Hooks = (),
        linking: Linking | None = None,
    ) -> None:
        """Keep whom to ask; without a `linking` no address is a live link."""
        self._adapter = adapter
        self._journal = journal
        self._late = late
        self._clock = clock
        self._policy = policy
        self._delays = delays
        self._hooks = hooks
        self._linking = linking

    async def send(self, turn: Turn, lease: Lease) -> None:
        """Bring every part to the platform, then finish the turn.

        Raises an `AdapterError` with the journal saying what is known of the part it happened on; calling
        again continues there.
        """
        links = await self._links(turn)
        for part in turn.parts:
            if part.message is None:
                await self._send_part(turn, part, lease, links)
        await self._journal.finish(turn)

    async def look(self, turn: Turn, lease: Lease) -> Turn:
        """Look once more for what is in doubt, where the platform can tell; return the turn with what was found."""
        if self._adapter.capabilities(turn.chat.conversation).idempotency is Idempotency.KEYED:
            return turn
        return replace(turn, parts=tuple([await self._looked_up(turn, part, lease) for part in turn.parts]))

    async def _looked_up(self, turn: Turn, part: Part, lease: Lease) -> Part:
        if not part.in_doubt:
            return part
        chat = turn.chat
        await self._settled(part, lease)
        try:
            found = await self._adapter.find(part.op_id, chat.account, chat.conversation)
        except AdapterError as error:
            logger.info("part %s cannot be looked up: %s", part.op_id, type(error).__name__)
            return part
        if found is None:
            return part
        await self._record(turn, part, found, lease)
        return replace(part, message=found.message, in_doubt=False)

    async def restate(self, turn: Turn, lease: Lease) -> None:
        """Edit the stored final text in once more, over whatever a stalled worker left."""
        links = await self._links(turn)
        for part in turn.parts:
            if part.message:
                await granted(self._adapter, part.op_id, turn.chat)
                lease.require()
                try:
                    await unbroken(self._edited_again(turn, part, part.message, lease, links))
                except (Rejected, Gone) as error:
                    logger.info("part %s is not there to be restated: %s", part.op_id, type(error).__name__)
        await self._journal.clear_restate(turn)

    async def _links(self, turn: Turn) -> Links:
        return frozenset() if self._linking is None else await self._linking.of(turn)

    async def _edited_again(self, turn: Turn, part: Part, message: str, lease: Lease, links: Links) -> None:
        await self._edit(turn, part, message, links)
        await self._late.check(turn, lease)

    async def _send_part(self, turn: Turn, part: Part, lease: Lease, links: Links) -> None:
        if part.number == 0 and turn.placeholder is not None:
            edit = partial(self._edit, turn, part, turn.placeholder, links)
            try:
                await self._carry_out(turn, part, lease, edit)
            except Rejected:
                logger.info("the placeholder of turn %s cannot be edited any more", turn.id)
            else:
                return
        found = await self._resolve_doubt(turn, part, lease) if part.in_doubt else None
        if found is not None:
            await self._record(turn, part, found, lease)
        else:
            await self._carry_out(turn, part, lease, partial(self._post, turn, part, links))

    async def _carry_out(
        self, turn: Turn, part: Part, lease: Lease, call: Callable[[], Awaitable[Sent]]
    ) -> None:
        """Start a part only under the lease, and write down what became of it even if cancelled meanwhile."""
        await granted(self._adapter, part.op_id, turn.chat)
        lease.require()
        await self._journal.start_part(turn, part.number)
        lease.require()
        await unbroken(self._recorded(turn, part, lease, call))

    async def _recorded(
        self, turn: Turn, part: Part, lease: Lease, call: Callable[[], Awaitable[Sent]]
    ) -> None:
        try:
            sent = await call()
        except Ambiguous:
            raise
        except AdapterError:
            # Every other refusal says that nothing was done: no doubt is left behind.
            await self._written(partial(self._journal.part_not_sent, turn, part.number), lease)
            raise
        await self._record(turn, part, sent, lease)

    async def _record(self, turn: Turn, part: Part, sent: Sent, lease: Lease) -> None:
        """Write down that a part arrived."""
        try:
            await self._written(partial(self._journal.part_sent, turn, part.number, sent.message), lease)
        except Fenced:
            await self._late.restate(turn)
            raise

    async def _written(self, write: Callable[[], Awaitable[None]], lease: Lease) -> None:
        """Write down what is known, while the lease stands: a store that is away must make no doubt of it."""
        while True:
            try:
                await write()
            except StoreUnavailable:
                if not lease.held:
                    raise
                await asyncio.sleep(self._delays.not_now_s)
            else:
                return

    async def _resolve_doubt(self, turn: Turn, part: Part, lease: Lease) -> Sent | None:
        chat = turn.chat
        found = None
        idempotency = self._adapter.capabilities(chat.conversation).idempotency
        if idempotency is not Idempotency.KEYED:
            # Class C can be looked up here and there, too; only what is not found there is a matter of policy.
            await self._settled(part, lease)
            found = await self._adapter.find(part.op_id, chat.account, chat.conversation)
        if found is None and idempotency is Idempotency.NONE:
            if leaves_doubt(self._policy, self._adapter, chat.conversation):
                found = UNKNOWN
            else:
                await self._journal.part_resent_in_doubt(turn, part.number)
        emit(self._hooks, AmbiguousSend(turn_id=turn.id, adapter=self._adapter.name, resent=found is None))
        return found

    async def _settled(self, part: Part, lease: Lease) -> None:
        """Wait until nothing of the earlier try can arrive any more.

        Whoever began it may still be at it, where the schedule was erased under a lease that had not ended.
        """
        if part.started_at is None:
            return
        settle_s = min(self._delays.settle_s, lease.length_s)
        age_s = (self._clock.now() - part.started_at).total_seconds()
        # Were our clock behind, it would not be for long: the wait has its own end.
        await asyncio.sleep(max(0.0, min(settle_s - age_s, settle_s)))

    async def _post(self, turn: Turn, part: Part, links: Links) -> Sent:
        chat = turn.chat
        idempotency = self._adapter.capabilities(chat.conversation).idempotency
        return await self._adapter.send(
            Send(
                op_id=part.op_id,
                account=chat.account,
                conversation=chat.conversation,
                content=parse(part.text),
                purpose=Purpose.REPLY,
                reply_to=turn.said[-1].message if part.number == 0 else None,
                # A doubt outlives later tries that are known not to have happened.
                may_be_duplicate=idempotency is Idempotency.NONE and (part.in_doubt or part.may_be_duplicate),
                buttons=self._buttons(turn, part),
                links=links,
            )
        )

    def _buttons(self, turn: Turn, part: Part) -> tuple[Button, ...]:
        return under_reply(self._adapter.capabilities(turn.chat.conversation), turn, part.number)

    async def _edit(self, turn: Turn, part: Part, message: str, links: Links) -> Sent:
        return await self._adapter.edit(
            Edit(
                op_id=part.op_id,
                account=turn.chat.account,
                conversation=turn.chat.conversation,
                message=message,
                content=parse(part.text),
                purpose=Purpose.REPLY,
                may_be_duplicate=part.may_be_duplicate and message != turn.placeholder,
                buttons=self._buttons(turn, part),
                links=links,
            )
        )
