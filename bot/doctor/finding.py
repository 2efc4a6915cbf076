"""What a check found, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is, by what the person must do."""

    #: Nothing.
    OK = "ok"
    #: Know about it; everything still runs.
    WARN = "warn"
    #: Mend it; something does not run.
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's report."""

    level: Level
    #: What was looked at, in a word or two.
    subject: str
    what: str
    #: What to do about it; empty where nothing is to be done.
    mend: str = ""

    def line(self) -> str:
        """Put it into one line for a person."""
        text = f"{self.level.value:<5} {self.subject:<12} {self.what}"
        return f"{text}. {self.mend}" if self.mend else text


def ok(subject: str, what: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(level=Level.OK, subject=subject, what=what)


def warn(subject: str, what: str, mend: str) -> Finding:
    """Say that something may hurt."""
    return Finding(level=Level.WARN, subject=subject, what=what, mend=mend)


def fail(subject: str, what: str, mend: str) -> Finding:
    """Say that something must be mended."""
    return Finding(level=Level.FAIL, subject=subject, what=what, mend=mend)
