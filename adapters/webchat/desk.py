"""Everything the connections share, in one place."""

from dataclasses import dataclass

from adapters.webchat.engine_pulse import EnginePulse
from adapters.webchat.handover import Handover
from adapters.webchat.house import House
from adapters.webchat.hub import Hub
from adapters.webchat.limits import Limits
from adapters.webchat.presence import Presence
from adapters.webchat.seating import Seating
from adapters.webchat.settings import WebchatSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts of a running server, for whoever serves one connection."""

    settings: WebchatSettings
    house: House
    hub: Hub
    presence: Presence
    seating: Seating
    handover: Handover
    limits: Limits
    engine: EnginePulse
    #: Changes with every file of the page: a tab that was opened before can say that it is old.
    page_version: str = ""
