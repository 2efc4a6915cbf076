"""Which platforms a deployment has, and how the settings reach them."""

from collections.abc import Mapping, Sequence
from functools import partial

from adapters.base import Platform
from adapters.telegram.settings import NAME as TELEGRAM
from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.settings import TerminalSettings
from adapters.twilio.settings import NAME as TWILIO
from adapters.webchat.adapter import WebchatAdapter
from adapters.webchat.settings import NAME as WEBCHAT
from adapters.webchat.settings import Create, WebchatSettings
from bot.additions import Ground
from bot.bootstrap.telegram import make_telegram
from bot.bootstrap.twilio import make_twilio
from bot.engine_view import EngineView
from bot.errors import StartupError
from bot.ingress.listening import listen
from bot.settings import Settings
from bot.skills.spoken import EMBEDDED_NOTE


def with_added(added: Sequence[Platform], built_in: Mapping[str, Platform]) -> dict[str, Platform]:
    """Add a deployment's own platforms. Raises `StartupError` where two have one name."""
    platforms = dict(built_in)
    for platform in added:
        name = platform.adapter.name
        if name in platforms:
            raise StartupError(f"two adapters are called {name}: give the added one another name")
        platforms[name] = platform
    return platforms


def built_in(settings: Settings, ground: Ground, engine_view: EngineView) -> dict[str, Platform]:
    """Make the platforms that the settings enable. Raises `StartupError`."""
    made: list[TerminalAdapter | WebchatAdapter] = []
    if settings.terminal.enabled:
        made.append(
            TerminalAdapter(
                TerminalSettings(
                    socket_path=settings.terminal_socket, assistant_names=assistant_names(settings)
                ),
                ground.records("terminal"),
                ground.clock.now,
            )
        )
    if settings.webchat.enabled:
        made.append(
            WebchatAdapter(
                _webchat(settings),
                ground.records(WEBCHAT),
                ground.clock.now,
                engine=engine_view,
                listen=partial(
                    listen, behind_proxy=settings.webchat.behind_proxy, setting="webchat", what="the web chat"
                ),
                monotonic=ground.clock.monotonic,
            )
        )
    platforms = {
        adapter.name: Platform(adapter=adapter, source=adapter, live=adapter, history=adapter.history)
        for adapter in made
    }
    if settings.telegram.token.get_secret_value():
        platforms[TELEGRAM] = make_telegram(settings, ground)
    if settings.twilio.account_sid:
        platforms[TWILIO] = make_twilio(settings, ground)
    return platforms


def _webchat(settings: Settings) -> WebchatSettings:
    section = settings.webchat
    return WebchatSettings(
        host=section.host,
        port=section.port,
        public_url=section.public_url,
        behind_proxy=section.behind_proxy,
        create=Create(section.create),
        sso_header=section.sso_header,
        sso_name_header=section.sso_name_header,
        retention_days=_kept_days(settings),
        sees_quoted=settings.privacy.mode == "quoted",
        assistant_names=assistant_names(settings),
        caution=EMBEDDED_NOTE if settings.embedded_model_answers else "",
    )


def _kept_days(settings: Settings) -> int:
    """Tell for how long the page's own history is kept: a day at least, for people to read."""
    days = settings.retention.days
    return max(1, min(settings.webchat.retention_days or days, days))


def assistant_names(settings: Settings) -> tuple[str, ...]:
    """Name what people may call the assistant."""
    return (settings.persona.name, *settings.persona.aliases)
