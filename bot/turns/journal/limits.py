"""Which limit a message would exceed, while a batch is planned. Pure."""

from dataclasses import dataclass, field

from adapters.base import ConversationKind
from bot.turns.acceptance import Acceptance, Cap, Caps
from bot.turns.journal.quota import QuotaBook
from bot.turns.limit_texts import limit_text

#: An adapter, and a person's id there.
Person = tuple[str, str]
#: A limit, and the sentence that says when to ask again.
Exceeded = tuple[Cap, str]


@dataclass(slots=True, kw_only=True)
class Limits:
    """What waits and what was used up, before a batch and behind each of its messages."""

    caps: Caps
    #: Turns that wait in all.
    waiting: int
    #: Turns that wait, by person; only those of the batch's people, and only where they are capped.
    persons: dict[Person, int] = field(default_factory=dict)
    #: None where there is no quota.
    quotas: QuotaBook | None = None

    def quota(self, acceptance: Acceptance) -> Exceeded | None:
        """Name the quota that a message would exceed."""
        return None if self.quotas is None else self.quotas.exceeded(acceptance.inbound)

    def cap(self, acceptance: Acceptance, in_chat: int) -> Exceeded | None:
        """Name the cap that a turn of its own would exceed, where `in_chat` wait in its chat."""
        cap = self._cap(acceptance, in_chat)
        return None if cap is None else (cap, limit_text(cap, acceptance.ask_again_s))

    def used(self, acceptance: Acceptance) -> None:
        """Count a message that was taken."""
        if self.quotas is not None:
            self.quotas.use(acceptance.inbound)

    def waits(self, acceptance: Acceptance) -> None:
        """Count a new turn."""
        self.waiting += 1
        if self.caps.per_person is not None:
            person = acceptance.inbound.adapter, acceptance.inbound.sender.id
            self.persons[person] = self.persons.get(person, 0) + 1

    def _cap(self, acceptance: Acceptance, in_chat: int) -> Cap | None:
        caps, inbound = self.caps, acceptance.inbound
        theirs = self.persons.get((inbound.adapter, inbound.sender.id), 0)
        if caps.per_person is not None and theirs >= caps.per_person:
            return Cap.PERSON
        if in_chat >= self._chat_cap(inbound.conversation.kind):
            return Cap.CHAT
        if self.waiting >= caps.total:
            return Cap.TOTAL
        return Cap.LINE if acceptance.too_late else None

    def _chat_cap(self, kind: ConversationKind) -> int:
        direct = self.caps.per_direct_chat
        return direct if direct is not None and kind is ConversationKind.DIRECT else self.caps.per_chat
