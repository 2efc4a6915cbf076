"""Faults on demand: which call of the API, or of the CDN, runs into what."""

import random
from dataclasses import dataclass, field

from tests.adapters.twilio_cloud.shown import Endpoint, Fault


@dataclass(slots=True, kw_only=True)
class Rule:
    """A fault for some calls: the next so many, or each with a probability."""

    fault: Fault
    #: None is every endpoint.
    endpoint: Endpoint | None = None
    #: Whom a message goes to, as To says; None is everybody, and calls about nobody.
    to: str | None = None
    #: How many calls it still meets; None is any number.
    times: int | None = 1
    probability: float = 1.0
    #: What a 429 asks to wait.
    retry_after_s: float = 0.2
    #: How late a slow call is done.
    slow_s: float = 0.5
    chance: random.Random = field(default_factory=random.Random, repr=False)

    def strikes(self, endpoint: Endpoint, to: str) -> bool:
        """Decide on one call, and count it."""
        if self.times == 0 or self.endpoint not in (None, endpoint) or self.to not in (None, to):
            return False
        if self.chance.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The rules in force; the first that strikes wins. What is drawn is drawn from the seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made = 0
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> None:
        """Put a rule behind those that stand."""
        self._made += 1
        rule.chance = random.Random(f"{self._seed}/{self._made}")
        self._rules.append(rule)

    def clear(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def strike(self, endpoint: Endpoint, to: str) -> Rule | None:
        """Return the rule that this call runs into, if any."""
        self._rules = [rule for rule in self._rules if rule.times != 0]
        return next((rule for rule in self._rules if rule.strikes(endpoint, to)), None)
