"""Refusing a server on which the schedule could not keep its promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import exceptions as redis_exceptions
from redis.asyncio import Redis

from bot.errors import ScheduleUnavailable, UnsuitableServer
from bot.store.redis_errors import redis_call

_CHECK_TIMEOUT_S = 5.0
_NEEDED = {"Redis": (7, 0), "Valkey": (8, 0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What INFO tells about a server, as far as it matters here."""

    #: "Redis" or "Valkey".
    product: str
    version: str
    #: 0 is unlimited.
    maxmemory_bytes: int
    maxmemory_policy: str


def read_facts(info: Mapping[str, Any]) -> ServerFacts:
    """Pick the facts out of INFO's fields. Valkey names itself and claims Redis 7.2 beside it, for old clients."""
    valkey = info.get("valkey_version")
    return ServerFacts(
        product="Valkey" if valkey else "Redis",
        version=str(valkey or info.get("redis_version", "")),
        maxmemory_bytes=int(info.get("maxmemory", 0)),
        maxmemory_policy=str(info.get("maxmemory_policy", "noeviction")),
    )


def require_suitable(facts: ServerFacts) -> None:
    """Raise `UnsuitableServer`, with the reason and the remedy, for a server that is too old or may evict keys."""
    if _numbers(facts.version) < _NEEDED[facts.product]:
        raise UnsuitableServer(
            f"{facts.product} {facts.version or 'of an unknown version'} is too old: Aside needs Redis 7.0 or newer, "
            "or Valkey 8.0 or newer. Upgrade the server, or leave the URL of Redis unset to use the embedded Valkey."
        )
    if facts.maxmemory_policy != "noeviction":
        limit = f"{facts.maxmemory_bytes} bytes" if facts.maxmemory_bytes else "no limit yet"
        raise UnsuitableServer(
            f"this {facts.product} may evict keys (maxmemory-policy {facts.maxmemory_policy}, maxmemory {limit}), "
            "and with them chats that wait for an answer. Set `maxmemory-policy noeviction` in its configuration, "
            "or give Aside a server of its own."
        )


async def check_server(client: Redis) -> ServerFacts:
    """Ask a server what it is and return that.

    Raises `UnsuitableServer` for an unfit one, `ScheduleUnavailable` for one that does not answer now.
    """
    try:
        async with redis_call(ScheduleUnavailable, _CHECK_TIMEOUT_S):
            facts = read_facts(await client.info())
    except redis_exceptions.NoPermissionError as exc:
        raise UnsuitableServer(
            f"the user in the URL of Redis may not run INFO: allow it `+info` ({exc})"
        ) from exc
    require_suitable(facts)
    return facts


def _numbers(version: str) -> tuple[int, int]:
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    return (int(major) if major.isdigit() else 0, int(minor) if minor.isdigit() else 0)
