"""What takes in, and what sends beside the workers."""

from adapters.base import SendsFrom
from adapters.webchat.adapter import WebchatAdapter
from adapters.webchat.settings import NAME as WEBCHAT
from bot.bootstrap.core import Core, kept_days
from bot.bootstrap.platforms import assistant_names
from bot.bootstrap.privacy import make_forgetter
from bot.chat.ambient_keeper import Listening
from bot.chat.forgetting import Forgetter
from bot.ingress.acceptances import IntakeSettings
from bot.ingress.announcing import Announcer
from bot.ingress.bursts import Bursts
from bot.ingress.comings import Introduction
from bot.ingress.forget_requests import ForgetRequests
from bot.ingress.intake import Intake
from bot.ingress.modes import KnownModes
from bot.ingress.policy import Rules
from bot.skills.privacy_texts import introduction
from bot.turns.first_signs import FirstSigns
from bot.turns.line_watch import LineWatch
from bot.turns.model import Chat, Consent
from bot.turns.notice_sending import NoticeSending
from bot.turns.notices import NoticeTask
from bot.turns.outbox import Outbox
from bot.turns.paces import Paces


def page_of(core: Core) -> WebchatAdapter | None:
    """Return the adapter that serves the page, if there is one."""
    webchat = core.platforms.get(WEBCHAT)
    return webchat.adapter if webchat and isinstance(webchat.adapter, WebchatAdapter) else None


def make_intake(core: Core, forgetter: Forgetter | None = None) -> Intake:
    """Build the sink that every adapter hands its messages to; a `forgetter` is one that somebody runs."""
    settings = core.settings
    announcer = Announcer(
        core.shared.scheduler, core.shared.bus.ring, core.clock, core.hooks, outage=core.outage
    )
    return Intake(
        core.journal,
        announcer,
        core.shared.bus,
        IntakeSettings(
            rules=Rules(names=assistant_names(settings), max_text_chars=settings.turns.max_text_chars),
            sends_from={name: platform.adapter.sends_from for name, platform in core.platforms.items()},
            deadline_s=settings.turns.deadline_s,
            first_consent=Consent(settings.privacy.mode),
            direct_weight=settings.turns.direct_weight,
            group_weight=settings.turns.group_weight,
        ),
        core.hooks,
        load=core.line,
        bursts=Bursts(
            {name: platform.adapter.capabilities for name, platform in core.platforms.items()},
            core.clock.monotonic,
        ),
        modes=KnownModes(
            core.journal.chosen,
            core.clock,
            first=Consent(settings.privacy.mode),
            every_s=core.delays.modes_s,
        ),
        listening=Listening(core.shared.ambient, core.clock),
        forgetting=ForgetRequests(
            forgetter or make_forgetter(core),
            core.journal,
            epoch_hours=settings.vault.epoch_hours,
            own_histories={name for name, platform in core.platforms.items() if platform.history},
        ),
        introduction=_introduction(core) if core.introduces else None,
    )


def _introduction(core: Core) -> Introduction:
    settings = core.settings

    def words(chat: Chat) -> str:
        return introduction(settings.persona.name, chat, kept_days(settings.retention.days, chat))

    return Introduction(words=words, now=core.clock.now, first_consent=Consent(settings.privacy.mode))


def make_outboxes(core: Core) -> list[Outbox]:
    """Build what sends on the platforms whose connection this process holds."""
    return [
        Outbox(
            platform.adapter,
            platform.live,
            core.journal,
            core.shared.bus,
            poll_s=core.delays.outbox_s,
            hooks=core.hooks,
        )
        for platform in core.platforms.values()
        if platform.adapter.sends_from is SendsFrom.OWNER
    ]


def make_notices(core: Core) -> NoticeTask:
    """Build what sends notices and first signs on all other platforms."""
    sending = NoticeSending(
        core.platforms,
        core.journal,
        core.clock,
        core.delays,
        policy=core.send_policy,
        hooks=core.hooks,
    )
    signs = FirstSigns(
        sending.adapters,
        core.journal,
        scheduler=core.shared.scheduler,
        line=core.line,
        clock=core.clock,
        delays=core.delays,
        name=core.settings.persona.name,
        policy=core.send_policy,
    )
    return NoticeTask(sending, signs, core.delays)


def make_line_watch(core: Core) -> LineWatch:
    """Build what keeps this process's view of the line current; one runs in every gateway and every worker."""
    paces = Paces(core.database, core.clock)
    return LineWatch(core.line, core.shared.scheduler, paces, core.clock, tell=core.metrics.set_line)
