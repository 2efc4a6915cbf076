"""What a person waits for at a start, and what it holds when idle: `python -m bench.start [--json]`.

Runs `make run` on a data directory where everything is installed already: seconds until somebody can talk to it,
seconds until the embedded model is ready, and the memory of everything but vLLM after a quiet while.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

from bench.report import Aim, Report, conclude

ROOT = Path(__file__).parents[1]
PATIENCE_S = 600.0
POLL_S = 0.05
#: Seconds of quiet before the memory is read.
QUIET_S = 5.0


def accepts(path: Path) -> bool:
    """Tell whether a terminal could connect now."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def engine_state(port: int) -> str:
    """Ask the gateway for the engine's state."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5) as answer:
        return str(json.load(answer)["engine"]["state"])


def memory_mb(pid: int) -> float:
    """Add up what the processes hold for themselves, vLLM's left out (USS: what would be free without them)."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    ours = [process for process in processes if not _is_engine(process)]
    return sum(process.memory_full_info().uss for process in ours) / 2**20


def _is_engine(process: psutil.Process) -> bool:
    command = " ".join(process.cmdline()).lower()
    return ("vllm" in command or "multiprocessing" in command) and "guard.py" not in command


def seconds_until(condition: Callable[[], bool], began_s: float) -> float:
    """Wait, a bounded while, until a condition holds; return the seconds since the beginning."""
    while not condition():
        if time.perf_counter() - began_s > PATIENCE_S:
            raise TimeoutError(f"not within {PATIENCE_S:g} s")
        time.sleep(POLL_S)
    return time.perf_counter() - began_s


def measure(data_dir: Path) -> Report:
    """Start, watch, and stop."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environ = os.environ | {"ASIDE_GATEWAY_PORT": str(port), "ASIDE_WEBCHAT_PORT": "0"}
    command = ["make", "-s", "run", f"DATA_DIR={data_dir}"]
    began_s = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        usable_s = seconds_until(lambda: accepts(data_dir / "run" / "terminal.sock"), began_s)
        ready_s = seconds_until(lambda: engine_state(port) == "ready", began_s)
        time.sleep(QUIET_S)
        idle_mb = memory_mb(process.pid)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
    return Report(
        name="start",
        figures={"usable_s": usable_s, "ready_s": ready_s, "idle_mb": idle_mb},
        aims={
            "usable_s": Aim(5.0, at_most=True),
            "ready_s": Aim(75.0, at_most=True),
            "idle_mb": Aim(250.0, at_most=True),
        },
    )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--long", action="store_true", help="the same: one start is what it is")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var", help="where everything is installed")
    args = parser.parse_args()
    conclude(measure(args.data_dir.absolute()), as_json=args.json)


if __name__ == "__main__":
    main()
