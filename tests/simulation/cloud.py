"""The platform of a run: the shipped one in memory, behind a network that loses, delays and refuses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from adapters.base import (
    AdapterState,
    Capabilities,
    Edit,
    Idempotency,
    LiveOutput,
    Purpose,
    Send,
    SendsFrom,
    Sent,
)
from adapters.errors import AdapterError, Ambiguous, RetryAfter, Unreachable
from adapters.loopback.adapter import LoopbackAdapter
from tests.simulation.schedule import Harm, Seam
from tests.simulation.virtual_loop import OUTSIDE, OWNER, VirtualLoop
from tests.simulation.watching import Change, Watch
from tests.simulation.wire import Wire

#: Seconds until an adapter gives up on an answer; a request that arrives at all does so sooner.
TIMEOUT_S = 2.0
_IS_SLOW = 0.12
#: Fits every notice and one paragraph of a reply.
_TEXT_LIMIT = 260


class CloudAdapter:
    """An `Adapter` whose requests travel on their own: the process that made one may be gone when it arrives."""

    name = "loopback"
    sends_from = SendsFrom.ANY
    state = AdapterState.CONNECTED

    def __init__(
        self, loop: VirtualLoop, wire: Wire, watch: Watch, idempotency: Idempotency, live: LiveOutput
    ) -> None:
        self._loop = loop
        self._wire = wire
        self._watch = watch
        self._cloud = LoopbackAdapter(
            idempotency=idempotency, live=live, live_min_interval_s=0.4, text_limit=_TEXT_LIMIT
        )
        #: Requests on their way.
        self.travelling = 0

    def capabilities(self, conversation: str) -> Capabilities:
        return self._cloud.capabilities(conversation)

    def split(self, markdown: str, conversation: str) -> list[str]:
        return self._cloud.split(markdown, conversation)

    async def send(self, op: Send) -> Sent:
        self._watch.starts("send", op.op_id)
        return await self._call("send", op.op_id, lambda: self._send(op))

    async def edit(self, op: Edit) -> Sent:
        self._watch.starts("edit", op.op_id)
        return await self._call("edit", op.op_id, lambda: self._edit(op))

    async def delete(self, account: str, conversation: str, message: str) -> None:
        await self._call("delete", message, lambda: self._delete(account, conversation, message))

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        return await self._call("find", op_id, lambda: self._cloud.find(op_id, account, conversation))

    async def _send(self, op: Send) -> Sent:
        before = {seen.message for seen in self._cloud.messages(op.conversation)}
        sent = await self._cloud.send(op)
        if sent.message not in before:
            self._seen(op, sent.message, posted=True)
        return sent

    async def _edit(self, op: Edit) -> Sent:
        sent = await self._cloud.edit(op)
        self._seen(op, op.message)
        return sent

    def _seen(self, op: Send | Edit, message: str, *, posted: bool = False) -> None:
        (text,) = (seen.text for seen in self._cloud.messages(op.conversation) if seen.message == message)
        self._watch.seen(
            Change(
                at_s=self._loop.time(),
                conversation=op.conversation,
                message=message,
                op_id=op.op_id,
                purpose=op.purpose,
                text=text,
                posted=posted,
                may_be_duplicate=getattr(op, "may_be_duplicate", False),
                reply_to=getattr(op, "reply_to", None),
            )
        )

    async def _delete(self, account: str, conversation: str, message: str) -> None:
        if any(seen.message == message for seen in self._cloud.messages(conversation)):
            await self._cloud.delete(account, conversation, message)
            self._watch.seen(
                Change(
                    at_s=self._loop.time(),
                    conversation=conversation,
                    message=message,
                    op_id="",
                    purpose=Purpose.PLACEHOLDER,
                    text=None,
                )
            )

    async def _call(self, what: str, op_id: str, request: Callable[[], Awaitable[Any]]) -> Any:
        process = OWNER.get()
        assert process is not None
        stops = process.stops
        named = f"{what} {op_id}"
        try:
            number = await self._wire.leave(Seam.PLATFORM, named)
            answer = await self._answer(named, request)
            await self._wire.come_back(Seam.PLATFORM, named, number)
        except Ambiguous:
            self._watch.doubted.append(op_id)
            raise
        finally:
            if process.stops != stops:
                self._watch.stopped_inside.add(op_id)
        return answer

    async def _answer(self, named: str, request: Callable[[], Awaitable[Any]]) -> Any:
        match harm := self._wire.harm(Seam.PLATFORM):
            case Harm.REFUSED:
                raise Unreachable("the platform cannot be reached")
            case Harm.RATE_LIMITED:
                await asyncio.sleep(0.05)
                raise RetryAfter(1.0)
        if harm is not None:
            self._watch.tell(f"{harm} of {named}")
        future = self._loop.create_future()
        self._loop.create_task(self._travel(future, request, harm), context=OUTSIDE.copy())
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await future
        except TimeoutError as exc:
            raise Ambiguous("the platform did not answer") from exc

    async def _travel(
        self, future: asyncio.Future[Any], request: Callable[[], Awaitable[Any]], harm: Harm | None
    ) -> None:
        chance = self._wire.chance("platform")
        self.travelling += 1
        there_s, back_s = chance.uniform(0.02, 0.25), chance.uniform(0.02, 0.25)
        if chance.random() < _IS_SLOW:
            there_s = chance.uniform(0.3, TIMEOUT_S - 0.4)
        await asyncio.sleep(there_s)
        if harm is not Harm.REQUEST_LOST:
            answer, error = await _outcome(request)
            await asyncio.sleep(back_s)
            if harm is None and not future.done():
                future.set_exception(error) if error else future.set_result(answer)
        self.travelling -= 1


async def _outcome(request: Callable[[], Awaitable[Any]]) -> tuple[Any, AdapterError | None]:
    try:
        return await request(), None
    except AdapterError as error:
        return None, error
