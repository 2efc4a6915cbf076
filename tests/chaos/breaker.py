"""Deals the blows: takes what was drawn, finds its target, does it and writes it down."""

import asyncio
import logging
import signal
import time
from collections.abc import Coroutine
from typing import Any

from redis.asyncio import Redis

from tests.chaos.blows import TICK_S, Blow, Strike, strikes
from tests.chaos.ledger import Ledger
from tests.chaos.plan import LEASE_S, Plan
from tests.chaos.proxy import Proxy
from tests.chaos.world import ENGINE, World
from tests.platforms.seen import Endpoint, Fault

logger = logging.getLogger(__name__)

#: The fault of a platform, by its share: all of them, and the ones that leave a doubt twice.
_FAULTS = (*Fault, Fault.LOST_REQUEST, Fault.LOST_RESPONSE, Fault.SILENT)
_ENDPOINTS = (*Endpoint, None, None)
#: How much longer than its lease a process is frozen, and how long a network is bad, in seconds.
_FROZEN_S = (0.3, 2.5)
_BAD_S = (0.3, 4.0)
_AWAY_S = (0.0, 1.5)


class Breaker:
    """Breaks a world while it runs; afterwards everything is whole again."""

    def __init__(self, plan: Plan, world: World, ledger: Ledger) -> None:
        self._plan = plan
        self._world = world
        self._ledger = ledger
        self._under_way: set[asyncio.Task[None]] = set()
        self._redis = asyncio.Lock()
        self._database = asyncio.Lock()
        self._rolls = asyncio.Lock()
        self.dealt: dict[Blow, int] = dict.fromkeys(Blow, 0)

    async def run(self) -> None:
        """Deal blows until cancelled; then mend everything."""
        try:
            if self._plan.calm:
                await asyncio.Event().wait()
            due = asyncio.get_running_loop().time()
            for drawn in strikes(self._plan.seed):
                for strike in drawn:
                    self._begin(self._deal(strike))
                due += TICK_S
                await asyncio.sleep(due - asyncio.get_running_loop().time())
        finally:
            await self._mend()

    def _begin(self, blow: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(blow)
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a blow failed", exc_info=error)

    async def _mend(self) -> None:
        """Let every blow end as it would: what is down comes back by itself."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        for proxy in self._world.proxies.values():
            proxy.heal()
        for cloud in self._world.clouds.values():
            await cloud.client.calm()

    def _tell(self, strike: Strike, what: str) -> None:
        self.dealt[strike.blow] += 1
        self._ledger.struck(what)

    async def _deal(self, strike: Strike) -> None:
        match strike.blow:
            case Blow.KILL:
                self._kill(strike)
            case Blow.FREEZE:
                await self._freeze(strike)
            case Blow.ERASE_REDIS | Blow.RESTART_REDIS | Blow.KILL_REDIS:
                await self._break_redis(strike)
            case Blow.KILL_ENGINE:
                self._tell(strike, "engine killed")
                self._world.crew.kill(ENGINE)
            case Blow.RESTART_DATABASE:
                await self._restart_database(strike)
            case Blow.CUT | Blow.REFUSE | Blow.STALL | Blow.DELAY:
                await self._spoil(strike)
            case Blow.ROLL:
                await self._roll(strike)
            case Blow.PLATFORM:
                await self._platform(strike)

    def _roles(self) -> list[str]:
        return [name for name in self._world.crew.names() if name != ENGINE]

    def _kill(self, strike: Strike) -> None:
        if roles := self._roles():
            name = strike.choose(roles)
            self._tell(strike, f"{name} killed")
            self._world.crew.kill(name)

    async def _freeze(self, strike: Strike) -> None:
        if not (roles := self._roles()):
            return
        name, seconds = strike.choose(roles), LEASE_S + strike.lasting(*_FROZEN_S)
        self._tell(strike, f"{name} frozen for {seconds:.1f} s")
        # Written down before: what arrives meanwhile may be judged meanwhile.
        self._ledger.freezes.append((time.time(), time.time() + seconds))
        await self._world.crew.freeze(name, seconds)

    async def _break_redis(self, strike: Strike) -> None:
        if self._redis.locked():
            return
        async with self._redis:
            server = self._world.redis
            self._tell(strike, strike.blow.value.replace("_", " "))
            if strike.blow is Blow.ERASE_REDIS:
                client = Redis.from_url(server.url)
                await client.flushall()
                await client.aclose()
                return
            await asyncio.to_thread(server.kill if strike.blow is Blow.KILL_REDIS else server.stop)
            await asyncio.sleep(strike.lasting(*_AWAY_S))
            await asyncio.to_thread(server.start)

    async def _restart_database(self, strike: Strike) -> None:
        server = self._world.database
        if server is None or self._database.locked():
            return
        async with self._database:
            at_once = strike.variant < 0.5
            self._tell(strike, f"database {'crashed' if at_once else 'stopped'}")
            await server.stop(at_once=at_once)
            await asyncio.sleep(strike.lasting(*_AWAY_S))
            await server.start()

    async def _spoil(self, strike: Strike) -> None:
        proxies = self._world.proxies
        proxy, seconds = proxies[strike.choose([*proxies])], strike.lasting(*_BAD_S)
        self._tell(strike, f"network {proxy.name}: {strike.blow.value} for {seconds:.1f} s")
        self._worsen(proxy, strike)
        if strike.blow is not Blow.CUT:
            await asyncio.sleep(seconds)
            proxy.heal()

    def _worsen(self, proxy: Proxy, strike: Strike) -> None:
        match strike.blow:
            case Blow.CUT:
                proxy.cut()
            case Blow.REFUSE:
                proxy.refuse()
            case Blow.STALL:
                proxy.stall()
            case _:
                proxy.delay(strike.lasting(0.02, 0.3))

    async def _roll(self, strike: Strike) -> None:
        if self._rolls.locked():
            return
        async with self._rolls:
            self._tell(strike, "rolling restart begins")
            for name in [*self._plan.gateways, *self._plan.workers]:
                if name in self._world.crew.names() and not await self._world.crew.roll(name):
                    self._ledger.tell(f"{name} did not end in time on SIGTERM ({signal.SIGTERM})")

    async def _platform(self, strike: Strike) -> None:
        cloud = self._world.clouds[strike.choose([*self._world.clouds])]
        fault = _FAULTS[int(strike.variant * len(_FAULTS))]
        endpoint = _ENDPOINTS[int(strike.length * len(_ENDPOINTS))]
        times = 1 + int(strike.variant * 1000) % 4
        self._tell(strike, f"{cloud.name}: {fault} for {times} calls of {endpoint or 'anything'}")
        await cloud.client.fault(fault, endpoint=endpoint, times=times)
