"""What becomes of a chat when the assistant is added or removed, when somebody joins, and when it moves."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.base import (
    Addressed,
    Conversation,
    ConversationKind,
    ConversationMoved,
    Inbound,
    Membership,
    MembershipChanged,
    Outcome,
    Person,
    Receipt,
)
from bot.ingress.acceptances import Acceptances
from bot.ingress.announcing import Announcer
from bot.ingress.asked import ChatsJournal
from bot.ingress.endings import DONE, IGNORED, Endings
from bot.turns.acceptance import Acceptance
from bot.turns.model import Chat, Consent, NoticeKind

#: As much of a sentence of ours as a notice holds.
_LONGEST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """How the assistant introduces itself."""

    #: What it says of itself in a chat.
    words: Callable[[Chat], str]
    now: Callable[[], datetime]
    #: The mode in which a new group begins.
    first_consent: Consent = Consent.MENTIONS


class Comings:
    """Carries out what membership and moves mean."""

    def __init__(
        self,
        journal: ChatsJournal,
        announcer: Announcer,
        endings: Endings,
        acceptances: Acceptances,
        submit: Callable[[Acceptance], Awaitable[Receipt]],
        *,
        introduction: Introduction | None,
    ) -> None:
        """Keep whom to ask and to tell; without an `introduction` nobody who comes is told anything."""
        self._journal = journal
        self._announcer = announcer
        self._endings = endings
        self._acceptances = acceptances
        self._submit = submit
        self._introduction = introduction

    async def moved(self, event: ConversationMoved) -> Receipt:
        """Take everything of a conversation along."""
        chat = (await self._journal.move(event)).chat
        if chat is None:
            return IGNORED
        self._announcer.put(chat.id, chat.weight)
        self._announcer.ring(chat.adapter)
        return Receipt(outcome=Outcome.DONE, chat_id=chat.id)

    async def changed(self, event: MembershipChanged) -> Receipt:
        """Carry out what it means that somebody came or went."""
        chat = await self._journal.chat_by_conversation(event.adapter, event.account, event.conversation)
        match event.change:
            case Membership.REMOVED:
                return await self._removed(chat)
            case Membership.ADDED:
                return await self._added(event, chat)
            case Membership.JOINED:
                return await self._joined(event, chat)
            case Membership.LEFT:
                return IGNORED

    async def _removed(self, chat: Chat | None) -> Receipt:
        if chat is None:
            return IGNORED
        await self._endings.cancelled(chat, await self._journal.left(chat.id))
        return DONE

    async def _added(self, event: MembershipChanged, chat: Chat | None) -> Receipt:
        """Introduce the assistant to a group that it was added to; a person who unblocked it writes first."""
        introduction = self._introduction
        if introduction is None or event.kind is not ConversationKind.GROUP:
            return IGNORED
        if chat is not None and chat.consent is Consent.OFF:
            return IGNORED
        receipt = await self._introduce(introduction, event, chat or _new_chat(event, introduction))
        if receipt.chat_id and receipt.outcome is not Outcome.DUPLICATE:
            await self._journal.met(receipt.chat_id)
        return receipt

    async def _joined(self, event: MembershipChanged, chat: Chat | None) -> Receipt:
        introduction = self._introduction
        if introduction is None or chat is None or event.person is None or chat.consent is Consent.OFF:
            return IGNORED
        if not await self._journal.claim_introduction(chat, event.person.id, event.event_key):
            return IGNORED
        return await self._introduce(introduction, event, chat)

    async def _introduce(self, introduction: Introduction, event: MembershipChanged, chat: Chat) -> Receipt:
        words = introduction.words(chat)[:_LONGEST]
        told = self._acceptances.refused(
            _said_by_nobody(event, introduction.now()), NoticeKind.INTRODUCED, words
        )
        return await self._submit(told)


def _said_by_nobody(event: MembershipChanged, now: datetime) -> Inbound:
    """Make the message that is answered by an introduction: it says nothing, and nobody wrote it."""
    return Inbound(
        adapter=event.adapter,
        account=event.account,
        event_key=event.event_key,
        conversation=Conversation(ref=event.conversation, kind=event.kind),
        message="",
        sender=Person(id="", name=""),
        text="",
        addressed=Addressed.NOT,
        sent_at=now,
    )


def _new_chat(event: MembershipChanged, introduction: Introduction) -> Chat:
    """Describe a chat that the record will hold in a moment, for what is said of it."""
    return Chat(
        id="",
        adapter=event.adapter,
        account=event.account,
        conversation=event.conversation,
        kind=event.kind,
        key=b"",
        context_version=0,
        context_from=0,
        consent=introduction.first_consent,
    )
