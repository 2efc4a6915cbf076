"""How this deployment fares, as JSON: alive, ready, and the numbers an operator asks for first.

Mentions are accepted while the database answers, so only the database decides on readiness; Redis and the
engine are named beside it, because their absence delays replies and loses nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.turns.journal import MOST_COUNTED, TurnCounts
from engine.base import EngineState, EngineStatus

logger = logging.getLogger(__name__)

#: Seconds one probe may take.
_PROBE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """Ways to ask the parts of a deployment how they are; the first two raise when theirs does not answer."""

    database: Callable[[], Awaitable[object]]
    redis: Callable[[], Awaitable[object]]
    engine: Callable[[], Awaitable[EngineStatus]]
    turns: Callable[[], Awaitable[TurnCounts]]
    #: Each adapter's name, and its state in a word.
    adapters: Callable[[], Awaitable[Mapping[str, str]]]
    metrics: CollectorRegistry


class Health:
    """The health routes over a deployment's probes."""

    def __init__(self, probes: Probes) -> None:
        """Keep the probes; nothing is asked before a route is."""
        self._probes = probes

    def routes(self) -> list[web.RouteDef]:
        """List `/livez`, `/readyz`, `/status` and `/metrics`."""
        return [
            web.get("/livez", self._livez),
            web.get("/readyz", self._readyz),
            web.get("/status", self._status),
            web.get("/metrics", self._metrics),
        ]

    async def _livez(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _readyz(self, _: web.Request) -> web.Response:
        database, redis, engine = await asyncio.gather(
            _said(self._probes.database()), _said(self._probes.redis()), self._engine()
        )
        body: dict[str, Any] = {
            "ready": database == "ok",
            "database": database,
            "redis": redis,
            "engine": engine.state.value,
        }
        if database != "ok":
            body["reasons"] = ["the database does not answer, so no mention can be accepted"]
        return web.json_response(body, status=200 if body["ready"] else 503)

    async def _status(self, _: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_PROBE_S):
                turns = await self._probes.turns()
                adapters = await self._probes.adapters()
        except Exception as exc:  # noqa: BLE001 - whatever a probe raises means that the part is not well
            logger.warning("status could not be read (%s)", type(exc).__name__)
            return web.json_response({"error": "the database does not answer"}, status=503)
        engine = await self._engine()
        body = {
            "waiting": turns.waiting,
            "oldest_s": round(turns.oldest_waiting_s, 3),
            "running": turns.running,
            "done": turns.done,
            "dead": turns.dead,
            "most_counted": MOST_COUNTED,
            "engine": {"state": engine.state.value, "model": engine.model, "detail": engine.detail},
            "adapters": dict(adapters),
        }
        cached = _cached_share(self._probes.metrics)
        return web.json_response(body if cached is None else body | {"cached_share": round(cached, 3)})

    async def _metrics(self, _: web.Request) -> web.Response:
        text = generate_latest(self._probes.metrics)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _engine(self) -> EngineStatus:
        try:
            async with asyncio.timeout(_PROBE_S):
                return await self._probes.engine()
        except TimeoutError:
            return EngineStatus(state=EngineState.DEAD, detail=f"no answer within {_PROBE_S:g} s")


def _cached_share(metrics: CollectorRegistry) -> float | None:
    """Return the share of prompt tokens the engine had in its cache; None where no worker of this process asked any."""
    prompt, cached = (
        metrics.get_sample_value("aside_tokens_total", {"kind": kind}) or 0.0 for kind in ("prompt", "cached")
    )
    return cached / prompt if prompt else None


async def _said(probe: Awaitable[object]) -> str:
    """Answer "ok", or the class of what the part raised; the reason may name hosts and stays inside."""
    try:
        async with asyncio.timeout(_PROBE_S):
            await probe
    except TimeoutError:
        return "no answer"
    except Exception as exc:  # noqa: BLE001 - whatever a probe raises means that the part is not well
        return type(exc).__name__
    return "ok"
