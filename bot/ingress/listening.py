"""Listening on loopback or behind a declared proxy, and saying who holds the port when it is taken."""

import errno
import ipaddress
import socket

import psutil

from bot.errors import StartupError

_BACKLOG = 1024


def listen(
    host: str,
    port: int,
    *,
    behind_proxy: bool = False,
    setting: str = "gateway",
    what: str = "the gateway",
) -> socket.socket:
    """Bind and listen; port 0 takes any free one. Raises `StartupError` with what to do.

    Another address than loopback is refused unless the operator has declared that it is `behind_proxy`. `setting`
    names the section whose host and port these are.
    """
    if not behind_proxy:
        _require_loopback(host, setting, what)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.settimeout(0)
    except OSError as exc:
        listener.close()
        raise StartupError(_why_not(host, port, exc, setting)) from exc
    return listener


def _require_loopback(host: str, setting: str, what: str) -> None:
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise StartupError(
            f"{what} listens on this machine only, not on {host!r}: set {setting}.host to 127.0.0.1"
            " and let a proxy that speaks TLS (Caddy, nginx) pass the public address on to it. Where nothing but"
            " such a proxy or a port published on 127.0.0.1 can reach this address, as in a container, declare it"
            f" with {setting}.behind_proxy = true (ASIDE_{setting.upper()}_BEHIND_PROXY)"
        )


def _why_not(host: str, port: int, exc: OSError, setting: str) -> str:
    if exc.errno == errno.EADDRINUSE:
        holder = holder_of(port)
        return f"port {port} on {host} is taken by {holder}: stop that, or set {setting}.port to a free one"
    if exc.errno == errno.EACCES:
        return f"port {port} needs rights this user does not have: set {setting}.port to one above 1023"
    return f"cannot listen on {host} port {port}: {exc.strerror or exc}"


def holder_of(port: int) -> str:
    """Name the process that listens on a TCP port, as far as this user may know."""
    try:
        pids = [
            connection.pid
            for connection in psutil.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        ]
        pid = next((pid for pid in pids if pid is not None), None)
        if pid is None:
            return "a process of another user"
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return "a process that cannot be looked at"
