"""Check of the port that the gateway listens on."""

import errno
import socket

from bot.doctor.finding import Finding, fail, ok
from bot.doctor.running import NotRunning, ask
from bot.ingress.listening import holder_of
from bot.settings import Settings


def check_gateway_port(settings: Settings) -> Finding:
    """Bind the port for a moment; where it is taken, name what holds it."""
    host, port = settings.gateway.host, settings.gateway.port
    if port == 0:
        return ok("port", "any free one")
    try:
        _bind(host, port)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            return _taken(settings)
        return fail(
            "port", f"{host} port {port}: {exc.strerror}", "Set gateway.host and gateway.port to usable ones"
        )
    return ok("port", f"{port} on {host} is free")


def _taken(settings: Settings) -> Finding:
    host, port = settings.gateway.host, settings.gateway.port
    try:
        ask(settings)
    except NotRunning:
        return fail(
            "port",
            f"{port} on {host} is taken by {holder_of(port)}",
            "Stop that, or set ASIDE_GATEWAY_PORT to another port",
        )
    return ok("port", f"{port} on {host} is held by Aside, which is running")


def _bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the gateway does, so that a port that only waits out its last connections counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)
