"""The platform in memory, as the adapter contract runs it: in each class, without people."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from adapters.base import Idempotency, LiveOutput
from adapters.loopback.adapter import LoopbackAdapter
from adapters.loopback.faults import Fault
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.harness import Loss

_NOBODY = "nobody is on the other side: it only keeps what is sent"
_SENDING = {
    Ability.KEYED,
    Ability.UNSURE,
    Ability.CHANGES,
    Ability.RATE_LIMITS,
    Ability.LOST_ANSWERS,
}
_LACKS = {ability: _NOBODY for ability in Ability if ability not in _SENDING} | {
    Ability.LIFETIME: "it has no connection",
    Ability.WINDOWS: "it takes messages at any time",
}
#: What nobody can say as long as a call is answered or lost at once.
_LOST = {Loss.REQUEST: Fault.LOST_REQUEST, Loss.ANSWER: Fault.LOST_ANSWER, Loss.SILENCE: Fault.LOST_ANSWER}


class LoopbackHarness:
    """The platform in memory, in one class; it has no source of its own."""

    account = "local"
    conversation = "room"
    secrets = ()

    def __init__(self, idempotency: Idempotency) -> None:
        self._idempotency = idempotency
        self.adapter = LoopbackAdapter(idempotency=idempotency, live=LiveOutput.EDIT)

    @property
    def lacks(self) -> Mapping[Ability, str]:
        """What it does not have in this class."""
        other = {
            Ability.KEYED: (Idempotency.KEYED, "in this class it takes no key"),
            Ability.UNSURE: (
                Idempotency.NONE,
                "in this class a message that may be there is never sent anew",
            ),
        }
        return _LACKS | {
            ability: why for ability, (its, why) in other.items() if its is not self._idempotency
        }

    @contextlib.asynccontextmanager
    async def running(self, _folder: Path, *, call_s: float = 5.0) -> AsyncIterator["LoopbackHarness"]:
        """Be there."""
        yield self

    async def visible(self) -> list[str]:
        """Read what a person would see."""
        return self.adapter.texts(self.conversation)

    async def limit(self, seconds: float | None) -> None:
        """Refuse the next call for now."""
        if seconds is not None:
            self.adapter.faults._retry_after_s = seconds
        self.adapter.faults.next_call(Fault.RETRY_AFTER)

    async def lose(self, loss: Loss) -> None:
        """Lose the next call, or its answer."""
        self.adapter.faults.next_call(_LOST[loss])
