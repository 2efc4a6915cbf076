"""Media of people's messages: asked for with the account's credentials, found at a CDN that wants none.

https://www.twilio.com/docs/messaging/api/media-resource. The API answers with a redirect to a link that is signed and
ends; whoever shows the CDN an Authorization header has given credentials to a host that they do not belong to.
"""

import hashlib
import hmac
import sqlite3
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from tests.adapters.twilio_cloud.account import Account
from tests.adapters.twilio_cloud.api import Answer, Api, Call, unanswered
from tests.adapters.twilio_cloud.errors import Refused
from tests.adapters.twilio_cloud.faults import Faults
from tests.adapters.twilio_cloud.parameters import once
from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.resource import rfc2822
from tests.adapters.twilio_cloud.shown import Endpoint, Fault

_ONE: Final = "/2010-04-01/Accounts/{account}/Messages/{message}/Media/{sid}"
_CDN: Final = "/{account}/{sid}"
#: How long a link stands; Twilio says neither this nor that it is long.
_LINK_S: Final = 4 * 3600


class Media:
    """The resource, and the CDN behind it."""

    def __init__(self, account: Account, record: Record, faults: Faults, *, cdn_url: str) -> None:
        self._account = account
        self._record = record
        self._faults = faults
        self._secret = hashlib.sha256(account.sid.encode()).digest()
        self._cdn_url = cdn_url

    def routes(self, api: Api) -> list[web.RouteDef]:
        """List the routes of the API."""
        return [
            api.route("GET", _ONE + ".json", Endpoint.MEDIA, self._describe),
            api.route("GET", _ONE, Endpoint.MEDIA, self._redirect),
            api.route("DELETE", _ONE + ".json", Endpoint.MEDIA, self._delete),
            api.route("DELETE", _ONE, Endpoint.MEDIA, self._delete),
        ]

    def cdn_routes(self) -> list[web.RouteDef]:
        """List the routes of the CDN."""
        return [web.get(_CDN, self._serve, allow_head=False)]

    async def _redirect(self, call: Call) -> Answer:
        once(call.fields, frozenset())
        row = self._standing(call)
        expires = str(int(self._record.clock.now()) + _LINK_S)
        path = _CDN.format(account=self._account.sid, sid=row["sid"])
        query = urlencode({"Expires": expires, "Signature": self._signed(path, expires)})
        link = row["redirect"] or f"{self._cdn_url}{path}?{query}"
        return Answer(status=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": link})

    async def _describe(self, call: Call) -> Answer:
        row = self._standing(call)
        where = _ONE.format(account=self._account.sid, message=row["message"], sid=row["sid"])
        at = self._record.scalar("SELECT created_at FROM messages WHERE sid = ?", row["message"])
        return Answer(
            wire={
                "sid": row["sid"],
                "account_sid": self._account.sid,
                "parent_sid": row["message"],
                "content_type": row["content_type"],
                "date_created": rfc2822(at),
                "date_updated": rfc2822(at),
                "uri": where + ".json",
            }
        )

    async def _delete(self, call: Call) -> Answer:
        row = self._standing(call)
        self._record.execute("UPDATE media SET deleted = 1, body = NULL WHERE sid = ?", row["sid"])
        return Answer(status=HTTPStatus.NO_CONTENT)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers:
            self._record.violate("credentials were shown to the CDN")
            return self._served(HTTPStatus.BAD_REQUEST)
        expires, signature = request.query.get("Expires", ""), request.query.get("Signature", "")
        valid = hmac.compare_digest(signature, self._signed(request.path, expires))
        if not valid or int(expires) < self._record.clock.now():
            return self._served(HTTPStatus.FORBIDDEN)
        row = self._record.row("SELECT * FROM media WHERE sid = ?", request.match_info["sid"])
        if row is None or row["deleted"]:
            return self._served(HTTPStatus.NOT_FOUND)
        if (rule := self._faults.strike(Endpoint.CDN, "")) is not None:
            if rule.fault in (Fault.SERVER_ERROR, Fault.UNAVAILABLE):
                return self._served(HTTPStatus.SERVICE_UNAVAILABLE, rule.fault)
            self._called(0, rule.fault)
            return await unanswered(request, rule.fault)
        self._called(HTTPStatus.OK, None)
        return await _sent(request, row["body"], row["labelled"], lengthless=bool(row["lengthless"]))

    def _standing(self, call: Call) -> sqlite3.Row:
        row = self._record.row(
            "SELECT * FROM media WHERE sid = ? AND message = ? AND body IS NOT NULL",
            call.names["sid"],
            call.names["message"],
        )
        if row is None or row["deleted"]:
            raise Refused(20404)
        return row

    def _signed(self, path: str, expires: str) -> str:
        return hmac.new(self._secret, f"{path} {expires}".encode(), hashlib.sha256).hexdigest()

    def _served(self, status: HTTPStatus, fault: str | None = None) -> web.Response:
        self._called(status, fault)
        return web.Response(status=status)

    def _called(self, status: int, fault: str | None) -> None:
        self._record.called(
            endpoint=str(Endpoint.CDN), person="", status=int(status), code=None, fault=fault and str(fault)
        )


async def _sent(request: web.Request, body: bytes, kind: str, *, lengthless: bool) -> web.StreamResponse:
    if not lengthless:
        return web.Response(body=body, headers={"Content-Type": kind})
    answer = web.StreamResponse(headers={"Content-Type": kind})
    await answer.prepare(request)
    for start in range(0, len(body), 1 << 16):
        await answer.write(body[start : start + (1 << 16)])
    await answer.write_eof()
    return answer
