"""The fake platforms of every class, as the adapter contract runs them."""

import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from adapters.base import Inbound, LiveOutput, RawRequest
from adapters.registry import PlatformClass
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.gateway import posted
from tests.contracts.adapters.harness import Deliver, Loss
from tests.contracts.adapters.sink import HeardSink
from tests.platforms.client import ACCOUNT
from tests.platforms.deliveries import SIGNATURE, sign
from tests.platforms.harness import SECRET, CloudHarness, message_body
from tests.platforms.seen import Fault

_LACKS = {
    Ability.RUNS: "it calls us",
    Ability.FORMS: "its events are JSON",
    Ability.HORIZON: "it delivers for as long as it is not answered, and names no age",
    Ability.OTHER_BOTS: "only people write there",
    Ability.ECHOES: "it tells of people's messages alone",
    Ability.CAPTIONS: "it has words alone",
    Ability.TOGETHER: "it has words alone",
    Ability.PRESSES: "its one button asks to stop",
    Ability.MOVES: "a conversation keeps its id",
    Ability.MEMBERSHIPS: "it does not tell who comes and goes",
    Ability.REPORTS: "it does not report on messages",
    Ability.WINDOWS: "it takes messages at any time",
    Ability.MEDIA: "it has words alone",
}
_LOST = {
    Loss.REQUEST: Fault.LOST_REQUEST,
    Loss.ANSWER: Fault.LOST_RESPONSE,
    Loss.SILENCE: Fault.SILENT,
}


class CloudContract(CloudHarness):
    """One class of fake platform with what the contract asks for."""

    account = ACCOUNT
    handle = "@assistant"
    proof = SIGNATURE
    secrets = (SECRET,)

    def __init__(self, platform_class: PlatformClass) -> None:
        super().__init__(platform_class, live=LiveOutput.EDIT, sink=HeardSink())
        self._numbers = itertools.count(1)

    @property
    def lacks(self) -> Mapping[Ability, str]:
        """What a platform of this class does not have."""
        lacks = dict(_LACKS)
        if self.platform_class is not PlatformClass.A:
            lacks[Ability.KEYED] = "in this class it takes no key"
        if self.platform_class is not PlatformClass.C:
            lacks[Ability.UNSURE] = "in this class a message that may be there is never sent anew"
        return lacks

    @contextlib.asynccontextmanager
    async def running(self, folder: Path, *, call_s: float = 5.0) -> AsyncIterator["CloudContract"]:
        """Serve it, and open the adapter and a gateway."""
        async with super().running(folder, call_s=call_s):
            self.lifetime = self.adapter
            yield self

    async def deliver(self, key: str) -> bool:
        """Deliver one message under a key."""
        return await self.post(self._signed(message_body(key))) == HTTPStatus.OK

    async def post(self, request: RawRequest) -> int:
        """Call the gateway's route; the status."""
        return await posted((self.adapter.webhook,), self.sink, request)

    async def requests(self) -> Sequence[RawRequest]:
        """Write what it posts of a message."""
        return [self._signed(message_body("k1"))]

    def _signed(self, body: bytes) -> RawRequest:
        headers = {self.proof: sign(SECRET, body), "Content-Type": "application/json"}
        return RawRequest(method="POST", path=self.adapter.webhook.path, headers=headers, body=body)

    async def _told(self, event: dict[str, Any]) -> bool:
        return await self.post(self._signed(json.dumps(event).encode())) == HTTPStatus.OK

    async def hear(self, text: str, *, pictured: bool = False) -> Inbound:
        """Let Ann write in the room; who is mentioned there, the platform reads as its people do."""
        return await self._heard(self._said(text))

    async def hear_reply(self, quoted: str, *, of_ours: bool) -> Inbound:
        """Let Ann reply to us, or to Ben."""
        author = {"author": "Assistant"} if of_ours else {"author": "Ben", "author_id": "ben"}
        told = {"id": "m0", "text": quoted, "by_assistant": of_ours} | author
        return await self._heard(self._said("and?") | {"quoted": told})

    async def _heard(self, event: dict[str, Any]) -> Inbound:
        assert await self._told(event)
        return self.sink.events[-1]

    async def happening(self, what: Ability) -> Deliver:
        """Let something happen beside messages."""
        kinds = {Ability.EDITS: "edited", Ability.WITHDRAWALS: "withdrawn", Ability.STOPS: "stop"}
        said = self._said("one")
        await self._heard(said)
        if what is Ability.EDITS:
            said["message"] |= {"text": "two"}

        async def deliver() -> bool:
            return await self._told(said | {"event": kinds[what]})

        return deliver

    def _said(self, text: str) -> dict[str, Any]:
        key = f"said-{next(self._numbers)}"
        event = json.loads(message_body(key))
        event["message"]["text"] = text
        return event | {"mentions_assistant": self.handle in text.split()}

    async def limit(self, seconds: float | None) -> None:
        """Answer the next call 429."""
        if seconds is None:
            await self.client.fault(Fault.RATE_LIMITED_SILENTLY)
        else:
            await self.client.fault(Fault.RATE_LIMITED, retry_after_s=seconds)

    async def lose(self, loss: Loss) -> None:
        """Lose the next call, or its answer."""
        await self.client.fault(_LOST[loss])
