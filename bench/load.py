"""A load generator in a process of its own: keep-alive connections, one request in flight on each.

It speaks just enough HTTP/1.1 to keep a Python server busy without being the bottleneck: requests are written
before the clock starts, and of an answer only its status and length are read.
"""

import argparse
import asyncio
import json
import time
from collections import deque
from dataclasses import asdict, dataclass

from bench.webhook_adapter import SIGNATURE, body_of, sign

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_TEXT = (
    "@assistant could you translate the last message into Portuguese, please? It is about Friday's meeting."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One round of load, as the generator's command line says it."""

    port: int
    path: str
    secret: str
    #: The first message's number: events of different rounds must differ.
    first: int
    requests: int
    #: Of those, this many come before the clock starts.
    warm_up: int = 500
    connections: int = 96
    chats: int = 1_000
    people: int = 100_000


class Caller(asyncio.Protocol):
    """One connection: sends the next request when the answer to the last one is complete."""

    def __init__(self, round_: "Round") -> None:
        """Join a round."""
        self._round = round_
        self._transport: asyncio.Transport | None = None
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        """Take an answer, or a part of one."""
        self._unread = self._unread + data if self._unread else data
        end = self._unread.find(_END_OF_HEAD)
        if end < 0:
            return
        head = self._unread[:end].lower()
        at = head.find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._unread) < end + len(_END_OF_HEAD) + length:
            return
        self._unread = b""
        self._round.answered(ok=head[9:12] == b"200")
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the round when the server gave up on a connection in use."""
        self._round.lost(exc)

    def _next(self) -> None:
        assert self._transport is not None
        if self._round.waiting:
            self._transport.write(self._round.waiting.popleft())


class Round:
    """The requests of one round and the clock over them."""

    def __init__(self, load: Load) -> None:
        """Write every request beforehand."""
        numbers = range(load.first, load.first + load.requests)
        self.waiting: deque[bytes] = deque(_request(load, number) for number in numbers)
        self.done = asyncio.get_running_loop().create_future()
        self._load = load
        self._answers = 0
        self._failed = 0
        self._began = 0.0

    def answered(self, *, ok: bool) -> None:
        """Count an answer."""
        self._answers += 1
        self._failed += not ok
        if self._answers == self._load.warm_up:
            self._began = time.perf_counter()
        if self._answers == self._load.requests:
            self.done.set_result(time.perf_counter() - self._began)

    def lost(self, exc: Exception | None) -> None:
        """Fail the round unless it is over."""
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"the server closed a connection: {exc}"))

    async def run(self) -> dict[str, float]:
        """Send everything; return the rate, the answers that were not 200, and the generator's own load."""
        loop = asyncio.get_running_loop()
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(self._load.connections):
            await loop.create_connection(lambda: Caller(self), "127.0.0.1", self._load.port)
        took_s = await self.done
        busy = (time.process_time() - cpu) / (time.perf_counter() - wall)
        counted = self._load.requests - self._load.warm_up
        return {"per_s": counted / took_s, "failed": self._failed, "generator_busy": busy}


def _request(load: Load, number: int) -> bytes:
    body = body_of(number, _TEXT, chats=load.chats, people=load.people)
    head = (
        f"POST {load.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{SIGNATURE}: {sign(load.secret.encode(), body)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _run(load: Load) -> dict[str, float]:
    return await Round(load).run()


def arguments(load: Load) -> list[str]:
    """Write a load as the command line that runs it."""
    return ["-m", "bench.load", json.dumps(asdict(load))]


def main() -> None:
    """Run one round and print its figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("load", help="a round, as JSON")
    load = Load(**json.loads(parser.parse_args().load))
    print(json.dumps(asyncio.run(_run(load))))


if __name__ == "__main__":
    main()
