"""Connection overrides: how long and how often a webhook is tried, written behind # in its URL.

https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides. The fragment never leaves Twilio: it is
neither sent nor signed.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urldefrag

#: Name in the fragment, attribute, smallest and largest value. The real one does without a wrong value and warns.
_NUMBERS: Final = {
    "ct": ("connect_ms", 100, 10_000),
    "rt": ("read_ms", 100, 15_000),
    "tt": ("total_ms", 100, 15_000),
    "rc": ("retries", 0, 5),
}
_POLICIES: Final = frozenset({"4xx", "5xx", "ct", "rt", "all"})
#: Options of the connection itself, of no consequence on loopback.
_OTHERS: Final = frozenset({"e", "sni"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """How one URL is tried; the defaults are the documented ones."""

    connect_ms: int = 5_000
    read_ms: int = 15_000
    total_ms: int = 15_000
    retries: int = 1
    #: What is tried again: a failed connection, a late answer, an answer of 4xx or 5xx.
    policy: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, url: str) -> tuple[str, Self]:
        """Part a configured URL into what is requested and how. Raises ValueError where Twilio would warn."""
        requested, fragment = urldefrag(url)
        overrides = cls()
        for name, value in parse_qsl(fragment, strict_parsing=True) if fragment else []:
            overrides = overrides._with(name, value)
        return requested, overrides

    def _with(self, name: str, value: str) -> Self:
        if name in _NUMBERS:
            attribute, least, most = _NUMBERS[name]
            if not least <= int(value) <= most:
                raise ValueError(f"#{name}={value}: from {least} to {most}")
            changed: dict[str, Any] = {attribute: int(value)}
            return replace(self, **changed)
        if name == "rp" and (policy := frozenset(value.split(","))) <= _POLICIES:
            return replace(self, policy=policy)
        if name in _OTHERS:
            return self
        raise ValueError(f"#{name}={value} is no connection override")

    def tries_again(self, failure: str) -> bool:
        """Tell whether such a failure (`ct`, `rt`, `4xx`, `5xx`) is tried again."""
        return "all" in self.policy or failure in self.policy
