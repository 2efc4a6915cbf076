"""What Twilio tells us: people's messages, and what became of ours.

Nothing is read before the signature; nothing is acknowledged before the core has committed it. An answer goes out by
REST, so that a message is always answered with empty TwiML, at once.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Final

from adapters.base import (
    ConversationKind,
    Delivery,
    DeliveryFailure,
    DeliveryState,
    Membership,
    MembershipChanged,
    RawRequest,
    RawResponse,
    Sink,
    Webhook,
)
from adapters.errors import MalformedEvent
from adapters.records import RecordsUnavailable
from adapters.twilio.form import Form
from adapters.twilio.keywords import Keyword, keyword_of
from adapters.twilio.parse import Fields, address_of, message_of, sid_of
from adapters.twilio.people import is_whatsapp
from adapters.twilio.prices import Prices
from adapters.twilio.quoting import Quoting
from adapters.twilio.settings import MESSAGES_PATH, NAME, STATUS_PATH, TwilioSettings
from adapters.twilio.signature import is_body_signed, is_form_signed
from adapters.twilio.status import delivery_of
from adapters.twilio.windows import Windows

logger = logging.getLogger(__name__)

_TWIML: Final = RawResponse(
    status=HTTPStatus.OK,
    body=b'<?xml version="1.0" encoding="UTF-8"?><Response/>',
    headers={"Content-Type": "text/xml; charset=utf-8"},
)
_HEARD: Final = RawResponse(status=HTTPStatus.NO_CONTENT)
_UNSIGNED: Final = RawResponse(status=HTTPStatus.UNAUTHORIZED)
_NOT_NOW: Final = RawResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "5"})
_ONLY_POST: Final = RawResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})


class Hooks:
    """Both webhooks of the account."""

    def __init__(
        self,
        settings: TwilioSettings,
        windows: Windows,
        quoting: Quoting,
        prices: Prices,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._windows = windows
        self._quoting = quoting
        self._prices = prices
        self._now = now
        #: Whether it was said in the log that something came in for nobody.
        self._has_warned = False

    @property
    def webhooks(self) -> tuple[Webhook, ...]:
        """The routes on the gateway."""
        return (
            Webhook(path=MESSAGES_PATH, ingest=self._message),
            Webhook(path=STATUS_PATH, ingest=self._status),
        )

    async def _message(self, request: RawRequest, sink: Sink) -> RawResponse:
        """Take in what a person wrote."""
        if request.method != "POST":
            return _ONLY_POST
        fields = self._believed(request, MESSAGES_PATH)
        if fields is None:
            return _UNSIGNED
        try:
            with _named(request):
                await self._heard(fields, sink)
        except RecordsUnavailable:
            return _NOT_NOW
        return _TWIML

    async def _status(self, request: RawRequest, sink: Sink) -> RawResponse:
        """Take in what became of a message of ours."""
        if request.method != "POST":
            return _ONLY_POST
        fields = self._believed(request, STATUS_PATH)
        if fields is None:
            return _UNSIGNED
        try:
            with _named(request):
                await self._delivered(fields, sink)
        except RecordsUnavailable:
            return _NOT_NOW
        return _HEARD

    def _believed(self, request: RawRequest, path: str) -> Fields | None:
        """Read a request that is signed; None for any other."""
        query = request.path.partition("?")[2]
        url = self._settings.public_url + path + (f"?{query}" if query else "")
        tokens = self._settings.auth_tokens
        if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json":
            signed = is_body_signed(url, request.body, request.headers, tokens)
            return _from_json(request.body) if signed else None
        fields = _from_form(request.body)
        return fields if fields is not None and is_form_signed(url, fields, request.headers, tokens) else None

    async def _heard(self, fields: Fields, sink: Sink) -> None:
        account, conversation = address_of(fields, "To"), address_of(fields, "From")
        if not self._settings.serves(account, conversation):
            self._warn(is_off=is_whatsapp(account) and not self._settings.has_whatsapp)
            return
        if await self._is_for_twilio(fields, account, conversation, sink):
            return
        event = message_of(fields, received_at=self._now())
        if event is None:
            return
        if is_whatsapp(conversation):
            await self._windows.wrote(account, conversation, event.message)
        await sink.accept(await self._quoting.filled_in(event))

    async def _is_for_twilio(self, fields: Fields, account: str, conversation: str, sink: Sink) -> bool:
        """Carry out what Twilio carried out: it has answered STOP, START and HELP itself, and we stay silent."""
        match keyword_of(fields):
            case Keyword.STOP:
                await self._windows.stop(account, conversation)
                await sink.membership(_changed(fields, Membership.REMOVED))
            case Keyword.START:
                if not await self._windows.start(account, conversation) and not fields.get("OptOutType"):
                    return False
                await sink.membership(_changed(fields, Membership.ADDED))
            case Keyword.HELP:
                pass
            case None:
                return False
        return True

    async def _delivered(self, fields: Fields, sink: Sink) -> None:
        delivery = delivery_of(fields)
        if delivery is None:
            return
        if delivery.failure is DeliveryFailure.WINDOW_CLOSED:
            # Whoever sends it again, or anything else, is told so before Twilio is asked.
            await self._windows.close(delivery.account, address_of(fields, "To"))
        await sink.delivered(await self._priced(delivery))

    async def _priced(self, delivery: Delivery) -> Delivery:
        has_arrived = delivery.state in (DeliveryState.DELIVERED, DeliveryState.READ)
        return await self._prices.filled_in(delivery) if has_arrived else delivery

    def _warn(self, *, is_off: bool) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        if is_off:
            logger.warning(
                "WhatsApp messages come in but WhatsApp is off: see twilio.whatsapp_policy_acknowledged"
            )
        else:
            logger.warning(
                "messages come in that twilio.whatsapp_from, sms_from or countries leave out; not answered"
            )


@contextmanager
def _named(request: RawRequest) -> Iterator[None]:
    """Give a malformed event the bytes it was read from."""
    try:
        yield
    except MalformedEvent as exc:
        raise MalformedEvent(str(exc), request.body) from exc


def _changed(fields: Fields, change: Membership) -> MembershipChanged:
    return MembershipChanged(
        adapter=NAME,
        account=address_of(fields, "To"),
        event_key=sid_of(fields),
        conversation=address_of(fields, "From"),
        kind=ConversationKind.DIRECT,
        change=change,
    )


def _from_form(body: bytes) -> Form | None:
    """Read a form, blank fields included; None where it is none."""
    try:
        return Form.of(body)
    except ValueError:
        return None


def _from_json(body: bytes) -> Fields:
    """Read the same fields from JSON. Raises `MalformedEvent`."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise MalformedEvent("the body is no JSON", body) from exc
    if not isinstance(read, dict):
        raise MalformedEvent("the body is no object", body)
    return {name: value for name, value in read.items() if isinstance(value, str)}
