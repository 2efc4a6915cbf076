"""How long the supervisor of an engine waits for what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the supervisor waits for what, in seconds and times."""

    #: From start to ready.
    start_s: float = 600.0
    #: Between two questions to an engine that loads.
    poll_s: float = 0.25
    canary_s: float = 60.0
    canary_attempts: int = 3
    #: Between two questions to a ready engine, and how many bad answers in a row end it.
    check_every_s: float = 5.0
    checks_failed: int = 6
    #: The wait after the first failure; it doubles up to the cap and is spread by chance over its upper half.
    backoff_s: float = 1.0
    backoff_cap_s: float = 60.0
    #: After this long ready, earlier failures are forgotten.
    healthy_s: float = 300.0
