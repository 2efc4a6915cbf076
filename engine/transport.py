"""The connection to the engine: its address, a session for it, and what its failures mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from engine.errors import EngineError, EngineFailed, EngineMisbehaved, EngineNotReady

_UNIX = "http+unix"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineAddress:
    """Where an engine listens: a base URL, and the unix socket that stands in for its host, if any."""

    base: str
    socket: Path | None = None

    @classmethod
    def parse(cls, url: str, *, uds: Path | None = None) -> Self:
        """Read `http://host:port`, `https://host/prefix` or `http+unix:///path/to/socket`.

        A trailing `/v1` is dropped. `uds` makes any URL go through that socket. Raises `ValueError` with a
        sentence for people.
        """
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            raise ValueError("the engine's URL must not hold a name or password: set its API key instead")
        if parts.scheme == _UNIX:
            if parts.netloc or len(parts.path) < 2:  # noqa: PLR2004 - a slash and one character
                raise ValueError(f"{url!r} is not an engine's URL: write http+unix:///path/to/socket")
            return cls(base="http://engine", socket=uds or Path(parts.path))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                f"{url!r} is not an engine's URL: write http://host:port, https://host or http+unix:///path"
            )
        path = parts.path.rstrip("/").removesuffix("/v1")
        return cls(base=f"{parts.scheme}://{parts.netloc}{path}", socket=uds)

    def __str__(self) -> str:
        """Say it for people."""
        return f"unix socket {self.socket}" if self.socket else self.base

    def session(self, *, connect_s: float) -> aiohttp.ClientSession:
        """Open a session for this address.

        Every request has a connection of its own: one that idled may be half closed, and a request sent into
        it could not be told from one that the engine had begun. How many there are is the caller's to limit.
        """
        connector = (
            aiohttp.UnixConnector(path=str(self.socket), limit=0, force_close=True)
            if self.socket
            else aiohttp.TCPConnector(limit=0, force_close=True)
        )
        # Reading has no limit here: the request's own clocks bound it.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s)
        return aiohttp.ClientSession(connector=connector, timeout=timeout)


#: Raised before anything of the request was sent: the only failures after which it may be sent again.
NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

#: What aiohttp raises and what it means for the caller; the first match wins.
FAULTS: tuple[tuple[type[aiohttp.ClientError], type[EngineError], str], ...] = (
    (aiohttp.ClientSSLError, EngineNotReady, "the engine's certificate or TLS is not accepted"),
    (aiohttp.ServerFingerprintMismatch, EngineNotReady, "the engine's certificate is not the expected one"),
    (aiohttp.ClientConnectorError, EngineNotReady, "the engine cannot be reached"),
    (aiohttp.ConnectionTimeoutError, EngineNotReady, "the engine does not take connections"),
    (aiohttp.InvalidURL, EngineMisbehaved, "the engine's address is not a URL"),
    (aiohttp.RedirectClientError, EngineMisbehaved, "the engine redirects to something that is no URL"),
    (aiohttp.NonHttpUrlClientError, EngineMisbehaved, "the engine's address is not HTTP"),
    (aiohttp.ClientResponseError, EngineMisbehaved, "the engine's answer is not HTTP"),
    (aiohttp.ClientPayloadError, EngineFailed, "the engine's answer broke off"),
    (aiohttp.UploadAbortedError, EngineFailed, "the engine closed the connection on the request"),
    (aiohttp.ClientConnectionError, EngineFailed, "the connection to the engine broke"),
)


@contextmanager
def translated(address: EngineAddress) -> Iterator[None]:
    """Turn every failure of the connection inside into the `EngineError` the caller can act on."""
    try:
        yield
    except aiohttp.ClientError as exc:
        raise to_engine_error(exc, address) from exc


def to_engine_error(exc: aiohttp.ClientError, address: EngineAddress) -> EngineError:
    """Look the failure up in `FAULTS`."""
    reason = (exc.strerror if isinstance(exc, OSError) else None) or type(exc).__name__
    for kind, error, sentence in FAULTS:
        if isinstance(exc, kind):
            return error(f"{sentence} at {address} ({reason})")
    return EngineFailed(f"the connection to the engine failed at {address} ({reason})")


async def read_bounded(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """Read a whole body; raises `EngineMisbehaved` past the limit."""
    parts = bytearray()
    while data := await response.content.readany():
        parts += data
        if len(parts) > limit_bytes:
            raise EngineMisbehaved(f"the engine's answer is larger than {limit_bytes} bytes")
    return bytes(parts)


def jittered(seconds: float, share: float) -> float:
    """Spread a wait between half of it and all of it, by a share from 0 to 1."""
    return seconds * (0.5 + share / 2)
