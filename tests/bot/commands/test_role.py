"""A role ends by itself, drains at the first signal and is ended at the second, with its children."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bot.commands.role import run_role
from bot.errors import StartupError
from bot.settings import Settings

DRAINS = """
import asyncio, sys
from pathlib import Path
from bot.commands.role import run_role
from bot.settings import Settings

async def role(settings):
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    print(child.pid, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("draining", flush=True)
        if "stuck" in sys.argv:
            await asyncio.Event().wait()
        child.kill()
        await child.wait()
        print("drained", flush=True)

sys.exit(run_role("test", role, Settings(data_dir=Path(sys.argv[1]))))
"""


@pytest.fixture
def start(tmp_path):
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", DRAINS, str(tmp_path), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def line(stream) -> str:
    ready, _, _ = select.select([stream], [], [], 30)
    assert ready, "nothing was said within 30 s"
    return stream.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_the_first_signal_drains_and_says_so(start, number):
    process = start()
    child = int(line(process.stdout))
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out.split()) == (0, ["draining", "drained"])
    assert err.strip() == (
        "Stopping: running turns may take 20 s to end. Press Ctrl-C again to stop at once."
    )
    assert not psutil.pid_exists(child)


def test_a_second_signal_ends_it_with_its_children(start):
    process = start("stuck")
    child = psutil.Process(int(line(process.stdout)))
    process.send_signal(signal.SIGINT)
    assert line(process.stdout) == "draining"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_role_that_ends_by_itself_gives_its_status(tmp_path: Path):
    program = DRAINS.split("async def role", maxsplit=1)[0] + (
        "async def role(settings):\n    return 7\n"
        "sys.exit(run_role('test', role, Settings(data_dir=Path(sys.argv[1]))))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (7, b"")
    assert (tmp_path / "logs" / "test.log").exists()


async def failing(settings: Settings) -> int:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(refuse())
    return 0


async def refuse() -> None:
    raise StartupError("the port is taken")


def test_an_expected_error_of_a_roles_task_is_raised_by_itself(tmp_path):
    with pytest.raises(StartupError, match="the port is taken"):
        run_role("test", failing, Settings(data_dir=tmp_path))


async def stumble() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise RuntimeError("a surprise") from None


async def surprised(settings: Settings) -> int:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(refuse())
        tasks.create_task(stumble())
    return 0


def test_a_surprise_among_them_is_not_hidden(tmp_path):
    with pytest.raises(ExceptionGroup) as caught:
        run_role("test", surprised, Settings(data_dir=tmp_path))
    assert [type(error) for error in caught.value.exceptions] == [StartupError, RuntimeError]


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "logs" / "test.log").mkdir(parents=True)
    with pytest.raises(StartupError, match=r"The log .*test\.log cannot be written: Is a directory"):
        run_role("test", failing, Settings(data_dir=tmp_path))
