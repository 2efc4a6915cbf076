"""How fast a platform may be called: rate buckets, priorities, and what a 429 means for all of them. Pure but the seam.

A bucket is the generic cell rate algorithm (GCRA, ITU-T I.371 annex A): it keeps one number, the instant at which
everything granted so far is paid for, and never grants more than `count` in any window of `per_s` seconds. Instants are
whole microseconds of the pacer's own clock, so that the copy of this arithmetic in Redis (`bot/turns/pacing_take.lua`)
says the same to the microsecond.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import Protocol

from adapters.errors import RateScope, RetryAfter

_US = 1_000_000
#: For how long the first final text after a 429 goes alone: long enough for the platform to refuse that as well.
CALM_US = 1_000_000
#: For how long after its turn came a caller that was told to wait is waited for.
GRACE_US = 500_000
#: A longer wait is cut to this, so that nothing is kept for ever; the platform would only say it again.
LONGEST_PENALTY_S = 86_400.0


class PacingScope(StrEnum):
    """Whose calls share a bucket."""

    #: One chat's.
    CONVERSATION = "conversation"
    #: All of one bot or sender.
    ACCOUNT = "account"
    #: All of one adapter, whatever the account.
    PLATFORM = "platform"


class Priority(StrEnum):
    """What goes first when there is not room for all."""

    #: A text that must arrive: a reply, its last edit, a notice.
    FINAL = "final"
    #: The first sign that a reply is on its way.
    FIRST = "first"
    #: An edit that the next one replaces.
    EDIT = "edit"
    #: A sign that vanishes by itself.
    TYPING = "typing"


#: From the first to the last.
RANKS: tuple[Priority, ...] = tuple(Priority)
#: How much of a bucket's burst each may use up; the rest is kept for those above it.
SHARES: Mapping[Priority, float] = {
    Priority.FINAL: 1.0,
    Priority.FIRST: 0.75,
    Priority.EDIT: 0.5,
    Priority.TYPING: 0.25,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """At most `count` calls in any `per_s` seconds; up to `burst` of them at once.

    A larger burst is paid for by a slower pace behind it, so that the window never holds more than `count`.
    """

    scope: PacingScope
    count: int
    per_s: float
    burst: int = 1

    def __post_init__(self) -> None:
        """Refuse numbers that make no bucket."""
        if self.per_s <= 0 or not 1 <= self.burst <= self.count:
            raise ValueError(f"no bucket: {self.count} in {self.per_s:g} s with a burst of {self.burst}")

    @property
    def interval_us(self) -> int:
        """Microseconds between two calls at the steady pace, rounded up."""
        return ceil(self.per_s * _US / (self.count - self.burst + 1))

    def slack_us(self, priority: Priority) -> int:
        """Tell how far ahead of the steady pace a priority may be."""
        return (max(1, ceil(self.burst * SHARES[priority])) - 1) * self.interval_us


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingKeys:
    """Whose call it is, in the core's words; every pacer keeps them only as hashes or in its own memory."""

    adapter: str
    account: str
    conversation: str

    def of(self, scope: PacingScope) -> tuple[str, ...]:
        """Name what shares a bucket of this scope."""
        match scope:
            case PacingScope.PLATFORM:
                return (scope.value, self.adapter)
            case PacingScope.ACCOUNT:
                return (scope.value, self.adapter, self.account)
            case PacingScope.CONVERSATION:
                return (scope.value, self.adapter, self.account, self.conversation)


@dataclass(slots=True)
class BucketState:
    """What is kept of one bucket."""

    #: The instant up to which everything granted is paid for.
    paid_us: int = 0
    #: By priority: until when the lower ones stand back for one that was told to wait.
    wanted_us: dict[Priority, int] = field(default_factory=dict)

    def wait_us(self, bucket: Bucket, priority: Priority, now_us: int) -> int:
        """Tell how long a call has to wait; 0 where it may go now."""
        due_us = self.paid_us - bucket.slack_us(priority)
        above = RANKS[: RANKS.index(priority)]
        return max(0, due_us - now_us, *(self.wanted_us.get(rank, 0) - now_us for rank in above))

    def grant(self, bucket: Bucket, priority: Priority, now_us: int) -> None:
        """Take one call out."""
        self.paid_us = max(self.paid_us, now_us) + bucket.interval_us
        self.wanted_us.pop(priority, None)

    def want(self, priority: Priority, now_us: int, wait_us: int) -> None:
        """Keep the lower ones back until the one that waits here has had its chance."""
        until_us = now_us + wait_us + GRACE_US
        self.wanted_us[priority] = max(self.wanted_us.get(priority, 0), until_us)

    def is_over(self, now_us: int) -> bool:
        """Tell whether nothing of it matters any more."""
        return now_us >= max(self.paid_us, *self.wanted_us.values(), 0)


def penalty_us(seconds: float) -> int:
    """Return how many microseconds a platform's wait holds; nonsense holds none."""
    return ceil(min(seconds, LONGEST_PENALTY_S) * _US) if seconds > 0 else 0


@dataclass(slots=True)
class Penalty:
    """What is kept of a 429: nobody goes before its end, then one final text alone, then everybody."""

    until_us: int = 0
    #: When everybody may go again.
    calm_us: int = 0
    is_tried: bool = False

    def wait_us(self, priority: Priority, now_us: int) -> int:
        """Tell how long a call has to wait; 0 where it may go now."""
        may_try = priority is Priority.FINAL and not self.is_tried
        return max(0, (self.until_us if may_try else self.calm_us) - now_us)

    def grant(self, now_us: int) -> None:
        """Take note that a call goes."""
        if now_us < self.calm_us:
            self.is_tried, self.calm_us = True, max(self.calm_us, now_us + CALM_US)

    def extend(self, now_us: int, seconds: float) -> None:
        """Take note of one more 429, however long the one before still holds."""
        self.until_us = max(self.until_us, now_us + penalty_us(seconds))
        self.calm_us, self.is_tried = self.until_us + CALM_US, False

    def is_over(self, now_us: int) -> bool:
        """Tell whether nothing of it matters any more."""
        return now_us >= self.calm_us


#: From the scope of a platform's refusal to the scope of what it closes.
PENALTY_SCOPES: Mapping[RateScope, PacingScope] = {
    RateScope.CONVERSATION: PacingScope.CONVERSATION,
    RateScope.ACCOUNT: PacingScope.ACCOUNT,
}


def told_to_wait(wait_us: int, scope: PacingScope) -> RetryAfter:
    """Make the refusal of a call that would come too soon, in the words of a platform's own."""
    is_one_chat = scope is PacingScope.CONVERSATION
    return RetryAfter(wait_us / _US, RateScope.CONVERSATION if is_one_chat else RateScope.ACCOUNT)


class Pacer(Protocol):
    """Says who may call a platform now. Shared by whoever shares its store; safe for many callers at once."""

    async def take(self, keys: PacingKeys, buckets: tuple[Bucket, ...], priority: Priority) -> None:
        """Take one call out of every bucket, or out of none. Called right before a platform is.

        Raises `RetryAfter` with the seconds after which the same call will be granted, unless somebody of its rank or
        above comes first; never waits by itself, never fails otherwise.
        """
        ...

    async def penalise(self, keys: PacingKeys, scope: PacingScope, seconds: float) -> None:
        """Take note of a 429: nothing goes in this scope for so long, then one final text, then the rest.

        May be repeated; a shorter wait never ends a longer one. Never fails.
        """
        ...
