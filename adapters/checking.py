"""What `aside adapters check` asks an adapter: what it can and cannot see, and what the operator must do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Standing(StrEnum):
    """How a checked thing stands."""

    #: As it should be.
    OK = "ok"
    #: It works, but not as people expect.
    WARN = "warn"
    #: It does not work.
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One checked thing."""

    #: What was looked at, in a word or two.
    name: str
    standing: Standing
    #: What was found, in a sentence; holds no credential and no number of a person.
    found: str
    #: What the operator must do, in a sentence; empty where nothing.
    remedy: str = ""


class Checks(Protocol):
    """An adapter that can look at its own set-up on the platform."""

    async def check(self) -> tuple[Finding, ...]:
        """Call the platform and report; changes nothing there. Raises an `AdapterError` where it cannot be asked."""
        ...
