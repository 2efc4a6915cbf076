"""Sending a stored reply from a worker: every part once, as far as the platform's class allows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import partial

from adapters.base import Adapter, Edit, Idempotency, Purpose, Send, Sent
from adapters.errors import Gone, Rejected, RetryAfter, Unreachable
from adapters.markdown import parse
from bot.errors import Fenced, StoreUnavailable
from bot.telemetry.events import AmbiguousSend, Hooks, emit
from bot.turns.journal import Journal
from bot.turns.lease import Lease
from bot.turns.model import Part, Turn
from bot.turns.takeover import LateEffects
from bot.turns.tasks import unbroken

logger = logging.getLogger(__name__)


class SendPolicy(StrEnum):
    """What to do on a class C platform with a send that may or may not have arrived."""

    #: Send again, marked as a possible duplicate.
    RESEND = "resend"
    #: Leave it: a rare loss rather than a rare duplicate.
    GIVE_UP = "give_up"


#: What stands for the message of a part that was left in doubt.
UNKNOWN = Sent(message="")


class Sending:
    """Sends the parts of stored replies on one `sends_from: any` platform."""

    def __init__(
        self,
        adapter: Adapter,
        journal: Journal,
        late: LateEffects,
        *,
        policy: SendPolicy = SendPolicy.RESEND,
        again_s: float = 1.0,
        hooks: Hooks = (),
    ) -> None:
        self._adapter = adapter
        self._journal = journal
        self._late = late
        self._policy = policy
        self._again_s = again_s
        self._hooks = hooks

    async def send(self, turn: Turn, lease: Lease) -> None:
        """Bring every part to the platform, then finish the turn.

        Raises an `AdapterError` with the journal saying what is known of the part it happened on; calling
        again continues there.
        """
        for part in turn.parts:
            if part.message is None:
                await self._send_part(turn, part, lease)
        await self._journal.finish(turn)

    async def restate(self, turn: Turn, lease: Lease) -> None:
        """Edit the stored final text in once more, over whatever a stalled worker left."""
        for part in turn.parts:
            if part.message:
                lease.require()
                try:
                    await unbroken(self._edited_again(turn, part, part.message, lease))
                except (Rejected, Gone) as error:
                    logger.info("part %s is not there to be restated: %s", part.op_id, type(error).__name__)
        await self._journal.clear_restate(turn)

    async def _edited_again(self, turn: Turn, part: Part, message: str, lease: Lease) -> None:
        await self._edit(turn, part, message)
        await self._late.check(turn, lease)

    async def _send_part(self, turn: Turn, part: Part, lease: Lease) -> None:
        if part.number == 0 and turn.placeholder is not None:
            try:
                await self._carry_out(turn, part, lease, partial(self._edit, turn, part, turn.placeholder))
            except Rejected:
                logger.info("the placeholder of turn %s cannot be edited any more", turn.id)
            else:
                return
        found = await self._resolve_doubt(turn, part) if part.in_doubt else None
        if found is not None:
            await self._record(turn, part, found, lease)
        else:
            await self._carry_out(turn, part, lease, partial(self._post, turn, part))

    async def _carry_out(
        self, turn: Turn, part: Part, lease: Lease, call: Callable[[], Awaitable[Sent]]
    ) -> None:
        """Start a part only under the lease, and write down what became of it even if cancelled meanwhile."""
        lease.require()
        await self._journal.start_part(turn, part.number)
        lease.require()
        await unbroken(self._recorded(turn, part, lease, call))

    async def _recorded(
        self, turn: Turn, part: Part, lease: Lease, call: Callable[[], Awaitable[Sent]]
    ) -> None:
        try:
            sent = await call()
        except (RetryAfter, Unreachable):
            await self._journal.part_not_sent(turn, part.number)
            raise
        await self._record(turn, part, sent, lease)

    async def _record(self, turn: Turn, part: Part, sent: Sent, lease: Lease) -> None:
        """Write down that a part arrived; a store that is away must not make a known send a doubtful one."""
        while True:
            try:
                await self._journal.part_sent(turn, part.number, sent.message)
            except Fenced:
                await self._late.restate(turn)
                raise
            except StoreUnavailable:
                if not lease.held:
                    raise
                await asyncio.sleep(self._again_s)
            else:
                return

    async def _resolve_doubt(self, turn: Turn, part: Part) -> Sent | None:
        chat = turn.chat
        found = None
        match self._adapter.capabilities(chat.conversation).idempotency:
            case Idempotency.READ_BACK:
                found = await self._adapter.find(part.op_id, chat.account, chat.conversation)
            case Idempotency.NONE if self._policy is SendPolicy.GIVE_UP:
                found = UNKNOWN
            case Idempotency.NONE:
                await self._journal.part_resent_in_doubt(turn, part.number)
            case Idempotency.KEYED:
                pass
        emit(self._hooks, AmbiguousSend(turn_id=turn.id, adapter=self._adapter.name, resent=found is None))
        return found

    async def _post(self, turn: Turn, part: Part) -> Sent:
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
                may_be_duplicate=part.in_doubt and idempotency is Idempotency.NONE,
            )
        )

    async def _edit(self, turn: Turn, part: Part, message: str) -> Sent:
        return await self._adapter.edit(
            Edit(
                op_id=part.op_id,
                account=turn.chat.account,
                conversation=turn.chat.conversation,
                message=message,
                content=parse(part.text),
                purpose=Purpose.REPLY,
            )
        )
