"""A process with everything imported that forks the processes of the cases: a start in milliseconds.

Reads a `Role` as JSON from each line of its standard input; ends when that is closed.
"""

import gc
import json
import os
import signal
import sys
import traceback
from typing import Any

from tests.await_points.child import Role, run
from tests.await_points.scenes import Case


def role_of(wire: dict[str, Any]) -> Role:
    """Read what a process is told."""
    return Role(**wire | {"case": Case.from_wire(wire["case"])})


def main() -> None:
    """Fork until told to end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    gc.freeze()
    for line in sys.stdin:
        role = role_of(json.loads(line))
        if os.fork() == 0:
            _be(role)


def _be(role: Role) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(0)
    try:
        run(role)
    except BaseException:  # noqa: BLE001 - told in the log, whatever it is
        sys.stderr.write(f"{role.name}:\n{traceback.format_exc()}")
        sys.stderr.flush()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
