"""The `Pacer` of one process: what shares a process shares its buckets."""

from collections.abc import Callable

from adapters.pacing import (
    Bucket,
    BucketState,
    PacingKeys,
    PacingScope,
    Penalty,
    Priority,
    told_to_wait,
)

#: States kept before those that no longer matter are thrown away.
SWEEP_ABOVE = 4_096


class MemoryPacer:
    """A `Pacer` by a monotonic clock, in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: dict[tuple[tuple[str, ...], Bucket], BucketState] = {}
        self._penalties: dict[tuple[str, ...], Penalty] = {}
        self._sweep_above = SWEEP_ABOVE

    async def take(self, keys: PacingKeys, buckets: tuple[Bucket, ...], priority: Priority) -> None:
        """Take one call out of every bucket, or out of none. Raises `RetryAfter`."""
        now_us = self._now_us()
        self._sweep(now_us)
        penalties = {scope: held for scope in PacingScope if (held := self._penalties.get(keys.of(scope)))}
        waits = [(held.wait_us(priority, now_us), scope) for scope, held in penalties.items()]
        states = [
            (bucket, self._buckets.setdefault((keys.of(bucket.scope), bucket), BucketState()))
            for bucket in buckets
        ]
        for bucket, state in states:
            wait_us = state.wait_us(bucket, priority, now_us)
            waits.append((wait_us, bucket.scope))
            if wait_us:
                state.want(priority, now_us, wait_us)
        longest_us, scope = max(waits, key=lambda wait: wait[0], default=(0, PacingScope.CONVERSATION))
        if longest_us:
            raise told_to_wait(longest_us, scope)
        for bucket, state in states:
            state.grant(bucket, priority, now_us)
        for held in penalties.values():
            held.grant(now_us)

    async def penalise(self, keys: PacingKeys, scope: PacingScope, seconds: float) -> None:
        """Take note of a 429."""
        now_us = self._now_us()
        self._sweep(now_us)
        self._penalties.setdefault(keys.of(scope), Penalty()).extend(now_us, seconds)

    def _now_us(self) -> int:
        return round(self._monotonic() * 1_000_000)

    def _sweep(self, now_us: int) -> None:
        """Forget what no longer matters, now and then: by doubling, each call pays a constant share."""
        if len(self._buckets) + len(self._penalties) < self._sweep_above:
            return
        self._buckets = {key: state for key, state in self._buckets.items() if not state.is_over(now_us)}
        self._penalties = {key: held for key, held in self._penalties.items() if not held.is_over(now_us)}
        self._sweep_above = max(SWEEP_ABOVE, 2 * (len(self._buckets) + len(self._penalties)))
