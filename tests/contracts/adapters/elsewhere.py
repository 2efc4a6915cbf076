"""Other hosts: one that leads whoever asks to another, and one that notes whoever comes."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

PNG = b"\x89PNG\r\n\x1a\n" + b"." * 50_000


@contextlib.asynccontextmanager
async def noting(body: bytes = PNG) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve a file under every path; give where, and every request with its headers as they come."""
    asked: list[str] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path_qs} {dict(request.headers)}")
        return web.Response(body=body, content_type="image/png")

    async with _serving(note) as url:
        yield url, asked


@contextlib.asynccontextmanager
async def redirecting_to(url: str) -> AsyncIterator[str]:
    """Lead everybody to what has the same path behind a URL, as a mirror does; give where."""

    async def lead(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{url}{request.path_qs}"})

    async with _serving(lead) as here:
        yield here


@contextlib.asynccontextmanager
async def _serving(handle: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
