"""Starts one command and takes it, and all it has started, down with whoever asked.

Run by path with a bare interpreter: `python -I -S guard.py CONTROL_FD GRACE_S COMMAND...`. It imports little and
nothing of this project, because it lives as long as the command. Linux only: it becomes a child subreaper
(prctl(2), PR_SET_CHILD_SUBREAPER), so that processes whose own parents died are still found here.

CONTROL_FD is one end of a socket pair. The asker writes `term SECONDS` or `kill`, a line each; when the other end
closes, for whatever reason, SIGKILL included, that means `term` with the grace given at the start. The guard writes
`pid N` or `error SENTENCE` once, and `exit N` (negative: the signal) when the command itself has ended.

To terminate is to send SIGTERM to the command alone, so that it can take its own children down in order, and
SIGKILL to every process left when the grace is over or the command has ended.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_KILL_AGAIN_S = 0.2
_LIBC = ctypes.CDLL(None, use_errno=True)


class Guard:
    """The loop: wait for the asker, for the command, and for the end of a grace."""

    def __init__(self, control_fd: int, grace_s: float, command: list[str]) -> None:
        self.control_fd = control_fd
        self.grace_s = grace_s
        self.command = command
        self.pid = 0
        self.exit_status: int | None = None
        self.kill_at_s: float | None = None
        self.unread = b""
        self.asker_is_there = True

    def run(self) -> int:
        """Start the command, stay with it, and return the status to exit with."""
        wake_fd = _wake_on_signals()
        try:
            self.pid = _start(self.command, self.control_fd)
        except OSError as exc:
            self.tell(f"error {exc.strerror}: {self.command[0]}")
            return 127
        self.tell(f"pid {self.pid}")
        while self.exit_status is None:
            self.wait(wake_fd)
        _kill_descendants()
        self.tell(f"exit {self.exit_status}")
        return self.exit_status if self.exit_status >= 0 else 128 - self.exit_status

    def wait(self, wake_fd: int) -> None:
        """Wait for the next thing to happen, and do what it asks."""
        timeout_s = None if self.kill_at_s is None else max(0.0, self.kill_at_s - time.monotonic())
        watched = [wake_fd, self.control_fd] if self.asker_is_there else [wake_fd]
        ready, _, _ = select.select(watched, [], [], timeout_s)
        if wake_fd in ready and signal.SIGTERM in os.read(wake_fd, 4096):
            self.terminate(self.grace_s)
        if self.control_fd in ready:
            self.listen()
        if self.kill_at_s is not None and time.monotonic() >= self.kill_at_s:
            _send_all(signal.SIGKILL)
            self.kill_at_s = time.monotonic() + _KILL_AGAIN_S
        self.reap()

    def listen(self) -> None:
        """Read what the asker wants; a closed end is a wish too."""
        try:
            heard = os.read(self.control_fd, 4096)
        except OSError:
            heard = b""
        if not heard:
            self.asker_is_there = False
            self.terminate(self.grace_s)
            return
        *lines, self.unread = (self.unread + heard).split(b"\n")
        for line in lines:
            word, _, rest = line.partition(b" ")
            self.terminate(float(rest) if word == b"term" else 0.0)

    def terminate(self, grace_s: float) -> None:
        """Send SIGTERM once, and set or bring forward the moment of SIGKILL."""
        if self.kill_at_s is None and grace_s > 0:
            _send(self.pid, signal.SIGTERM)
        kill_at_s = time.monotonic() + grace_s
        self.kill_at_s = kill_at_s if self.kill_at_s is None else min(self.kill_at_s, kill_at_s)

    def reap(self) -> None:
        """Collect every child that has ended, ours and those inherited."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.exit_status = os.waitstatus_to_exitcode(status)

    def tell(self, line: str) -> None:
        """Write a line to the asker, who may be gone: then `listen` sees the closed end and ends the command."""
        with contextlib.suppress(OSError):
            os.write(self.control_fd, line.encode(errors="replace") + b"\n")


def _wake_on_signals() -> int:
    """Turn SIGCHLD and SIGTERM into bytes on a pipe; what a terminal sends is the asker's business."""
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    return read_fd


def _start(command: list[str], control_fd: int) -> int:
    """Fork and execute the command in a session of its own; raise what the execution raised."""
    guard_pid = os.getpid()
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(command, guard_pid, write_fd, control_fd)
    os.close(write_fd)
    failed = os.read(read_fd, 16)
    os.close(read_fd)
    if failed:
        os.waitpid(pid, 0)
        raise OSError(int(failed), os.strerror(int(failed)))
    return pid


def _become(command: list[str], guard_pid: int, report_fd: int, control_fd: int) -> None:
    """Turn this forked process into the command; never returns."""
    try:
        os.setsid()
        os.close(control_fd)
        signal.set_wakeup_fd(-1)
        for number in (
            signal.SIGINT,
            signal.SIGHUP,
            signal.SIGQUIT,
            signal.SIGPIPE,
            signal.SIGTERM,
            signal.SIGCHLD,
        ):
            signal.signal(number, signal.SIG_DFL)
        # Should someone kill the guard itself, the command goes too.
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == guard_pid:
            os.execvp(command[0], command)  # noqa: S606 - there is nothing for a shell to do
    except OSError as exc:
        os.write(report_fd, str(exc.errno).encode())
    finally:
        os._exit(127)


def _kill_descendants() -> None:
    """Kill every process below this one, until none is left; those of killed parents come up to us."""
    while _send_all(signal.SIGKILL):
        _collect()


def _send_all(number: int) -> bool:
    """Signal every process below this one; tell whether there was any."""
    found = _descendants()
    for pid in found:
        _send(pid, number)
    return bool(found)


def _collect() -> None:
    """Wait for one child to end, and for all that have ended with it."""
    try:
        os.waitpid(-1, 0)
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _descendants() -> list[int]:
    """List every process below this one, from /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib would double the memory
        if name.isdigit():
            children.setdefault(_parent(name), []).append(int(name))
    found: list[int] = []
    front = [os.getpid()]
    while front:
        below = children.get(front.pop(), [])
        found += below
        front += below
    return found


def _parent(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123 - pathlib would double the memory
            # The second field is the name in brackets, which may hold anything.
            return int(stream.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def _send(pid: int, number: int) -> None:
    try:  # noqa: SIM105 - contextlib would have to be imported
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def main(arguments: list[str]) -> int:
    """Run the guard."""
    if _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1) != 0:
        raise OSError(ctypes.get_errno(), "this kernel has no child subreaper")
    return Guard(int(arguments[0]), float(arguments[1]), arguments[2:]).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
