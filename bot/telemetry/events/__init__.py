"""What the path tells about itself: one frozen record an event, given to every hook it was built with.

The records hold ids, counts and seconds, never content and never a name. Code emits; what is logged
or counted is decided by the hooks (`logs.py`, `metrics.py`).
"""

from bot.telemetry.events.base import Details, Hook, Hooks, emit
from bot.telemetry.events.contexts import (
    BreakCause,
    ContextCut,
    ContextDropped,
    CutWithoutSummary,
    PrefixBroken,
    SummaryFailed,
    SummaryProblem,
    SummaryStored,
)
from bot.telemetry.events.intake import InboundRepeated, ShedReason, TurnAccepted, TurnShed
from bot.telemetry.events.surroundings import (
    Dependency,
    EngineStateChanged,
    OutageBegan,
    OutageEnded,
    ScheduleRebuilt,
)
from bot.telemetry.events.turns import (
    AmbiguousSend,
    AttemptFailed,
    FirstToken,
    LeaseLost,
    MessageReported,
    NoticeSent,
    ReplyRated,
    TurnFinished,
    TurnOutcome,
    TurnReplied,
    TurnTaken,
    WriteFenced,
)

__all__ = [
    "AmbiguousSend",
    "AttemptFailed",
    "BreakCause",
    "ContextCut",
    "ContextDropped",
    "CutWithoutSummary",
    "Dependency",
    "Details",
    "EngineStateChanged",
    "FirstToken",
    "Hook",
    "Hooks",
    "InboundRepeated",
    "LeaseLost",
    "MessageReported",
    "NoticeSent",
    "OutageBegan",
    "OutageEnded",
    "PrefixBroken",
    "ReplyRated",
    "ScheduleRebuilt",
    "ShedReason",
    "SummaryFailed",
    "SummaryProblem",
    "SummaryStored",
    "TurnAccepted",
    "TurnFinished",
    "TurnOutcome",
    "TurnReplied",
    "TurnShed",
    "TurnTaken",
    "WriteFenced",
    "emit",
]
