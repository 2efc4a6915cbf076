"""The embedded Valkey's configuration, as text."""

import os
from pathlib import Path


def valkey_config(*, data: Path, socket: Path) -> str:
    """Write the configuration: reachable only by this user on a unix socket, durable to the second, never evicting."""
    lines = [
        "port 0",
        f"unixsocket {_quoted(socket)}",
        "unixsocketperm 700",
        f"dir {_quoted(data)}",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
        "daemonize no",
        'logfile ""',
    ]
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    """Quote a path as the configuration's reader undoes it (sds.c, sdssplitargs); raises ValueError for odd bytes."""
    text = os.fspath(path.absolute())
    if not text.isprintable():
        raise ValueError(f"a path with control characters cannot be used: {text!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
