"""A platform that calls us: the request as it came, what to answer, and the route on the gateway."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from adapters.sink import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A webhook request, before anything is believed."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResponse:
    """What to answer a webhook."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A route on the gateway that an adapter answers; it verifies the signature on the raw bytes first."""

    path: str
    ingest: Callable[[RawRequest, Sink], Awaitable[RawResponse]]
