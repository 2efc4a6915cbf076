"""The cloud seen as one of the generic fake platforms, so that what drives and judges those can drive and judge it.

A conversation is a person on WhatsApp: its name is turned into a number. There are no groups, edits or withdrawals, and
a webhook says nothing of outcomes, since its answer is TwiML. Twilio gives up on a webhook after fifteen seconds, so a
message may stay unacknowledged.
"""

import zlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from tests.adapters.twilio_cloud.remote import RemoteCloud
from tests.adapters.twilio_cloud.shown import Bubble, Call, Direction, Page
from tests.platforms import seen as generic
from tests.platforms.client import ACCOUNT, PlatformClient

#: What the world calls the gateways.
PUBLIC_ORIGIN: Final = "https://bot.example.org"
#: As often as Twilio can be asked to try.
_TRIES: Final = "#rc=5&rp=all"
_FAULTS: Final[Mapping[generic.Fault, str]] = MappingProxyType(
    {generic.Fault.RATE_LIMITED: "too_many", generic.Fault.RATE_LIMITED_SILENTLY: "too_many_silently"}
)
_ENDPOINTS: Final[Mapping[generic.Endpoint, str]] = MappingProxyType(
    {generic.Endpoint.SEND: "send", generic.Endpoint.FIND: "list"}
)


def number_of(conversation: str) -> str:
    """Give a conversation the number of its person, always the same."""
    return f"+49170{zlib.crc32(conversation.encode()):010d}"


class TwilioClient(PlatformClient):
    """The cloud by the generic client's interface. Use it as an async context manager."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._cloud = RemoteCloud(url)
        #: What each person's conversation is called.
        self._named: dict[str, str] = {}
        self._violations: dict[str, None] = {}

    async def __aenter__(self) -> Self:
        """Open the connections."""
        await self._cloud.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self._cloud.__aexit__()

    async def set_gateways(self, urls: Iterable[str]) -> None:
        """Name the gateways' webhook URLs, which all have one path."""
        parts = [urlsplit(url) for url in urls]
        await self._cloud.do(
            "proxy", origin=PUBLIC_ORIGIN, behind=[f"{part.scheme}://{part.netloc}" for part in parts]
        )
        for path in {part.path for part in parts}:
            await self._cloud.do("webhook", url=f"{PUBLIC_ORIGIN}{path}{_TRIES}")

    async def say(self, text: str, *, conversation: str = "room", **asked: Any) -> str:
        """Let the conversation's person say something; who else speaks there, and how, has no meaning here."""
        number = number_of(conversation)
        self._named[f"whatsapp:{number}"] = conversation
        kept = {name: asked[name] for name in ("reply_to", "copies", "delay_s") if name in asked}
        return await self._cloud.say(text, number=number, **kept)

    async def deliver_again(self, mention: str, *, copies: int = 1, spread: bool = False) -> None:
        """Deliver what was said once more."""
        await self._cloud.do("again", sid=mention, copies=copies)

    async def edit(self, mention: str, text: str, *, mentions_assistant: bool = True) -> None:
        """Do nothing: nobody is told of an edit on WhatsApp."""

    async def withdraw(self, mention: str) -> None:
        """Do nothing: nobody is told of a deletion on WhatsApp."""

    async def violations(self) -> list[str]:
        """List what no correct account would have asked for, as far as pages were read."""
        return [*self._violations]

    async def fault(
        self,
        fault: generic.Fault,
        *,
        endpoint: generic.Endpoint | None = None,
        conversation: str | None = None,
        **more: Any,
    ) -> None:
        """Let calls run into a fault; one of a call that this cloud does not have meets none."""
        if endpoint is not None and endpoint not in _ENDPOINTS:
            return
        await self._cloud.do(
            "fault",
            fault=_FAULTS.get(fault, str(fault)),
            endpoint=None if endpoint is None else _ENDPOINTS[endpoint],
            to=None if conversation is None else f"whatsapp:{number_of(conversation)}",
            **more,
        )

    async def calm(self) -> None:
        """End every fault."""
        await self._cloud.do("calm")

    async def page(self, after: int = 0, *, limit: int = 1000, wait_s: float = 0.0) -> generic.Page:
        """Read what changed after a number."""
        page = await self._cloud.page(after, limit=limit, wait_s=wait_s)
        self.under_way = self._cloud.under_way
        self._violations |= dict.fromkeys(page.violations)
        return as_generic(page, self._named)


def as_generic(page: Page, named: Mapping[str, str]) -> generic.Page:
    """Show a page as the generic platforms do; what Twilio itself wrote is left out."""
    return generic.Page(
        messages=tuple(
            _message(bubble, named) for bubble in page.messages if bubble.direction == Direction.API
        ),
        mentions=tuple(_mention(bubble, named) for bubble in page.messages if bubble.inbound),
        faults=tuple(_injected(call, named) for call in page.calls if call.fault),
        next=page.next,
        more=page.more,
    )


def _message(bubble: Bubble, named: Mapping[str, str]) -> generic.Message:
    marks = {"text": bubble.body, "purpose": bubble.purpose, "operation": bubble.operation}
    first = generic.Version(seq=bubble.changes[0].seq, at=bubble.created_at, **marks)
    lost = bubble.status in ("failed", "undelivered")
    return generic.Message(
        id=bubble.sid,
        seq=bubble.seq,
        account=ACCOUNT,
        conversation=named.get(bubble.person, bubble.person),
        reply_to=bubble.answers,
        may_be_duplicate=bubble.may_be_duplicate,
        posted_at=bubble.created_at,
        edited_at=None,
        # Nobody ever sees it.
        deleted_at=bubble.updated_at if lost else None,
        versions=(first,),
        **marks,
    )


def _mention(bubble: Bubble, named: Mapping[str, str]) -> generic.Mention:
    return generic.Mention(
        id=bubble.sid,
        seq=bubble.seq,
        said_seq=bubble.changes[0].seq,
        account=ACCOUNT,
        conversation=named.get(bubble.person, bubble.person),
        kind="direct",
        sender=bubble.person,
        text=bubble.body,
        reply_to=bubble.reply_to,
        said_at=bubble.created_at,
        acked_at=bubble.acked_at,
        acked_seq=bubble.acked_seq,
        outcome=bubble.outcome,
        edited_at=None,
        withdrawn_at=None,
        statuses=bubble.tries,
        given_up=bubble.given_up_at is not None and bubble.acked_at is None,
    )


def _injected(call: Call, named: Mapping[str, str]) -> generic.Injected:
    return generic.Injected(
        seq=call.seq,
        at=call.at,
        fault=call.fault or "",
        endpoint=call.endpoint,
        operation="",
        conversation=named.get(call.person, call.person),
    )
