"""Which servers are refused at start, and what the refusal says."""

import pytest
from redis.asyncio import Redis

from bot.errors import ScheduleUnavailable, SettingsError, UnsuitableServer
from bot.store.redis_check import ServerFacts, check_server, read_facts, require_suitable
from bot.store.redis_client import open_redis
from tests.fixtures.valkey import RealServer


def _facts(product: str, version: str, policy: str = "noeviction", maxmemory_bytes: int = 0) -> ServerFacts:
    return ServerFacts(
        product=product, version=version, maxmemory_policy=policy, maxmemory_bytes=maxmemory_bytes
    )


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(_facts("Redis", "7.0.0"), id="oldest Redis"),
        pytest.param(_facts("Redis", "8.10.1"), id="new Redis"),
        pytest.param(_facts("Redis", "10.0"), id="two-digit Redis"),
        pytest.param(_facts("Valkey", "8.0.0"), id="oldest Valkey"),
        pytest.param(_facts("Valkey", "9.1.2", maxmemory_bytes=10**9), id="limited, not evicting"),
    ],
)
def test_a_fit_server_is_taken(facts):
    require_suitable(facts)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param(_facts("Redis", "6.2.14"), "Redis 6.2.14 is too old", id="old Redis"),
        pytest.param(_facts("Valkey", "7.2.9"), "Valkey 7.2.9 is too old", id="old Valkey"),
        pytest.param(_facts("Redis", ""), "Redis of an unknown version is too old", id="unknown"),
        pytest.param(
            _facts("Redis", "7.4.0", "allkeys-lru", 2**30),
            "policy allkeys-lru, maxmemory 1073741824",
            id="evicting",
        ),
        pytest.param(
            _facts("Valkey", "8.1.0", "volatile-ttl"), "policy volatile-ttl, maxmemory no limit", id="would"
        ),
    ],
)
def test_an_unfit_server_is_refused_with_the_reason(facts, reason):
    with pytest.raises(UnsuitableServer, match=reason):
        require_suitable(facts)


def test_valkey_is_known_by_its_own_version():
    facts = read_facts({"redis_version": "7.2.4", "valkey_version": "7.2.9", "maxmemory": 5})
    assert facts == _facts("Valkey", "7.2.9", maxmemory_bytes=5)


async def test_the_embedded_valkey_is_fit(valkey_client: Redis, request: pytest.FixtureRequest):
    product = {"valkey": "Valkey", "debian": "Redis"}[request.config.getoption("redis")]
    assert (await check_server(valkey_client)).product == product


async def test_debians_redis_is_fit(redis_client: Redis):
    facts = await check_server(redis_client)
    assert (facts.product, facts.version[:4]) == ("Redis", "7.0.")


@pytest.mark.parametrize("kind", ["valkey_client", "redis_client"])
async def test_a_real_evicting_server_is_refused(kind, valkey_client: Redis, redis_client: Redis):
    client = {"valkey_client": valkey_client, "redis_client": redis_client}[kind]
    await client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(UnsuitableServer, match="allkeys-lru"):
            await check_server(client)
    finally:
        await client.config_set("maxmemory-policy", "noeviction")


async def test_a_server_that_is_away_is_not_called_unfit(own_valkey: RealServer):
    own_valkey.stop()
    async with open_redis(own_valkey.url) as client:
        with pytest.raises(ScheduleUnavailable):
            await check_server(client)


async def test_a_user_who_may_not_look_is_told_what_to_allow(valkey_server: RealServer, valkey_client: Redis):
    await valkey_client.acl_setuser("blind", enabled=True, nopass=True, commands=["+ping"])
    try:
        async with open_redis(f"unix://blind:x@{valkey_server.socket}") as blind:
            with pytest.raises(UnsuitableServer, match=r"\+info"):
                await check_server(blind)
    finally:
        await valkey_client.acl_deluser("blind")


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", ""])
def test_another_kind_of_url_is_refused(url):
    with pytest.raises(SettingsError, match="redis://"):
        open_redis(url)


def test_a_password_never_stands_in_the_refusal():
    with pytest.raises(SettingsError) as caught:
        open_redis("redsi://:hunter2@host")
    assert "hunter2" not in str(caught.value)
