"""The proxy passes everything on, and spoils it as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.chaos.proxy import Proxy, Upstream

PATIENCE_S = 20.0


class Echo(asyncio.Protocol):
    """Says back what it hears."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


@asynccontextmanager
async def echoing() -> AsyncIterator[Proxy]:
    """Put a proxy before a server."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Proxy("echo", Upstream(port=port)).listening() as proxy:
        yield proxy


@asynccontextmanager
async def line(proxy: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect through a proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> bytes:
    writer.write(text)
    return await reader.readexactly(len(text))


@pytest.fixture(autouse=True)
async def patience() -> AsyncIterator[None]:
    async with asyncio.timeout(PATIENCE_S):
        yield


async def test_bytes_pass_both_ways_and_an_end_is_passed_on() -> None:
    async with echoing() as proxy, line(proxy) as (reader, writer):
        text = b"x" * 300_000
        assert await said(reader, writer, text) == text
        writer.write_eof()
        assert await reader.read() == b""


async def test_a_cut_resets_what_is_open_and_takes_new_ones() -> None:
    async with echoing() as proxy:
        async with line(proxy) as (reader, writer):
            assert await said(reader, writer, b"hello") == b"hello"
            assert proxy.cut()
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1)
        async with line(proxy) as (reader, writer):
            assert await said(reader, writer, b"again") == b"again"


async def test_who_is_refused_is_refused_until_it_heals() -> None:
    async with echoing() as proxy:
        proxy.refuse()
        async with line(proxy) as (reader, writer):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await said(reader, writer, b"hello")
        proxy.heal()
        async with line(proxy) as (reader, writer):
            assert await said(reader, writer, b"hello") == b"hello"


async def test_what_is_stalled_arrives_when_it_heals() -> None:
    async with echoing() as proxy, line(proxy) as (reader, writer):
        assert await said(reader, writer, b"hello") == b"hello"
        proxy.stall()
        answer = asyncio.ensure_future(said(reader, writer, b"late"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asyncio.shield(answer)
        proxy.heal()
        assert await answer == b"late"


async def test_an_upstream_that_is_away_closes_the_connection() -> None:
    async with echoing() as proxy:
        proxy.upstream = Upstream(port=1)
        async with line(proxy) as (reader, _):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
