"""The Messages resource: create, list, fetch.

https://www.twilio.com/docs/messaging/api/message-resource
"""

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from tests.adapters.twilio_cloud.account import Account, Sender
from tests.adapters.twilio_cloud.addresses import channel_of
from tests.adapters.twilio_cloud.api import Answer, Api, Call
from tests.adapters.twilio_cloud.carrier import Carrier
from tests.adapters.twilio_cloud.errors import Refused, Unmodelled
from tests.adapters.twilio_cloud.keywords import opted_out
from tests.adapters.twilio_cloud.parameters import Draft, once, read_draft
from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.resource import message_resource
from tests.adapters.twilio_cloud.segments import count_segments
from tests.adapters.twilio_cloud.shown import Channel, Direction, Endpoint
from tests.adapters.twilio_cloud.sids import is_sid, new_sid

_LIST: Final = "/2010-04-01/Accounts/{account}/Messages.json"
_ONE: Final = "/2010-04-01/Accounts/{account}/Messages/{sid}.json"
#: https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
_FILTERS: Final = frozenset(
    {"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"}
)
_PAGE, _LARGEST_PAGE = 50, 1000
_PLACEHOLDER: Final = re.compile(r"\{\{(\w+)\}\}")
#: What a caller may have written into the record, for the tests to read.
OPERATION, PURPOSE, MAY_BE_DUPLICATE = "X-Seen-Operation", "X-Seen-Purpose", "X-Seen-May-Be-Duplicate"
ANSWERS = "X-Seen-Answers"


class Messages:
    """The resource over a record."""

    def __init__(self, account: Account, record: Record, carrier: Carrier) -> None:
        self._account = account
        self._record = record
        self._carrier = carrier

    def routes(self, api: Api) -> list[web.RouteDef]:
        """List the routes."""
        return [
            api.route("POST", _LIST, Endpoint.SEND, self._create),
            api.route("GET", _LIST, Endpoint.LIST, self._list),
            api.route("GET", _ONE, Endpoint.FETCH, self._fetch),
        ]

    async def _create(self, call: Call) -> Answer:
        draft = read_draft(call.fields)
        sender = self._sender(draft)
        if opted_out(self._record, sender.address, draft.to):
            raise Refused(21610)
        body, sid = self._body(draft), new_sid("MM" if draft.media else "SM")
        self._record.add(
            [{"sid": new_sid("ME"), "url": url} for url in draft.media],
            sid=sid,
            direction=str(Direction.API),
            channel=str(draft.channel),
            sender=sender.address,
            person=draft.to,
            body=body,
            status="accepted" if draft.service else "queued",
            segments=count_segments(body) if draft.channel is Channel.SMS else 1,
            content_sid=draft.content_sid,
            service=draft.service,
            callback=draft.callback,
            validity_s=draft.validity_s,
            **_marks(call),
        )
        taken = self._resource(sid)
        await self._carrier.take(sid)
        return Answer(wire=taken, status=HTTPStatus.CREATED)

    async def _list(self, call: Call) -> Answer:
        asked = once(call.fields, _FILTERS)
        size, start = _number(asked, "PageSize", _PAGE), _start(asked)
        if not 1 <= size <= _LARGEST_PAGE:
            raise Unmodelled(20001, f"PageSize {size}")
        where, values = _filtered(asked)
        rows = self._record.rows(
            f"SELECT * FROM messages WHERE {where} ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?",  # noqa: S608 - our own words
            *values,
            size + 1,
            start,
        )
        here = _LIST.format(account=self._account.sid)
        following = {"PageSize": size, "Page": start // size + 1, "PageToken": f"PA{start + size}"}
        asked_again = {name: value for name, value in asked.items() if not name.startswith("Page")}
        return Answer(
            wire={
                "messages": [message_resource(row, self._account.sid) for row in rows[:size]],
                "page": start // size,
                "page_size": size,
                "start": start,
                "end": start + len(rows[:size]) - 1,
                "uri": f"{here}?{urlencode(asked)}",
                "first_page_uri": f"{here}?{urlencode(asked_again | {'PageSize': size, 'Page': 0})}",
                "next_page_uri": f"{here}?{urlencode(asked_again | following)}" if len(rows) > size else None,
                "previous_page_uri": None,
            }
        )

    async def _fetch(self, call: Call) -> Answer:
        once(call.fields, frozenset())
        sid = call.names["sid"]
        if not is_sid(sid, "SM", "MM") or self._record.message(sid) is None:
            raise Refused(20404)
        return Answer(wire=self._resource(sid))

    def _resource(self, sid: str) -> dict[str, Any]:
        row = self._record.message(sid)
        assert row is not None
        return message_resource(row, self._account.sid)

    def _sender(self, draft: Draft) -> Sender:
        if not draft.service:
            known = self._account.senders.get(draft.sender or "")
            if known is None:
                raise Refused(63007 if draft.channel is Channel.WHATSAPP else 21606)
            return known
        pool = self._account.service_senders(draft.service)
        if not pool:
            raise Refused(21701)
        fit = [
            sender
            for sender in pool
            if channel_of(sender.address) is draft.channel and draft.sender in (None, sender.address)
        ]
        if not fit:
            raise Refused(21703)
        return fit[0]

    def _body(self, draft: Draft) -> str:
        """Write what is sent: the body, or the template filled in; what it lacks stays visible."""
        if draft.content_sid is None:
            return draft.body
        template = self._account.templates.get(draft.content_sid)
        if template is None:
            raise Refused(21655)
        values = template.defaults | draft.variables
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template.body)


def _marks(call: Call) -> dict[str, Any]:
    return {
        "operation": call.headers.get(OPERATION, ""),
        "purpose": call.headers.get(PURPOSE, ""),
        "may_be_duplicate": call.headers.get(MAY_BE_DUPLICATE) == "1",
        "answers": call.headers.get(ANSWERS),
    }


def _filtered(asked: dict[str, str]) -> tuple[str, list[Any]]:
    """Write the filters; a message that was not sent yet has no date, so that none of a date finds it.

    The real API's way with such messages is not documented; who relies on the date misses them here.
    """
    to = "CASE direction WHEN 'inbound' THEN sender ELSE person END"
    by = "CASE direction WHEN 'inbound' THEN person ELSE sender END"
    words: list[str] = ["1"]
    values: list[Any] = []
    for name, column in (("To", to), ("From", by)):
        if name in asked:
            words.append(f"{column} = ?")
            values.append(asked[name])
    for name, sign in (("DateSent<", "<="), ("DateSent>", ">=")):
        if name in asked:
            words.append(f"sent_at {sign} ?")
            values.append(_moment(asked[name]))
    if "DateSent" in asked:
        words.append("sent_at >= ? AND sent_at < ?")
        values += [_moment(asked["DateSent"][:10]), _moment(asked["DateSent"][:10]) + 86_400]
    return " AND ".join(words), values


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise Unmodelled(20001, f"{text} is no date") from exc
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(asked: dict[str, str], name: str, default: int) -> int:
    text = asked.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise Unmodelled(20001, f"{name} {text}")
    return int(text)


def _start(asked: dict[str, str]) -> int:
    """Read where a page starts: by the token of the page before, as the API insists on."""
    token = asked.get("PageToken", "PA0")
    if not token.startswith("PA") or not token[2:].isdigit():
        raise Unmodelled(20001, f"PageToken {token}")
    if "PageToken" not in asked and _number(asked, "Page", 0):
        raise Unmodelled(20001, "a page other than the first is asked for by next_page_uri")
    return int(token[2:])
