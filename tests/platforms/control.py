"""What a test may do to a fake platform: speak as its users, make it fail, and read its record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiohttp import web

from tests.platforms.deliveries import Deliveries, Event, Manner
from tests.platforms.faults import Faults, Rule
from tests.platforms.news import News
from tests.platforms.record import Record, Said
from tests.platforms.seen import Endpoint, Fault

_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The routes under /control."""

    record: Record
    faults: Faults
    deliveries: Deliveries
    news: News

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        posts: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "gateways": self._gateways,
            "say": self._say,
            "again": self._again,
            "edit": self._edit,
            "withdraw": self._withdraw,
            "stop": self._stop,
            "faults": self._add_fault,
            "calm": self._calm,
        }
        routes = [web.post(f"/control/{name}", _as_json(act)) for name, act in posts.items()]
        return [*routes, web.get("/control/record", self._page, allow_head=False)]

    async def _gateways(self, asked: dict[str, Any]) -> None:
        self.deliveries.gateways = tuple(asked["urls"])

    async def _say(self, asked: dict[str, Any]) -> dict[str, str]:
        """Let a user say something; what is said once is told under one event, however often it is delivered."""
        manner = Manner(**asked.pop("manner", {}))
        mentions = asked.pop("mentions_assistant", True)
        mention = self.record.say(Said(**asked))
        self._tell(mention, "message", mention, manner, mentions=mentions)
        return {"id": mention}

    async def _again(self, asked: dict[str, Any]) -> None:
        """Deliver what was said once more, as a platform does that has lost an acknowledgement."""
        mention = asked["id"]
        self._tell(mention, "message", mention, Manner(**asked.get("manner", {})), mentions=True)

    async def _edit(self, asked: dict[str, Any]) -> None:
        mention = asked["id"]
        self.record.say_otherwise(mention, asked["text"])
        event = f"{mention}-edit-{self.record.seq}"
        self._tell(mention, "edited", event, Manner(), mentions=asked.get("mentions_assistant", True))

    async def _withdraw(self, asked: dict[str, Any]) -> None:
        mention = asked["id"]
        self.record.unsay(mention)
        self._tell(mention, "withdrawn", f"{mention}-withdrawn", Manner(), mentions=False)

    async def _stop(self, asked: dict[str, Any]) -> None:
        """Let a user press stop in a conversation."""
        event = f"stop-{next(_PRESSED)}-{self.record.seq}"
        payload = {
            "event": "stop",
            "event_id": event,
            "account": asked["account"],
            "conversation": {"id": asked["conversation"], "kind": asked["kind"]},
            "sender": {"id": asked["sender"], "name": asked["sender"].title()},
        }
        self.deliveries.deliver(Event(id=event, mention=None, payload=payload), Manner())

    async def _add_fault(self, asked: dict[str, Any]) -> None:
        endpoint = asked.pop("endpoint", None)
        fault = Fault(asked.pop("fault"))
        self.faults.add(Rule(fault=fault, endpoint=Endpoint(endpoint) if endpoint else None, **asked))

    async def _calm(self, asked: dict[str, Any]) -> None:
        self.faults.clear()

    async def _page(self, request: web.Request) -> web.Response:
        """Answer with what changed after a number; where nothing has, wait a while for it."""
        after = int(request.query.get("after", "0"))
        if after >= self.record.seq and (wait_s := float(request.query.get("wait_s", "0"))):
            await self.news.wait(wait_s)
        page = self.record.page(after, int(request.query.get("limit", _PAGE)))
        return web.json_response(page.to_wire() | {"under_way": self.deliveries.under_way})

    def _tell(
        self,
        mention: str,
        kind: str,
        event: str,
        manner: Manner,
        *,
        mentions: bool,
    ) -> None:
        row = self.record.mention(mention)
        if row is None:
            raise web.HTTPNotFound(text="nobody said that")
        said_at = datetime.fromtimestamp(row["said_at"], UTC).isoformat()
        payload = {
            "event": kind,
            "event_id": event,
            "account": row["account"],
            "conversation": {"id": row["conversation"], "kind": row["kind"]},
            "sender": {"id": row["sender"], "name": row["sender"].title()},
            "message": {"id": mention, "text": row["text"], "sent_at": said_at},
            "mentions_assistant": mentions,
        }
        if row["reply_to"]:
            payload["quoted"] = self._quoted(row["reply_to"])
        self.deliveries.deliver(Event(id=event, mention=mention, payload=payload), manner)
        self.news.tell()

    def _quoted(self, reference: str) -> dict[str, Any]:
        if ours := self.record.standing(reference):
            return {"id": reference, "author": "assistant", "text": ours["text"], "by_assistant": True}
        if theirs := self.record.mention(reference):
            by = {"author": theirs["sender"], "author_id": theirs["sender"], "by_assistant": False}
            return {"id": reference, "text": theirs["text"], **by}
        raise web.HTTPNotFound(text="there is no such message to reply to")


_PRESSED = count(1)


def _as_json(
    act: Callable[[dict[str, Any]], Awaitable[Any]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(await act(await request.json()) or {})

    return handle
