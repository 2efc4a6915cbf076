"""Checks of Redis and the database, embedded or behind a URL."""

import asyncio
import subprocess

from bot.doctor.finding import Finding, fail, ok
from bot.errors import AsideError
from bot.servers.valkey_paths import valkey_binary
from bot.settings import Settings
from bot.store.database import Database
from bot.store.redis_check import check_server
from bot.store.redis_client import open_redis
from bot.store.schema import expected, require_current

TIMEOUT_S = 10.0


async def check_redis(settings: Settings) -> Finding:
    """Check the embedded Valkey's program, or the server behind `redis.url`."""
    url = settings.redis_url
    try:
        return await _check_redis_server(url) if url else await asyncio.to_thread(_check_valkey)
    except AsideError as exc:
        return fail("redis", str(exc), "")
    except TimeoutError:
        return fail("redis", f"no answer within {TIMEOUT_S:g} s", "Start it, or mend ASIDE_REDIS_URL")


async def check_database(settings: Settings) -> Finding:
    """Check that the database answers and has this program's schema."""
    if not settings.database.url and not settings.data.database.exists():
        return ok("database", f"SQLite, {settings.data.database} will be made at the first start")
    try:
        async with asyncio.timeout(TIMEOUT_S), Database(settings.database_url) as database:
            await require_current(database)
    except AsideError as exc:
        return fail("database", str(exc), "")
    except TimeoutError:
        return fail("database", f"no answer within {TIMEOUT_S:g} s", "Start it, or mend ASIDE_DATABASE_URL")
    return ok("database", f"{database.dialect}, schema {expected()}")


async def _check_redis_server(url: str) -> Finding:
    client = open_redis(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            facts = await check_server(client)
    finally:
        await client.aclose()
    return ok("redis", f"{facts.product} {facts.version}, {facts.maxmemory_policy}")


def _check_valkey() -> Finding:
    binary = valkey_binary()
    try:
        # The program comes with the installed package.
        answer = subprocess.run(  # noqa: S603 - a fixed command
            [binary, "--version"], capture_output=True, text=True, timeout=TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as exc:
        return fail(
            "redis",
            f"the embedded Valkey does not start ({type(exc).__name__})",
            "Set ASIDE_REDIS_URL to a Redis 7.0 or Valkey 8 server, or newer",
        )
    version = next((word for word in answer.stdout.split() if word.startswith("v=")), "v=?")
    return ok("redis", f"embedded Valkey {version.removeprefix('v=')}")
