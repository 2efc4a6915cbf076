"""From an update to the core's decision, and what Telegram is told of that: the same by polling and by webhook."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.base import (
    ConversationKind,
    ConversationMoved,
    Edited,
    Inbound,
    MembershipChanged,
    Sink,
    StopRequested,
)
from adapters.errors import AdapterError, MalformedEvent
from adapters.telegram.admins import Admins
from adapters.telegram.calls import Calls
from adapters.telegram.identity import Me
from adapters.telegram.inline import offer
from adapters.telegram.parse import TelegramEvent, parse, update_id
from adapters.telegram.parse_happenings import InlineQuery, Press
from adapters.telegram.settings import TelegramSettings

logger = logging.getLogger(__name__)

#: Telegram keeps updates for no longer, and nobody waits for an answer any more.
HORIZON = timedelta(hours=24)
#: The most that a notice over a button holds, in characters.
_NOTICE_CHARS = 200
_TRY_AGAIN = "That did not work just now. Please try again in a moment."


class Handing:
    """Hands updates over to the core."""

    def __init__(
        self,
        settings: TelegramSettings,
        calls: Calls,
        admins: Admins,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._admins = admins
        self._now = now

    async def hand_over(self, update: object, me: Me, sink: Sink, raw: bytes = b"") -> None:
        """Hand over what an update says. Raises what the sink raises: then it must not be acknowledged.

        An update that cannot be read is put down with a line in the log: it would never become readable, and whatever
        stands behind it in its chat would wait for it.
        """
        try:
            events = parse(update, me, self._now(), raw)
        except MalformedEvent:
            logger.warning("update %s of Telegram's cannot be read and is left out", update_id(update))
            return
        for event in events:
            await self._event(event, sink)

    async def _event(self, event: TelegramEvent, sink: Sink) -> None:
        match event:
            case Inbound():
                if self._is_recent(event):
                    await sink.accept(await self._with_standing(event))
            case Edited():
                if self._is_recent(event.inbound):
                    await sink.edited(Edited(inbound=await self._with_standing(event.inbound)))
            case Press():
                await self._press(event, sink)
            case InlineQuery():
                await self._quietly("answerInlineQuery", **offer(event, self._settings.assistant_name))
            case StopRequested():
                await sink.stop(event)
            case ConversationMoved():
                await sink.moved(event)
            case MembershipChanged():
                self._admins.forget(event.conversation)
                await sink.membership(event)

    def _is_recent(self, event: Inbound) -> bool:
        return self._now() - event.sent_at < HORIZON

    async def _with_standing(self, event: Inbound) -> Inbound:
        """Ask whether the sender is an admin where that may count: behind a command in a group of ours."""
        if event.sender_is_admin is not None or event.conversation.kind is ConversationKind.DIRECT:
            return event
        if not event.addressed or "/" not in event.text[:64]:
            return event
        return replace(
            event, sender_is_admin=await self._admins.is_admin(event.conversation.ref, event.sender.id)
        )

    async def _press(self, press: Press, sink: Sink) -> None:
        """Carry a button out, and end its spinner whatever came of it."""
        told = _TRY_AGAIN
        try:
            told = "" if press.event is None else (await sink.pressed(press.event)).told
        finally:
            notice = {"text": told[:_NOTICE_CHARS]} if told else {}
            await self._quietly("answerCallbackQuery", callback_query_id=press.query, **notice)

    async def _quietly(self, method: str, **params: object) -> None:
        """Answer what a person waits for with a spinner; where that fails, Telegram ends the spinner itself."""
        try:
            await self._calls(method, self._settings.answer_s, **params)
        except AdapterError as error:
            logger.info("%s was refused: %s", method, type(error).__name__)
