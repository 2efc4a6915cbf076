"""What the contract asks of a harness: an adapter over whatever stands for its platform, and its people.

A harness begins with `AdapterHarness`. Of the other protocols it has those of the abilities that it does not lack;
`lacks` says of every other one, in words, why the platform has no such thing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self

from adapters.base import Adapter, Attachment, Inbound, Media, RawRequest
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.sink import HeardSink

Deliver = Callable[[], Awaitable[bool]]


class Loss(StrEnum):
    """What gets lost of the next call."""

    #: It is not carried out, and the connection is cut.
    REQUEST = "request"
    #: It is carried out, and the connection is cut.
    ANSWER = "answer"
    #: It is carried out, and nothing ever comes.
    SILENCE = "silence"


class AdapterHarness(Protocol):
    """Every harness."""

    adapter: Adapter
    #: Which of our accounts sends, and a conversation to send to.
    account: str
    conversation: str
    #: What this platform does not have, and why, in a sentence.
    lacks: Mapping[Ability, str]
    #: What must stand in no log: tokens, numbers.
    secrets: Sequence[str]

    def running(self, folder: Path, *, call_s: float = 5.0) -> AbstractAsyncContextManager[Self]:
        """Start the platform and open the adapter; a call is given up after `call_s` seconds."""
        ...

    async def visible(self) -> list[str]:
        """Read what a person sees of ours in the conversation, oldest first."""
        ...


class HasLifetime(Protocol):
    """`LIFETIME`."""

    #: Entered before the adapter is called.
    lifetime: AbstractAsyncContextManager[object]


class TakesIn(Protocol):
    """`TAKES_IN`: all that follows is of harnesses that have it."""

    sink: HeardSink

    async def deliver(self, key: str) -> bool:
        """Deliver one message that says `hi` under a key; tell whether it was acknowledged."""
        ...


class Runs(Protocol):
    """`RUNS`."""

    async def cancel(self) -> None:
        """Cancel what takes events in; again is harmless."""
        ...

    def is_clean(self) -> bool:
        """Tell whether a cancelled run left nothing open."""
        ...

    async def run_again(self) -> None:
        """Run the same adapter's source once more."""
        ...


class Called(Protocol):
    """`WEBHOOK`."""

    #: The header that proves the platform.
    proof: str

    async def requests(self) -> Sequence[RawRequest]:
        """Write a good request for each of the adapter's routes, the one that brings messages first."""
        ...

    async def post(self, request: RawRequest) -> int:
        """Call the gateway's route; the status."""
        ...


class Forms(Protocol):
    """`FORMS`."""

    async def with_blank_fields(self) -> RawRequest:
        """Write a good request with fields that are blank."""
        ...


class Old(Protocol):
    """`HORIZON`."""

    #: Seconds.
    horizon_s: float

    async def deliver_old(self, age_s: float) -> bool:
        """Deliver something that was written so long ago; tell whether it was acknowledged."""
        ...


class OtherBots(Protocol):
    """`OTHER_BOTS`."""

    async def deliver_from_bot(self) -> bool:
        """Deliver what another program wrote to us; tell whether it was acknowledged."""
        ...


class Echoes(Protocol):
    """`ECHOES`."""

    async def echo(self) -> bool:
        """Deliver a message of our own; tell whether it was acknowledged."""
        ...


class Groups(Protocol):
    """`GROUPS`; with `CAPTIONS`, `pictured` puts a picture above the words."""

    #: What people call us by.
    handle: str

    async def hear(self, text: str, *, pictured: bool = False) -> Inbound:
        """Let somebody write in a group; give what the core is handed."""
        ...


class Quotes(Protocol):
    """`QUOTES`."""

    async def hear_reply(self, quoted: str, *, of_ours: bool) -> Inbound:
        """Let somebody reply to a message that says `quoted`, somebody's or ours; give what the core is handed."""
        ...


class Together(Protocol):
    """`TOGETHER`."""

    async def hear_together(self, caption: str, count: int) -> Sequence[Inbound]:
        """Let somebody send so many pictures in one go; give what the core is handed."""
        ...


class Happens(Protocol):
    """Each of `HAPPENINGS`."""

    async def happening(self, what: Ability) -> Deliver:
        """Let it happen; give what delivers it, each time once, and tells whether it was acknowledged."""
        ...


class Moves(Protocol):
    """`MOVES`."""

    async def movable(self) -> str:
        """Make a conversation that can move, and give its reference."""
        ...

    async def move(self, conversation: str) -> str:
        """Let it move, and give its new reference; nothing of that is told before somebody tells it."""
        ...

    async def visible_in(self, conversation: str) -> list[str]:
        """Read what a person sees of ours there."""
        ...


class Limits(Protocol):
    """`RATE_LIMITS`."""

    async def limit(self, seconds: float | None) -> None:
        """Refuse the next call for so many seconds, or without saying for how long."""
        ...


class Loses(Protocol):
    """`LOST_ANSWERS`."""

    async def lose(self, loss: Loss) -> None:
        """Let something of the next call be lost."""
        ...


class Windows(Protocol):
    """`WINDOWS`."""

    async def close_window(self) -> None:
        """Let time pass until the person may not be written to; `deliver` opens the window again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Something that somebody attaches."""

    body: bytes
    #: What the platform says it is.
    mime: str = "image/png"
    #: Whether its size is not told, or told wrongly, before it is read.
    hides_size: bool = False


class HasMedia(Protocol):
    """`MEDIA`."""

    media: Media

    async def attach(self, file: File) -> Attachment:
        """Let somebody attach a file; give what the core is told of it."""
        ...

    def led_away(self, url: str) -> AbstractAsyncContextManager[tuple[Media, Attachment]]:
        """Give a file whose address leads to a URL on another host, and what opens it."""
        ...


#: What a harness with an ability must have. CAPTIONS, KEYED and the like need nothing of their own.
PROTOCOLS: Mapping[Ability, type[Any]] = {
    Ability.LIFETIME: HasLifetime,
    Ability.TAKES_IN: TakesIn,
    Ability.RUNS: Runs,
    Ability.WEBHOOK: Called,
    Ability.FORMS: Forms,
    Ability.HORIZON: Old,
    Ability.OTHER_BOTS: OtherBots,
    Ability.ECHOES: Echoes,
    Ability.GROUPS: Groups,
    Ability.QUOTES: Quotes,
    Ability.TOGETHER: Together,
    Ability.EDITS: Happens,
    Ability.WITHDRAWALS: Happens,
    Ability.STOPS: Happens,
    Ability.PRESSES: Happens,
    Ability.MOVES: Moves,
    Ability.MEMBERSHIPS: Happens,
    Ability.REPORTS: Happens,
    Ability.RATE_LIMITS: Limits,
    Ability.LOST_ANSWERS: Loses,
    Ability.WINDOWS: Windows,
    Ability.MEDIA: HasMedia,
}


def needed(ability: Ability) -> set[str]:
    """Name what a harness with an ability must have."""
    protocol = PROTOCOLS.get(ability)
    if protocol is None:
        return set()
    return {name for name in {*vars(protocol), *protocol.__annotations__} if not name.startswith("_")}
