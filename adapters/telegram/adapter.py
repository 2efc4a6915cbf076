"""Telegram's adapter: what is sent, edited, deleted and shown while it grows."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from adapters.base import (
    AdapterState,
    Capabilities,
    Edit,
    Idempotency,
    LiveOutput,
    Send,
    SendsFrom,
    Sent,
    TextUnit,
)
from adapters.content import Content
from adapters.doubt import limit_beside_label, shown
from adapters.errors import Ambiguous, Rejected, WindowClosed
from adapters.telegram import guest
from adapters.telegram.buttons import GUEST_BUTTONS, MOST_BUTTONS, keyboard
from adapters.telegram.calls import Calls
from adapters.telegram.drafts import draft_number
from adapters.telegram.entities import utf16_length
from adapters.telegram.limits import buckets
from adapters.telegram.places import (
    Place,
    PlaceKind,
    inline_of,
    inline_ref,
    message_number,
    message_ref,
    place_of,
    query_of,
)
from adapters.telegram.refusals import EntitiesRefused, NotModified, NotThere
from adapters.telegram.render import longest, split
from adapters.telegram.settings import NAME, TEXT_LIMIT, TelegramSettings
from adapters.telegram.standing import Standing
from adapters.telegram.writing import NO_PREVIEW, written, written_plainly

#: Seconds between two edits of one message, as those who stream there have found to be borne.
DIRECT_EDITS_S = 1.1
GROUP_EDITS_S = 3.1
TYPING_S = 5.0
#: Of every message and every edit.
_SHOWN: Mapping[str, Any] = {"link_preview_options": NO_PREVIEW}


class TelegramAdapter:
    """An `Adapter`, with `Typing` and `Drafting`: one bot, called from any process."""

    def __init__(self, settings: TelegramSettings, calls: Calls, standing: Standing) -> None:
        self._settings = settings
        self._calls = calls
        self._standing = standing
        # Measured once: a part must have room for the label, as only later is it known whether it was sent twice.
        self._part_limit = limit_beside_label(longest, utf16_length, TEXT_LIMIT)

    @property
    def name(self) -> str:
        """The adapter's name."""
        return NAME

    @property
    def sends_from(self) -> SendsFrom:
        """Any process may call Telegram."""
        return SendsFrom.ANY

    @property
    def state(self) -> AdapterState:
        """How the calls of this process fare."""
        return self._standing.state

    def capabilities(self, conversation: str) -> Capabilities:
        """Tell what a chat, a topic, or a guest's or inline message allows."""
        place = place_of(conversation)
        is_direct = place.kind is PlaceKind.DIRECT
        has_drafts = is_direct and self._settings.drafts
        return Capabilities(
            text_limit=TEXT_LIMIT,
            text_unit=TextUnit.UTF16,
            live=LiveOutput.DRAFT if has_drafts else LiveOutput.EDIT,
            live_min_interval_s=DIRECT_EDITS_S if is_direct else GROUP_EDITS_S,
            idempotency=Idempotency.NONE,
            client_splits_at=TEXT_LIMIT,
            typing_lasts_s=TYPING_S if place.is_ours else 0.0,
            # Another try would be another message, and a guest has none left.
            buttons=GUEST_BUTTONS if place.kind is PlaceKind.GUEST else MOST_BUTTONS,
            buckets=buckets(is_group=not is_direct),
        )

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Cut a reply's Markdown into texts that each fit one message.

        Where there is only one message, a guest's or an inline one, what has no room is left out, and the text says so.
        """
        parts = split(markdown, self._part_limit)
        if len(parts) == 1 or place_of(conversation).is_ours:
            return parts
        room = self._part_limit - utf16_length(guest.CUT) - len("\n\n")
        return [f"{split(markdown, room)[0]}\n\n{guest.CUT}"]

    async def send(self, op: Send) -> Sent:
        """Post a message; as a guest, answer the query of the mention; inline, edit the person's message."""
        place, content = place_of(op.conversation), shown(op)
        markup = keyboard(op.buttons, place)
        if query := query_of(op.reply_to):
            return await self._answer_guest(query, content, op, markup)
        if place.kind is PlaceKind.INLINE:
            return await self._edit(place, inline_ref(place.inline_message), content, op, markup)
        if not place.is_ours:
            raise WindowClosed("as a guest, one message can be written in answer to a mention, and no other")
        params = {**_where(place), **_SHOWN, **_reply(place, op.reply_to), **_under(markup)}
        sent = await self._with_text("sendMessage", content, op.links, params)
        return Sent(message=message_ref(place.chat_id, _number_in(sent)))

    async def edit(self, op: Edit) -> Sent:
        """Replace a message's content and buttons; one that says that already is as wished."""
        place = place_of(op.conversation)
        return await self._edit(place, op.message, shown(op), op, keyboard(op.buttons, place))

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Take a message back; a guest's and an inline message can only be edited, and stays."""
        place = place_of(conversation)
        number = message_number(place.chat_id, message)
        if not place.is_ours or number is None:
            return
        try:
            await self._call("deleteMessage", chat_id=place.chat_id, message_id=number)
        except NotThere:
            return

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Answer None: a bot cannot read what stands in a chat."""
        return None

    async def typing(self, account: str, conversation: str) -> None:
        """Show for five seconds that the bot is typing."""
        place = place_of(conversation)
        if place.is_ours:
            await self._call("sendChatAction", action="typing", **_where(place))

    async def draft(
        self,
        account: str,
        conversation: str,
        turn_id: str,
        content: Content | None,
        links: frozenset[str] = frozenset(),
    ) -> None:
        """Show the reply so far for up to 30 seconds; None shows that one is thought about."""
        place = place_of(conversation)
        if place.kind is not PlaceKind.DIRECT:
            raise Rejected("only direct chats have drafts")
        where = _where(place) | {"draft_id": draft_number(turn_id), "can_stop": True}
        if content is None:
            await self._call("sendMessageDraft", text="", **where)
            return
        await self._with_text("sendMessageDraft", content, links, where)

    async def _edit(
        self, place: Place, message: str, content: Content, op: Send | Edit, markup: dict[str, Any] | None
    ) -> Sent:
        params = {**_target(place, message), **_SHOWN, **_under(markup)}
        with suppress(NotModified):
            await self._with_text("editMessageText", content, op.links, params)
        return Sent(message=message)

    async def _answer_guest(
        self, query: str, content: Content, op: Send, markup: dict[str, Any] | None
    ) -> Sent:
        try:
            result = guest.article({**written(content, op.links), **_SHOWN}, markup)
            answer = await self._call("answerGuestQuery", guest_query_id=query, result=result)
        except EntitiesRefused:
            result = guest.article({**written_plainly(content), **_SHOWN}, markup)
            answer = await self._call("answerGuestQuery", guest_query_id=query, result=result)
        return Sent(message=guest.answered(answer))

    async def _with_text(
        self, method: str, content: Content, links: frozenset[str], params: dict[str, Any]
    ) -> Any:
        """Call a method with a text; once more without its entities where Telegram does not take them.

        That refusal means that nothing was done, so that nothing can be there twice.
        """
        try:
            return await self._call(method, **params, **written(content, links))
        except EntitiesRefused:
            return await self._call(method, **params, **written_plainly(content))

    async def _call(self, method: str, **params: Any) -> Any:
        with self._standing.watching():
            return await self._calls(method, **params)


def _where(place: Place) -> dict[str, Any]:
    """Name a chat, and a topic in it but the General one, which has no number that messages could be sent to."""
    return {"chat_id": place.chat_id} | ({} if place.topic is None else {"message_thread_id": place.topic})


def _target(place: Place, message: str) -> dict[str, Any]:
    """Name a message of ours. Raises `NotThere` for a reference that is none."""
    number, inline = message_number(place.chat_id, message), inline_of(message)
    if place.is_ours and number is not None:
        return {"chat_id": place.chat_id, "message_id": number}
    if not place.is_ours and inline:
        return {"inline_message_id": inline}
    raise NotThere("there is no such message")


def _reply(place: Place, reply_to: str | None) -> dict[str, Any]:
    """Quote a message, should it still be there."""
    number = message_number(place.chat_id, reply_to or "")
    if number is None:
        return {}
    return {"reply_parameters": {"message_id": number, "allow_sending_without_reply": True}}


def _under(markup: dict[str, Any] | None) -> dict[str, Any]:
    return {"reply_markup": markup} if markup else {}


def _number_in(sent: object) -> int:
    number = sent.get("message_id") if isinstance(sent, dict) else None
    if not isinstance(number, int):
        raise Ambiguous("Telegram's answer names no message")
    return number
