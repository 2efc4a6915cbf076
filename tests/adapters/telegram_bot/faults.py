"""Faults on demand: which call of the Bot API runs into what."""

import math
import random
from dataclasses import dataclass, field
from enum import StrEnum

from tests.adapters.telegram_bot.clock import VirtualClock


class Fault(StrEnum):
    """What happens to a call, by what the bot and its readers see."""

    #: The connection is cut before anything is done.
    LOST_REQUEST = "lost_request"
    #: It is done, then the connection is cut.
    LOST_RESPONSE = "lost_response"
    #: 429 with `retry_after`; not done.
    RATE_LIMITED = "rate_limited"
    #: 429 without it; not done.
    RATE_LIMITED_SILENTLY = "rate_limited_silently"
    #: 500 in the Bot API's form; not done, but nothing says so.
    SERVER_ERROR = "server_error"
    #: 502 with the HTML of a proxy; not done, but nothing says so.
    BAD_GATEWAY = "bad_gateway"
    #: 502 with the HTML of a proxy; done.
    BAD_GATEWAY_AFTER = "bad_gateway_after"
    #: 401; the token was revoked.
    UNAUTHORIZED = "unauthorized"
    #: 400 about entities that are as documented; not done.
    ENTITIES_REFUSED = "entities_refused"
    #: It is done, late.
    SLOW = "slow"
    #: The connection stands and nothing ever comes; not done.
    HALF_OPEN = "half_open"
    #: It is done, and nothing ever comes.
    SILENT = "silent"


def shows(method: str) -> bool:
    """Say whether a method says or shows something to people."""
    return not method.startswith("get") and "Webhook" not in method and "Commands" not in method


@dataclass(slots=True, kw_only=True)
class Rule:
    """A fault for some calls: the next so many, or each with a probability."""

    fault: Fault
    #: None is every method that says or shows something, and none that fetches updates.
    method: str | None = None
    #: None is every chat.
    chat_id: int | None = None
    #: How many calls it still meets; None is any number.
    times: int | None = 1
    probability: float = 1.0
    #: What a 429 asks to wait.
    retry_after_s: int = 1
    #: How late a slow call is done.
    slow_s: float = 0.5
    chance: random.Random = field(default_factory=random.Random, repr=False)

    def strikes(self, method: str, chat_id: int | None) -> bool:
        """Decide on one call, and count it."""
        if self.times == 0 or (self.method != method if self.method else not shows(method)):
            return False
        if self.chat_id not in (None, chat_id) or self.chance.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """For a while every call is answered 429 with what is left of it, as when Telegram has had enough."""

    until: float
    chat_id: int | None
    methods: tuple[str, ...]


class Faults:
    """The rules and floods in force; the first that strikes wins. What is drawn is drawn from the seed."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self._seed = seed
        self._clock = clock
        self._made = 0
        self._rules: list[Rule] = []
        self._floods: list[Flood] = []

    def add(self, rule: Rule) -> None:
        """Put a rule behind those that stand."""
        self._made += 1
        rule.chance = random.Random(f"{self._seed}/{self._made}")
        self._rules.append(rule)

    def flood(self, seconds: float, chat_id: int | None, methods: tuple[str, ...]) -> None:
        """Answer 429 for a while."""
        until = self._clock.now() + seconds
        self._floods.append(Flood(until=until, chat_id=chat_id, methods=methods))

    def clear(self) -> None:
        """Forget every rule and flood."""
        self._rules.clear()
        self._floods.clear()

    def strike(self, method: str, chat_id: int | None) -> Rule | None:
        """Return the rule that this call runs into, if any."""
        if (left_s := self._flooded_s(method, chat_id)) > 0:
            return Rule(fault=Fault.RATE_LIMITED, retry_after_s=math.ceil(left_s))
        self._rules = [rule for rule in self._rules if rule.times != 0]
        return next((rule for rule in self._rules if rule.strikes(method, chat_id)), None)

    def _flooded_s(self, method: str, chat_id: int | None) -> float:
        now = self._clock.now()
        self._floods = [flood for flood in self._floods if flood.until > now]
        return max(
            (
                flood.until - now
                for flood in self._floods
                if flood.chat_id in (None, chat_id)
                and (method in flood.methods if flood.methods else shows(method))
            ),
            default=0.0,
        )
