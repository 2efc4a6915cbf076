"""What a platform's conversations allow, in numbers and closed sets: declared, never probed."""

from dataclasses import dataclass
from enum import StrEnum

from adapters.pacing import Bucket


class Idempotency(StrEnum):
    """What a platform offers against duplicates, by what to do after an ambiguous send."""

    #: Class A: it honours our operation id; send again with the same id.
    KEYED = "keyed"
    #: Class B: the message can be looked up; look, then send again.
    READ_BACK = "read_back"
    #: Class C: neither; the send policy decides.
    NONE = "none"


class LiveOutput(StrEnum):
    """How a reply can be shown while it grows."""

    #: Not at all: one message when it is complete.
    NONE = "none"
    #: A message is sent and then edited.
    EDIT = "edit"
    #: A draft stands below the conversation while it grows; then one message is sent, and the draft goes.
    DRAFT = "draft"


class TextUnit(StrEnum):
    """What a platform counts when it limits a message's length."""

    CODE_POINTS = "code_points"
    UTF16 = "utf16"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What one conversation allows, in numbers."""

    text_limit: int
    text_unit: TextUnit = TextUnit.CODE_POINTS
    live: LiveOutput = LiveOutput.NONE
    #: Seconds to leave between two edits of one message.
    live_min_interval_s: float = 1.0
    idempotency: Idempotency = Idempotency.NONE
    #: Where people's clients cut what they write into several messages, in `text_unit`; None where they never do.
    client_splits_at: int | None = None
    #: Seconds for which the sign that somebody writes stands by itself; 0 where there is none.
    typing_lasts_s: float = 0.0
    #: How many buttons a message may have.
    buttons: int = 0
    #: How fast it may be called; empty where the platform says nothing.
    buckets: tuple[Bucket, ...] = ()
