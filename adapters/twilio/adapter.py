"""WhatsApp and SMS through Twilio: what a worker calls."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from adapters.base import (
    AdapterState,
    Capabilities,
    Edit,
    Idempotency,
    Platform,
    Send,
    SendsFrom,
    Sent,
    TextUnit,
)
from adapters.doubt import limit_beside_label, shown
from adapters.errors import PolicyBlocked, Rejected, Unreachable, WindowClosed
from adapters.links import KnownLinks, only_known
from adapters.records import RecordStore, RecordsUnavailable
from adapters.twilio.checks import TwilioChecks
from adapters.twilio.health import Health
from adapters.twilio.limits import buckets
from adapters.twilio.lookups import Lookups
from adapters.twilio.media import TwilioMedia
from adapters.twilio.people import is_whatsapp
from adapters.twilio.prices import Prices
from adapters.twilio.quoting import Quoting
from adapters.twilio.render import (
    BODY_LIMIT,
    body_length,
    longest_sms,
    longest_whatsapp,
    render_sms,
    render_whatsapp,
    split,
)
from adapters.twilio.rest import Rest, Template
from adapters.twilio.segments import segments
from adapters.twilio.settings import NAME, TwilioSettings
from adapters.twilio.sweeping import Sweeping
from adapters.twilio.template_text import in_one_line
from adapters.twilio.webhook import Hooks
from adapters.twilio.windows import Windows

logger = logging.getLogger(__name__)

#: Until then, or until a message comes (https://www.twilio.com/docs/whatsapp/api/typing-indicators-resource).
_TYPING_LASTS_S: Final = 25.0
#: Twilio takes no empty message.
_NOTHING: Final = "\N{EM DASH}"


class TwilioAdapter:
    """An `Adapter` and a `Typing`; enter it to open its connections."""

    def __init__(
        self, settings: TwilioSettings, rest: Rest, windows: Windows, lookups: Lookups, health: Health
    ) -> None:
        self._settings = settings
        self._rest = rest
        self._windows = windows
        self._lookups = lookups
        self._health = health

    async def __aenter__(self) -> Self:
        """Open the connections."""
        await self._rest.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        await self._rest.__aexit__(kind, exc, trace)

    @property
    def name(self) -> str:
        """The adapter's name."""
        return NAME

    @property
    def sends_from(self) -> SendsFrom:
        """Any worker may call Twilio."""
        return SendsFrom.ANY

    @property
    def state(self) -> AdapterState:
        """What the last calls ran into; no connection is held between two of them."""
        return self._health.state

    def capabilities(self, conversation: str) -> Capabilities:
        """Tell what WhatsApp or SMS allows: one message a reply, nothing shown while it grows, no edit."""
        settings, on_whatsapp = self._settings, is_whatsapp(conversation)
        per_s = settings.whatsapp_per_s if on_whatsapp else settings.sms_per_s
        return Capabilities(
            text_limit=BODY_LIMIT,
            text_unit=TextUnit.UTF16,
            idempotency=Idempotency.NONE,
            typing_lasts_s=_TYPING_LASTS_S if on_whatsapp else 0.0,
            buckets=buckets(is_whatsapp=on_whatsapp, per_s=per_s or None),
        )

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Cut a reply's Markdown into texts that each fit one message, also under the label of a duplicate."""
        longest = longest_whatsapp if is_whatsapp(conversation) else longest_sms
        return split(markdown, longest, limit_beside_label(longest, body_length, BODY_LIMIT))

    async def send(self, op: Send) -> Sent:
        """Send a message; outside WhatsApp's window the template, where one is configured."""
        self._require_served(op.account, op.conversation)
        body = _body(op)
        if body_length(body) > BODY_LIMIT:
            raise Rejected(f"the message is {body_length(body)} long, more than {BODY_LIMIT}")
        content = await self._in_window(op, body)
        # Whoever looks for it does not know under which of its forms it was sent.
        forms = frozenset(_body(replace(op, may_be_duplicate=is_labelled)) for is_labelled in (False, True))
        await self._lookups.note(op.op_id, op.account, op.conversation, forms)
        sid = await self._rest.create(op.conversation, op.account, content)
        if not is_whatsapp(op.conversation):
            logger.debug("message %s takes %d segments", sid, segments(body).count)
        return Sent(message=sid)

    async def edit(self, op: Edit) -> Sent:
        """Refuse: what was sent stays as it is."""
        raise Rejected("a message on WhatsApp or SMS cannot be changed through Twilio")

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Leave the message: nothing takes it from a phone."""

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Look for what an operation sent, by its text and time; None is no proof that it was not sent."""
        return await self._lookups.find(op_id, account, conversation)

    async def typing(self, account: str, conversation: str) -> None:
        """Show on WhatsApp that an answer is written; that also marks the person's message as read."""
        if not is_whatsapp(conversation):
            return
        try:
            last = await self._windows.last(account, conversation)
        except RecordsUnavailable as exc:
            raise Unreachable("the adapter's store is not available") from exc
        if last is not None and last.message:
            await self._rest.show_typing(last.message)

    def _require_served(self, account: str, conversation: str) -> None:
        if not self._settings.serves(account, conversation):
            raise PolicyBlocked("the settings leave this sender or this person's country out")

    async def _in_window(self, op: Send, body: str) -> str | Template:
        """Choose what is sent. Raises `WindowClosed` where nothing may be."""
        try:
            is_closed = is_whatsapp(op.conversation) and await self._windows.is_closed(
                op.account, op.conversation
            )
        except RecordsUnavailable as exc:
            raise Unreachable("the adapter's store is not available") from exc
        if not is_closed:
            return body
        if not self._settings.whatsapp_template:
            raise WindowClosed("the person's last message on WhatsApp is more than 24 hours old")
        return Template(sid=self._settings.whatsapp_template, variables={"1": in_one_line(body)})


def platform(
    settings: TwilioSettings,
    records: RecordStore,
    now: Callable[[], datetime],
    *,
    calls: Callable[[TwilioSettings, Health], Rest] = Rest,
) -> Platform:
    """Make the platform: the adapter, its webhooks, media and checks, and the lifetime of its connections."""
    health = Health()
    rest = calls(settings, health)
    windows = Windows(records, now)
    adapter = TwilioAdapter(settings, rest, windows, Lookups(records, rest, now), health)
    hooks = Hooks(settings, windows, Quoting(rest, settings.quote_s), Prices(rest, settings.quote_s), now)
    return Platform(
        adapter=adapter,
        source=Sweeping(records, now),
        webhooks=hooks.webhooks,
        typing=adapter,
        media=TwilioMedia(settings, rest),
        checks=TwilioChecks(settings, rest),
        lifetime=adapter,
    )


def _body(op: Send) -> str:
    render = render_whatsapp if is_whatsapp(op.conversation) else render_sms
    return render(only_known(shown(op), KnownLinks.of(op.links))) or _NOTHING
