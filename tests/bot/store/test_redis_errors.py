"""Which of redis-py's exceptions count as an outage."""

import inspect

import pytest
from redis import exceptions as redis_exceptions

from bot.errors import ScheduleUnavailable
from bot.store.redis_errors import is_unavailable, redis_call

#: Mistakes of ours or of the setup: hiding them as an outage would retry them for ever.
MISTAKES = {
    "AskError",
    "AuthenticationWrongNumberOfArgsError",
    "ChildDeadlockedError",
    "ClusterCrossSlotError",
    "ClusterError",
    "CrossSlotTransactionError",
    "DataError",
    "ExecAbortError",
    "IncorrectPolicyType",
    "InvalidPipelineStack",
    "InvalidResponse",
    "LockError",
    "LockNotOwnedError",
    "ModuleError",
    "MovedError",
    "NoPermissionError",
    "NoScriptError",
    "NoSuchFieldsetError",
    "PubSubError",
    "RedisClusterException",
    "RedisError",
    "ResponseError",
    "SlotNotCoveredError",
    "WatchError",
}


def _exceptions() -> dict[str, type[Exception]]:
    found = inspect.getmembers(redis_exceptions, inspect.isclass)
    return {name: each for name, each in found if issubclass(each, Exception)}


def test_every_exception_of_redis_is_decided():
    """A new one in a later redis-py fails here until somebody decides what it means."""
    found = _exceptions()
    assert len(found) > 30
    unavailable = {name for name, each in found.items() if is_unavailable(each.__new__(each))}
    assert unavailable.isdisjoint(MISTAKES)
    assert unavailable | MISTAKES == set(found)


@pytest.mark.parametrize(
    ("answer", "unavailable"),
    [
        pytest.param("MISCONF Errors writing to the AOF file: No space left on device", True, id="disk full"),
        pytest.param("BUSY Redis is busy running a script", True, id="busy"),
        pytest.param("NOREPLICAS Not enough good replicas to write", True, id="no replicas"),
        pytest.param("BUSYKEY Target key name already exists", False, id="busykey"),
        pytest.param("WRONGTYPE Operation against a key", False, id="wrong type"),
    ],
)
def test_answers_without_a_class_are_told_by_their_code(answer, unavailable):
    assert is_unavailable(redis_exceptions.ResponseError(answer)) == unavailable


async def test_the_cause_is_kept():
    cause = redis_exceptions.ConnectionError("Connection refused")
    with pytest.raises(ScheduleUnavailable, match="Connection refused") as caught:
        async with redis_call(ScheduleUnavailable, 1):
            raise cause
    assert caught.value.__cause__ is cause


async def test_what_is_no_outage_stays_itself():
    with pytest.raises(redis_exceptions.DataError):
        async with redis_call(ScheduleUnavailable, 1):
            raise redis_exceptions.DataError
    with pytest.raises(KeyError):
        async with redis_call(ScheduleUnavailable, 1):
            raise KeyError
