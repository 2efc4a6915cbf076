"""Typing on WhatsApp: shown to the person, and the message it names is marked as read.

https://www.twilio.com/docs/whatsapp/api/typing-indicators-resource (public beta).
"""

from typing import Final

from aiohttp import web

from tests.adapters.twilio_cloud.api import Answer, Api, Call
from tests.adapters.twilio_cloud.errors import Refused, Unmodelled
from tests.adapters.twilio_cloud.parameters import once
from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.shown import Channel, Direction, Endpoint
from tests.adapters.twilio_cloud.sids import is_sid

_PATH: Final = "/v2/Indicators/Typing.json"
#: Or until a message comes.
LASTS_S: Final = 25


class TypingIndicators:
    """The resource over a record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def routes(self, api: Api) -> list[web.RouteDef]:
        """List the routes."""
        return [api.route("POST", _PATH, Endpoint.TYPING, self._create)]

    def shown(self, person: str) -> bool:
        """Tell whether a person sees the assistant writing now."""
        began = self._record.scalar("SELECT max(at) FROM typings WHERE person = ?", person)
        if began is None or self._record.clock.now() - began >= LASTS_S:
            return False
        answered = self._record.scalar(
            "SELECT 1 FROM messages m JOIN changes c USING (sid) WHERE m.person = ? AND m.direction != 'inbound' "
            "AND c.status = 'delivered' AND c.at >= ?",
            person,
            began,
        )
        return answered is None

    async def _create(self, call: Call) -> Answer:
        given = once(call.fields, frozenset({"channel", "messageId"}))
        if given.get("channel") != Channel.WHATSAPP:
            raise Unmodelled(20001, "typing is shown on WhatsApp alone")
        sid = given.get("messageId", "")
        row = self._record.message(sid) if is_sid(sid, "SM", "MM") else None
        if row is None or row["channel"] != Channel.WHATSAPP:
            raise Refused(20404)
        if row["direction"] != Direction.INBOUND:
            raise Unmodelled(20001, "typing answers a message of a person, not one of ours")
        self._record.typed(person=row["person"], sender=row["sender"], message=sid)
        if row["read_at"] is None:
            self._record.touch(sid, read_at=self._record.clock.now())
        return Answer(wire={"success": True})
