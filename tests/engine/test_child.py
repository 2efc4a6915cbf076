"""A child never outlives us, nor do its children, and it says how it ended."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from engine.child import Child, ChildFailed, Command, last_lines

ROOT = Path(__file__).parents[2]
#: Starts a grandchild in a session of its own, names both on the output, and stays. Says so when told to end.
FAMILY = """
    import os, signal, subprocess, sys, time
    {on_term}
    grandchild = subprocess.Popen(["sleep", "600"], start_new_session=True)
    print(os.getpid(), grandchild.pid, flush=True)
    while True:
        time.sleep(600)
"""
LEAVE_IN_ORDER = "signal.signal(signal.SIGTERM, lambda *_: (print('in order', flush=True), sys.exit(3)))"
STAY = "signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))"


def python(log: Path, source: str, **options: float) -> Command:
    argv = (sys.executable, "-c", textwrap.dedent(source))
    return Command(name="the child", argv=argv, env={"PATH": os.environ["PATH"]}, log=log, **options)


def complete_line(log: Path) -> str:
    line, end, _ = log.read_text().partition("\n") if log.exists() else ("", "", "")
    return line if end else ""


async def first_line(log: Path) -> str:
    async with asyncio.timeout(10):
        while not complete_line(log):
            await asyncio.sleep(0.01)
    return complete_line(log)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def private_kb(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))


async def gone(*pids: int) -> None:
    async with asyncio.timeout(10):
        while any(map(is_running, pids)):
            await asyncio.sleep(0.01)


async def test_exit_status_is_told(tmp_path: Path) -> None:
    async with Child(python(tmp_path / "log", "raise SystemExit(7)")) as child:
        assert await child.wait() == 7
        assert child.exit_status == 7


async def test_death_by_signal_is_told(tmp_path: Path) -> None:
    async with Child(python(tmp_path / "log", "import time; time.sleep(600)")) as child:
        assert child.exit_status is None
        os.kill(child.pid, signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL


async def test_output_goes_to_the_log_and_its_end_can_be_quoted(tmp_path: Path) -> None:
    source = "import sys\nfor i in range(50): print('line', i)\nprint('wrong', file=sys.stderr)"
    async with Child(python(tmp_path / "logs" / "child.log", source)) as child:
        await child.wait()
        assert child.last_lines(3).splitlines()[-1] in ("wrong", "line 49")
        assert len(child.last_lines(3).splitlines()) == 3
    assert mode(tmp_path / "logs" / "child.log") == 0o600


async def test_one_earlier_log_is_kept(tmp_path: Path) -> None:
    for number in range(3):
        async with Child(python(tmp_path / "log", f"print({number})")) as child:
            await child.wait()
    assert last_lines(tmp_path / "log", 9) == "2"
    assert last_lines(tmp_path / "log.1", 9) == "1"
    assert sorted(os.listdir(tmp_path)) == ["log", "log.1"]  # noqa: PTH208 - names are what is meant


async def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    command = Command(name="Valkey", argv=("/nowhere/valkey-server",), env={}, log=tmp_path / "log")
    with pytest.raises(
        ChildFailed, match="Valkey cannot be started: No such file or directory: /nowhere/valkey"
    ):
        async with Child(command):
            pass


async def test_terminate_lets_the_command_leave_in_order(tmp_path: Path) -> None:
    async with Child(python(tmp_path / "log", FAMILY.format(on_term=LEAVE_IN_ORDER))) as child:
        pid, grandchild = map(int, (await first_line(tmp_path / "log")).split())
        assert pid == child.pid
        assert await child.terminate(30) == 3
        assert child.last_lines(1) == "in order"
        await gone(grandchild)


async def test_terminate_kills_after_the_grace(tmp_path: Path) -> None:
    async with Child(python(tmp_path / "log", FAMILY.format(on_term=STAY))) as child:
        pids = map(int, (await first_line(tmp_path / "log")).split())
        assert await child.terminate(0.2) == -signal.SIGKILL
        await gone(*pids)
        assert child.last_lines(1) == "no"


async def test_kill_during_a_long_grace_ends_it_at_once(tmp_path: Path) -> None:
    async with Child(python(tmp_path / "log", FAMILY.format(on_term=STAY))) as child:
        await first_line(tmp_path / "log")
        patient = asyncio.create_task(child.terminate(600))
        await asyncio.sleep(0)
        assert await child.kill() == -signal.SIGKILL
        assert await patient == -signal.SIGKILL


async def test_leaving_ends_the_family(tmp_path: Path) -> None:
    async with Child(python(tmp_path / "log", FAMILY.format(on_term=STAY), grace_s=0.1)):
        pids = map(int, (await first_line(tmp_path / "log")).split())
    await gone(*pids)


async def test_a_cancelled_leaving_kills(tmp_path: Path) -> None:
    """A second Ctrl-C while a child takes its time does not wait for it."""

    async def hold() -> None:
        async with Child(python(tmp_path / "log", FAMILY.format(on_term=STAY), grace_s=600)):
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    pids = map(int, (await first_line(tmp_path / "log")).split())
    for _ in range(2):
        task.cancel()
        await asyncio.wait([task], timeout=0.2)
    await asyncio.wait([task], timeout=10)
    assert task.cancelled()
    await gone(*pids)


@pytest.mark.parametrize("on_term", [LEAVE_IN_ORDER, STAY], ids=["orderly", "stubborn"])
async def test_sigkill_of_the_parent_takes_child_and_grandchild_along(tmp_path: Path, on_term: str) -> None:
    command = python(tmp_path / "log", FAMILY.format(on_term=on_term), grace_s=0.2)
    parent_source = f"""
        import asyncio
        from pathlib import Path
        from engine.child import Child, Command
        async def main():
            async with Child(Command(name="x", argv={command.argv!r}, env={command.env!r},
                                     log=Path({str(command.log)!r}), grace_s={command.grace_s})):
                await asyncio.Event().wait()
        asyncio.run(main())
    """
    command_line = (sys.executable, "-c", textwrap.dedent(parent_source))
    with subprocess.Popen(command_line, cwd=ROOT) as parent:  # noqa: ASYNC220 - nothing else waits here
        pids = [int(pid) for pid in (await first_line(tmp_path / "log")).split()]
        assert all(map(is_running, pids))
        parent.kill()
        parent.wait()
    await gone(*pids)


async def test_the_guard_notices_a_daemon_whose_parent_is_gone(tmp_path: Path) -> None:
    """A process that detached itself twice is still found when the command ends."""
    source = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                print(os.getpid(), flush=True)
                time.sleep(600)
            os._exit(0)
        os.wait()
        time.sleep(600)
    """
    async with Child(python(tmp_path / "log", source)) as child:
        daemon = int(await first_line(tmp_path / "log"))
        os.kill(child.pid, signal.SIGTERM)
        await child.wait()
        await gone(daemon)


async def test_the_guard_dying_kills_the_command_and_is_reported(tmp_path: Path) -> None:
    async with Child(
        python(tmp_path / "log", "import time; print('up', flush=True); time.sleep(600)")
    ) as child:
        await first_line(tmp_path / "log")
        assert child._guard is not None
        child._guard.kill()
        assert await child.wait() == -signal.SIGKILL
        await gone(child.pid)


async def test_a_terminal_interrupt_does_not_reach_the_command(tmp_path: Path) -> None:
    """Ctrl-C goes to the foreground process group; the child decides nothing by itself."""
    async with Child(
        python(tmp_path / "log", "import time; print('up', flush=True); time.sleep(600)")
    ) as child:
        await first_line(tmp_path / "log")
        assert os.getsid(child.pid) == child.pid
        assert child._guard is not None
        assert os.getsid(child._guard.pid) != os.getsid(0)


async def test_the_environment_is_exactly_the_given_one(tmp_path: Path) -> None:
    command = Command(
        name="env",
        argv=(sys.executable, "-I", "-c", "import json, os; print(json.dumps(dict(os.environ)))"),
        env={"ONLY": "this", "LC_ALL": "C.UTF-8"},
        log=tmp_path / "log",
    )
    async with Child(command) as child:
        await child.wait()
    assert json.loads((tmp_path / "log").read_text()) == {"ONLY": "this", "LC_ALL": "C.UTF-8"}


async def test_the_guard_is_small(tmp_path: Path) -> None:
    """The guard lives as long as its command: its own memory stays below 10 MB."""
    async with Child(
        python(tmp_path / "log", "import time; print('up', flush=True); time.sleep(600)")
    ) as child:
        await first_line(tmp_path / "log")
        assert child._guard is not None
        assert 0 < private_kb(child._guard.pid) < 10_000
