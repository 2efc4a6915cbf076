"""Checks of the ports that the gateway and its page listen on."""

import errno
import socket

from bot.doctor.finding import Finding, fail, ok
from bot.doctor.running import NotRunning, ask
from bot.ingress.listening import holder_of
from bot.settings import Settings


def check_gateway_port(settings: Settings) -> Finding:
    """Bind the port for a moment; where it is taken, name what holds it."""
    return _check("port", settings, settings.gateway.host, settings.gateway.port, "gateway")


def check_page_port(settings: Settings) -> Finding:
    """Bind the web chat's port for a moment; where it is taken, name what holds it."""
    section = settings.webchat
    if not section.enabled:
        return ok("page", "the web chat is switched off")
    return _check("page", settings, section.host, section.port, "webchat")


def _check(name: str, settings: Settings, host: str, port: int, section: str) -> Finding:
    if port == 0:
        return ok(name, "any free one")
    try:
        _bind(host, port)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            return _taken(name, settings, host, port, section)
        return fail(
            name,
            f"{host} port {port}: {exc.strerror}",
            f"Set {section}.host and {section}.port to usable ones",
        )
    return ok(name, f"{port} on {host} is free")


def _taken(name: str, settings: Settings, host: str, port: int, section: str) -> Finding:
    try:
        ask(settings)
    except NotRunning:
        return fail(
            name,
            f"{port} on {host} is taken by {holder_of(port)}",
            f"Stop that, or set ASIDE_{section.upper()}_PORT to another port",
        )
    return ok(name, f"{port} on {host} is held by Aside, which is running")


def _bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the gateway does, so that a port that only waits out its last connections counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)
