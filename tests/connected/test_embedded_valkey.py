"""The embedded Valkey as a process: it starts, keeps its data, comes back, and never outlives us."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bot.errors import StartupError
from bot.servers import valkey as valkey_module
from bot.servers.valkey import EmbeddedValkey
from bot.store.redis_check import check_server
from bot.store.redis_client import open_redis
from tests.fixtures.eventually import eventually
from tests.fixtures.valkey import find_valkey


@pytest.fixture(autouse=True)
def _needs_valkey() -> None:
    find_valkey()


async def until_gone(pid: int) -> None:
    async def gone() -> bool:
        return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE

    await eventually(gone)


async def test_it_answers_and_is_fit(tmp_path):
    async with EmbeddedValkey(tmp_path / "redis") as server, open_redis(server.url) as client:
        assert (await check_server(client)).product == "Valkey"
        settings = await client.config_get("append*", "port")
    assert (settings["appendonly"], settings["appendfsync"], settings["port"]) == ("yes", "everysec", "0")


async def test_it_keeps_its_data_and_leaves_no_process(tmp_path):
    async with EmbeddedValkey(tmp_path) as server, open_redis(server.url) as client:
        await client.set("k", "v")
        pid = server.pid
    assert pid is not None
    assert not psutil.pid_exists(pid)
    async with EmbeddedValkey(tmp_path) as server, open_redis(server.url) as client:
        assert await client.get("k") == b"v"


async def test_it_comes_back_after_a_kill_and_says_both_once(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger=valkey_module.__name__)
    async with EmbeddedValkey(tmp_path) as server, open_redis(server.url) as client:
        first = server.pid
        assert first is not None
        await client.set("k", "v")
        os.kill(first, signal.SIGKILL)

        async def back() -> bool:
            return server.pid not in (None, first)

        await eventually(back)
        assert await client.get("k") == b"v"
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


async def test_a_directory_with_a_long_path_works(tmp_path):
    async with EmbeddedValkey(tmp_path / ("d" * 120)) as server, open_redis(server.url) as client:
        assert await client.ping()


async def test_a_directory_with_spaces_and_quotes_works(tmp_path):
    async with EmbeddedValkey(tmp_path / 'a "b" ü') as server, open_redis(server.url) as client:
        assert await client.ping()


async def test_a_broken_data_set_is_refused_with_the_reason(tmp_path):
    async with EmbeddedValkey(tmp_path) as server, open_redis(server.url) as client:
        await client.set("k", "v")
    manifest = next((tmp_path / "appendonlydir").glob("*.manifest"))
    manifest.write_text("no manifest\n")
    with pytest.raises(StartupError, match="manifest"):
        async with EmbeddedValkey(tmp_path):
            pass


async def test_a_second_one_on_the_same_directory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(valkey_module, "_PREDECESSOR_S", 0.1)
    async with EmbeddedValkey(tmp_path) as server:
        with pytest.raises(StartupError, match="another Aside"):
            async with EmbeddedValkey(tmp_path):
                pass
        async with open_redis(server.url) as client:
            assert await client.ping()


PARENT = """
import asyncio, sys
from pathlib import Path
from bot.servers.valkey import EmbeddedValkey

async def main():
    async with EmbeddedValkey(Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_it_dies_with_a_killed_parent_and_the_next_one_starts(tmp_path):
    with subprocess.Popen(  # noqa: ASYNC220 - it is waited for in a thread
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as parent:
        assert parent.stdout is not None
        pid = int(await asyncio.to_thread(parent.stdout.readline))
        assert psutil.pid_exists(pid)
        parent.kill()
    async with EmbeddedValkey(tmp_path) as server:
        assert server.pid != pid
        await until_gone(pid)


async def test_cancelling_the_start_leaves_no_process(tmp_path):
    async def start() -> None:
        async with EmbeddedValkey(tmp_path):
            await asyncio.Event().wait()

    starting = asyncio.create_task(start())

    async def listens() -> bool:
        return (tmp_path / "valkey.sock").exists()

    await eventually(listens)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not [
        child
        for child in psutil.Process().children(recursive=True)
        if str(tmp_path) in " ".join(child.cmdline())
    ]
