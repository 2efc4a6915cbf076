"""A running server: the page on its port, and everything that goes on in the background."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from aiohttp import web

from adapters.base import EngineWatch
from adapters.records import RecordsUnavailable
from adapters.webchat.assets import Assets
from adapters.webchat.close_codes import CloseCode
from adapters.webchat.cookie import GuestCookie
from adapters.webchat.desk import Desk
from adapters.webchat.engine_pulse import EnginePulse
from adapters.webchat.frames import event, framed
from adapters.webchat.guests import Guests
from adapters.webchat.handover import Handover
from adapters.webchat.house import House
from adapters.webchat.hub import Hub
from adapters.webchat.limits import Limits
from adapters.webchat.presence import Presence
from adapters.webchat.seating import Seating
from adapters.webchat.server import Server
from adapters.webchat.settings import WebchatSettings
from adapters.webchat.sockets import Sockets
from adapters.webchat.views import Views

logger = logging.getLogger(__name__)

#: What somebody does not read must not fill the kernel's memory either.
_KERNEL_BUFFER_BYTES = 128 * 1024
_KEEP_READS_S = 3.0
_BEGIN_AGAIN_S = 1.0
_STORE_RETRY_S = 1.0
_BYE = "Aside is being restarted. This page comes back by itself."


class Serving:
    """Puts the parts of a server together, and runs them until it is cancelled."""

    def __init__(
        self,
        *,
        settings: WebchatSettings,
        house: House,
        hub: Hub,
        handover: Handover,
        engine: EngineWatch,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._house = house
        self._now = now
        presence = Presence(hub, monotonic)
        self._desk = Desk(
            settings=settings,
            house=house,
            hub=hub,
            presence=presence,
            seating=Seating(hub, presence, Views(house, hub, presence)),
            handover=handover,
            limits=Limits(monotonic),
            engine=EnginePulse(engine, hub),
        )

    async def run(self, listener: socket.socket, listening: asyncio.Event) -> None:
        """Serve on a listening socket until cancelled; sets `listening` once people can come in."""
        # Connections inherit it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER_BYTES)
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [tasks.create_task(_lasting(*work)) for work in self._background()]
                try:
                    async with self._served(listener):
                        listening.set()
                        await asyncio.Event().wait()
                finally:
                    for task in background:
                        task.cancel()
        finally:
            await self._keep_reads()

    def _background(self) -> Sequence[tuple[str, Callable[[], Awaitable[None]]]]:
        return (
            ("fan-out", self._desk.hub.run),
            ("presence", self._desk.presence.run),
            ("seating", self._desk.seating.run),
            ("handover", self._desk.handover.run),
            ("engine watch", self._desk.engine.run),
            ("reading marks", self._keep_reading_marks),
        )

    @asynccontextmanager
    async def _served(self, listener: socket.socket) -> AsyncIterator[None]:
        sockets = Sockets()
        guests = Guests(self._settings, self._house, GuestCookie(await self._secret()), self._now)
        assets = await asyncio.to_thread(Assets.load)
        desk = replace(self._desk, page_version=assets.version)
        app = Server(desk, guests, assets, sockets).app()
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            logger.info("the web chat listens on port %d", listener.getsockname()[1])
            yield
        finally:
            self._desk.hub.tell_all(framed(event("bye", text=_BYE)))
            await sockets.close_all(CloseCode.GOING, "the server stops")
            await runner.cleanup()

    async def _secret(self) -> bytes:
        """Return what signs the cookies, as soon as the store gives it."""
        is_told = False
        while True:
            try:
                return await self._house.cookie_secret()
            except RecordsUnavailable:
                if not is_told:
                    logger.warning("the web chat waits for its record store")
                is_told = True
                await asyncio.sleep(_STORE_RETRY_S)

    async def _keep_reading_marks(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_READS_S)
            await self._keep_reads()

    async def _keep_reads(self) -> None:
        try:
            await self._house.keep_reads()
        except RecordsUnavailable:
            logger.debug("what people have read is kept later: no store")


async def _lasting(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do some work until cancelled or done; what breaks it is logged, and it begins again."""
    while True:
        try:
            return await work()
        except Exception:
            # The loop top of everything in the background: people go on talking whatever breaks one part.
            logger.exception("the web chat's %s broke off and begins again", name)
            await asyncio.sleep(_BEGIN_AGAIN_S)
