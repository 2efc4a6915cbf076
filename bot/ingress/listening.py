"""Listening on a loopback port, and saying who holds it when it is taken."""

import errno
import ipaddress
import socket

import psutil

from bot.errors import StartupError

_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen; port 0 takes any free one. Raises `StartupError` with what to do."""
    _require_loopback(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.settimeout(0)
    except OSError as exc:
        listener.close()
        raise StartupError(_why_not(host, port, exc)) from exc
    return listener


def _require_loopback(host: str) -> None:
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise StartupError(
            f"the gateway listens on this machine only, not on {host!r}: set gateway.host to 127.0.0.1"
            " and let a proxy that speaks TLS (Caddy, nginx) pass the public address on to it"
        )


def _why_not(host: str, port: int, exc: OSError) -> str:
    if exc.errno == errno.EADDRINUSE:
        holder = holder_of(port)
        return f"port {port} on {host} is taken by {holder}: stop that, or set gateway.port to a free one"
    if exc.errno == errno.EACCES:
        return f"port {port} needs rights this user does not have: set gateway.port to one above 1023"
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
