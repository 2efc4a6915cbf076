"""Asking the gateway that runs on this machine how it is."""

import json
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from bot.settings import Settings

TIMEOUT_S = 5.0


class NotRunning(Exception):
    """Nothing answers there; the sentence says what was tried."""


def ask(settings: Settings) -> dict[str, Any]:
    """Ask the gateway for its status. Raises `NotRunning` when it does not answer properly."""
    return _fetch(settings, "/status", expected="waiting")


def require_ready(settings: Settings) -> None:
    """Raise `NotRunning` unless the gateway can accept mentions."""
    _fetch(settings, "/readyz", expected="ready")


def _fetch(settings: Settings, path: str, *, expected: str) -> dict[str, Any]:
    url = _base(settings) + path
    # Never through a proxy: the gateway is on this machine.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as response:
            body = json.load(response)
    except URLError as exc:
        # HTTPError is a URLError with a status: something answers, but not well.
        status = getattr(exc, "code", None)
        raise NotRunning(_not_well(url, status) if status else _nobody(url)) from exc
    except (OSError, ValueError) as exc:
        raise NotRunning(_not_ours(url)) from exc
    if not isinstance(body, dict) or expected not in body:
        raise NotRunning(_not_ours(url))
    return body


def _base(settings: Settings) -> str:
    # A gateway in a container listens on every address; from beside it, loopback is the one to ask.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.gateway.host, settings.gateway.host)  # noqa: S104 - not bound here
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.gateway.port}"


def _nobody(url: str) -> str:
    return (
        f"Aside is not running: nothing answers at {url}. Start it with `make run` or `aside up`; "
        "if it listens elsewhere, set gateway.host and gateway.port."
    )


def _not_well(url: str, status: int) -> str:
    return (
        f"Aside answers at {url}, but cannot tell its status now (HTTP {status}). `aside doctor` may say why."
    )


def _not_ours(url: str) -> str:
    return f"Something else answers at {url}. Set gateway.port to the port that Aside's gateway listens on."
