"""Carrying out what the buttons under replies say."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from adapters.base import (
    Action,
    Addressed,
    Attachment,
    Conversation,
    Inbound,
    Outcome,
    Person,
    Pressed,
    Quoted,
    Receipt,
)
from bot.ingress import pressed_texts as texts
from bot.ingress.acceptances import Acceptances
from bot.ingress.asked import PressedJournal
from bot.ingress.endings import Endings
from bot.telemetry.events import Hooks, ReplyRated, emit
from bot.turns.acceptance import Acceptance
from bot.turns.journal import Asked
from bot.turns.model import Chat, Consent, Said, Skill, TurnState
from bot.turns.ratings import Rating

_RATINGS: Final[Mapping[Action, Rating]] = {Action.GOOD: Rating.GOOD, Action.BAD: Rating.BAD}
#: States in which there is something to rate.
_ANSWERED: Final = (TurnState.REPLIED, TurnState.SENDING, TurnState.SENT)
#: People may press what they see before the platform's answer to our send has come back to us, and into the record.
TRIES: Final = 40
AGAIN_S: Final = 0.05


#: Commits a question that is asked again, as any other.
Submit = Callable[[Acceptance], Awaitable[Receipt]]


class Presses:
    """Stops, retries and rates; every receipt has a word for the person."""

    def __init__(
        self,
        journal: PressedJournal,
        endings: Endings,
        acceptances: Acceptances,
        submit: Submit,
        hooks: Hooks,
    ) -> None:
        self._journal = journal
        self._endings = endings
        self._acceptances = acceptances
        self._submit = submit
        self._hooks = hooks

    async def carry_out(self, event: Pressed) -> Receipt:
        """Do what a button says. Raises `StoreUnavailable`, and `VaultError` where a row is damaged."""
        asked = await self._asked(event)
        if asked is None:
            return _told(texts.UNKNOWN)
        match event.action:
            case Action.STOP:
                return await self._stop(asked)
            case Action.RETRY:
                return await self._retry(event, asked)
            case Action.GOOD | Action.BAD:
                return await self._rate(event, asked)

    async def _asked(self, event: Pressed) -> Asked | None:
        """Find the turn; ask again for a moment while its message may be on its way to the record."""
        for _ in range(TRIES):
            # In this order: what is recorded between the two questions is found by the second.
            may_come = await self._journal.may_be_posting(event)
            asked = await self._journal.asked_under(event)
            if asked is not None or not may_come:
                return asked
            await asyncio.sleep(AGAIN_S)
        return None

    async def _stop(self, asked: Asked) -> Receipt:
        cancelled = await self._journal.request_cancel_of(asked.chat.id, asked.turn_id)
        await self._endings.cancelled(asked.chat, cancelled)
        if cancelled.asked:
            return _told(texts.STOPPING)
        return _told(texts.STOPPED if cancelled.ended else texts.FINISHED)

    async def _retry(self, event: Pressed, asked: Asked) -> Receipt:
        if event.sender.id != asked.sender_id:
            return _told(texts.ASKER_ONLY)
        if asked.chat.consent is Consent.OFF:
            return _told(texts.OFF)
        if asked.skill is not Skill.ANSWER:
            return _told(texts.NOT_AGAIN)
        said = await self._journal.said_in(asked)
        if not said:
            return _told(texts.UNKNOWN)
        if await self._journal.is_asked_again(asked, said[-1].message):
            return _told(texts.AGAIN_ALREADY)
        inbound = asked_again(event, asked.chat, said)
        receipt = await self._submit(self._acceptances.again(inbound))
        return replace(receipt, told=texts.REFUSED if receipt.outcome is Outcome.REFUSED else texts.AGAIN)

    async def _rate(self, event: Pressed, asked: Asked) -> Receipt:
        if asked.state not in _ANSWERED:
            return _told(texts.NOT_RATED)
        rating, chat = _RATINGS[event.action], asked.chat
        if not await self._journal.rate(chat.id, asked.turn_id, event.sender.id, rating):
            return _told(texts.RATED_ALREADY)
        emit(self._hooks, ReplyRated(turn_id=asked.turn_id, adapter=event.adapter, rating=rating.value))
        return _told(texts.RATED)


def asked_again(event: Pressed, chat: Chat, said: tuple[Said, ...]) -> Inbound:
    """Make one message of everything that was said in a turn, under the key of the press. Pure."""
    last = said[-1]
    quotes = [one for one in said if one.quoted_text or one.quoted_by_assistant or one.quote_hidden]
    return Inbound(
        adapter=event.adapter,
        account=event.account,
        event_key=event.event_key,
        conversation=Conversation(ref=event.conversation, kind=chat.kind),
        message=last.message,
        sender=Person(id=last.sender_id, name=last.sender_name),
        text="\n\n".join(filter(None, (one.text for one in said))),
        addressed=Addressed.MENTION,
        sent_at=last.sent_at,
        quoted=_quoted(quotes[-1]) if quotes else None,
        sender_is_admin=last.by_admin,
        # Nothing of it was kept but that it was there.
        attachments=tuple(Attachment(kind=kind, ref="") for one in said for kind in one.attached),
    )


def _quoted(said: Said) -> Quoted:
    return Quoted(
        ref="", author=said.quoted_author, text=said.quoted_text, by_assistant=said.quoted_by_assistant
    )


def _told(sentence: str) -> Receipt:
    return Receipt(outcome=Outcome.DONE, told=sentence)
