"""How a case ended, for the judge of it."""

from dataclasses import dataclass

from tests.platforms.seen import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What stands when everybody is done, and how it came about."""

    #: What the user sees, in the order of its posting.
    visible: tuple[Message, ...]
    #: Texts that appeared after the stopped process was woken.
    late: tuple[str, ...]
    #: Sends in doubt, as the process that went on counted them: by its events and in the record.
    ambiguous: int
    resent: int
    #: What somebody reads in the room of a platform that its owner sends on.
    shown: tuple[str, ...] = ()
