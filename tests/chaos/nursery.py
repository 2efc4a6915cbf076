"""Starts the processes of a run quickly: it has imported everything once and forks.

Reads a JSON object a line: {"name", "module", "argv", "env", "out"}; answers {"name", "pid"} when one was started
and {"name", "pid", "status"} when one has ended. Its children die with it, and it ends when its input does.
"""

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import sys
from typing import Any

#: What the children run; imported once, here.
MODULES = ("tests.chaos.roles", "tests.chaos.engine", "bot.bootstrap", "aiosqlite", "asyncpg")
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Start what is asked for until there is nobody to ask."""
    for module in MODULES:
        importlib.import_module(module)
    gc.freeze()
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Ctrl-C in a terminal reaches everybody at once; only the driver answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    names: dict[int, str] = {}
    _say({"ready": os.getpid()})
    unread = b""
    while True:
        readable, _, _ = select.select([0, awake], [], [])
        if awake in readable:
            os.read(awake, 4096)
        _bury(names)
        if 0 in readable:
            data = os.read(0, 1 << 16)
            if not data:
                break
            *lines, unread = (unread + data).split(b"\n")
            for line in lines:
                _start(json.loads(line), names)
    for pid in names:
        os.kill(pid, signal.SIGKILL)


def _start(order: dict[str, Any], names: dict[int, str]) -> None:
    pid = os.fork()
    if pid == 0:
        _become(order)
    names[pid] = order["name"]
    _say({"name": order["name"], "pid": pid})


def _become(order: dict[str, Any]) -> None:
    """Be the child; never returns."""
    status = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, out), (2, out)):
            os.dup2(source, target)
        os.environ.update(order["env"])
        sys.argv = [order["module"], *order["argv"]]
        sys.exit(importlib.import_module(order["module"]).main())
    except SystemExit as exc:
        status = exc.code if isinstance(exc.code, int) else 0 if exc.code is None else 1
        if isinstance(exc.code, str):
            sys.stderr.write(f"{exc.code}\n")
    except BaseException:  # noqa: BLE001 - the child's last word, whatever ended it
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _bury(names: dict[int, str]) -> None:
    while names:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        _say({"name": names.pop(pid), "pid": pid, "status": os.waitstatus_to_exitcode(status)})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
