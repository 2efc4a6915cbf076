"""From a decision to what the journal is asked to accept, with what this deployment allows and how long the line is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.base import ConversationKind, Inbound, SendsFrom
from bot.ingress.load import Load
from bot.ingress.policy import Accept, Rules
from bot.turns.acceptance import Acceptance
from bot.turns.model import Consent, NoticeKind, Skill


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSettings:
    """What intake knows of the deployment."""

    rules: Rules
    #: Which process sends for each adapter, by the adapter's name.
    sends_from: Mapping[str, SendsFrom]
    #: Seconds from its acceptance within which an answer to a message is worth giving.
    deadline_s: float = 600.0
    #: A chat's share of the schedule.
    direct_weight: float = 2.0
    group_weight: float = 1.0
    #: The mode in which groups begin.
    first_consent: Consent = Consent.MENTIONS
    #: Messages that share one transaction at most; more would only make the first of them wait.
    largest_batch: int = 256


class Acceptances:
    """Makes acceptances: of messages that were taken, and of such as are refused."""

    def __init__(self, settings: IntakeSettings, load: Load) -> None:
        self._settings = settings
        self._load = load

    def of(self, accepted: Accept, hold_back_s: float = 0.0) -> Acceptance:
        """Ask for a turn, or to join one; it is kept from the workers for so many seconds."""
        return self._acceptance(
            accepted.event,
            accepted.skill,
            accepted.text,
            hold_back_s=hold_back_s,
            is_rest=accepted.is_rest,
        )

    def again(self, event: Inbound) -> Acceptance:
        """Ask for a turn of its own, for what was asked before."""
        return replace(self._acceptance(event, Skill.ANSWER, event.text), stands_alone=True)

    def refused(self, event: Inbound, kind: NoticeKind, sentence: str) -> Acceptance:
        """Ask for a refused turn, whose notice says why."""
        return self._acceptance(event, Skill.ANSWER, "", (kind, sentence))

    def _acceptance(
        self,
        event: Inbound,
        skill: Skill,
        text: str,
        refusal: tuple[NoticeKind, str] | None = None,
        *,
        hold_back_s: float = 0.0,
        is_rest: bool = False,
    ) -> Acceptance:
        settings = self._settings
        is_direct = event.conversation.kind is ConversationKind.DIRECT
        return Acceptance(
            inbound=event,
            text=text,
            skill=skill,
            sends_from=settings.sends_from[event.adapter],
            weight=settings.direct_weight if is_direct else settings.group_weight,
            first_consent=settings.first_consent,
            deadline_s=settings.deadline_s,
            refusal=refusal,
            hold_back_s=hold_back_s,
            is_rest=is_rest,
            too_late=self._is_too_late(),
            ask_again_s=self._load.ask_again_s(),
        )

    def _is_too_late(self) -> bool:
        wait_s, longest_s = self._load.predicted_wait_s(), self._load.longest_wait_s()
        if wait_s is None:
            return False
        return wait_s > self._settings.deadline_s or (longest_s is not None and wait_s > longest_s)
