"""Buttons under a reply, and what comes in when somebody presses one."""

from dataclasses import dataclass
from enum import StrEnum

from adapters.events import Person


class Action(StrEnum):
    """What a button does; short enough for any platform's callback data."""

    STOP = "stop"
    RETRY = "retry"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One button: what it does, and what stands on it."""

    action: Action
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A person pressed a button under one of the assistant's messages."""

    adapter: str
    account: str
    #: Unique for this press, for at least the platform's redelivery horizon.
    event_key: str
    conversation: str
    #: The message the button stands under.
    message: str
    sender: Person
    action: Action
