"""Sending a stored reply from a worker: every part once, as far as the platform's class allows."""

from enum import StrEnum

from adapters.base import Adapter, Edit, Idempotency, Purpose, Send, Sent
from adapters.errors import RetryAfter, Unreachable
from adapters.markdown import parse
from bot.turns.journal import Journal
from bot.turns.lease import Lease
from bot.turns.model import Part, Turn
from bot.turns.takeover import LateEffects


class SendPolicy(StrEnum):
    """What to do on a class C platform with a send that may or may not have arrived."""

    #: Send again, marked as a possible duplicate.
    RESEND = "resend"
    #: Leave it: a rare loss rather than a rare duplicate.
    GIVE_UP = "give_up"


class Sending:
    """Sends the parts of stored replies on one `sends_from: any` platform."""

    def __init__(
        self, adapter: Adapter, journal: Journal, late: LateEffects, policy: SendPolicy = SendPolicy.RESEND
    ) -> None:
        self._adapter = adapter
        self._journal = journal
        self._late = late
        self._policy = policy

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
            if part.message is not None:
                lease.require()
                await self._edit(turn, part, part.message)
                await self._late.check(turn, lease)
        await self._journal.clear_restate(turn)

    async def _send_part(self, turn: Turn, part: Part, lease: Lease) -> None:
        if part.number == 0 and turn.placeholder is not None:
            lease.require()
            await self._journal.start_part(turn, part.number)
            sent = await self._edit(turn, part, turn.placeholder)
        else:
            found = await self._resolve_doubt(turn, part) if part.in_doubt else None
            sent = found or await self._post(turn, part, lease)
        await self._late.check(turn, lease)
        await self._journal.part_sent(turn, part.number, sent.message)

    async def _resolve_doubt(self, turn: Turn, part: Part) -> Sent | None:
        chat = turn.chat
        idempotency = self._adapter.capabilities(chat.conversation).idempotency
        if idempotency is Idempotency.READ_BACK:
            return await self._adapter.find(part.op_id, chat.account, chat.conversation)
        if idempotency is Idempotency.NONE:
            if self._policy is SendPolicy.GIVE_UP:
                return Sent(message="")
            await self._journal.part_resent_in_doubt(turn, part.number)
        return None

    async def _post(self, turn: Turn, part: Part, lease: Lease) -> Sent:
        chat = turn.chat
        idempotency = self._adapter.capabilities(chat.conversation).idempotency
        operation = Send(
            op_id=part.op_id,
            account=chat.account,
            conversation=chat.conversation,
            content=parse(part.text),
            purpose=Purpose.REPLY,
            reply_to=turn.said[-1].message if part.number == 0 else None,
            may_be_duplicate=part.in_doubt and idempotency is Idempotency.NONE,
        )
        await self._journal.start_part(turn, part.number)
        lease.require()
        try:
            return await self._adapter.send(operation)
        except (RetryAfter, Unreachable):
            await self._journal.part_not_sent(turn, part.number)
            raise

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
