"""Running everything in one process: on a machine like this one, and on one without embedded servers."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.terminal.client.link import Link
from adapters.terminal.client.once import ask_once
from bot.errors import StartupError
from bot.roles import run_gateway, run_up
from bot.settings import Settings
from bot.settings.sections import EngineSection, GatewaySection, LogSection, WebchatSection
from bot.turns.tasks import end
from engine.scripted import ScriptedEngine
from engine.scripted_server import serve
from tests.fixtures.deployment import free_port
from tests.fixtures.introduced import answer_of

PATIENCE_S = 30.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="aside-") as name:
        yield Path(name)


def settings_in(folder: Path, *, engine_url: str = "") -> Settings:
    settings = Settings(
        data_dir=folder,
        engine=EngineSection(url=engine_url),
        gateway=GatewaySection(port=free_port()),
        webchat=WebchatSection(port=0),
        log=LogSection(level="warning"),
    )
    settings.data.create()
    return settings


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """Run everything until it takes connections."""
    role = asyncio.ensure_future(run_up(settings))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not settings.terminal_socket.exists():
                assert not role.done(), role.exception()
                await asyncio.sleep(0.01)
        yield
    finally:
        await end({role})


async def until_said(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Wait for a role to say something, which it does beside everything else; return all it said."""
    said = ""
    async with asyncio.timeout(PATIENCE_S):
        while words not in (said := said + capsys.readouterr().out):
            await asyncio.sleep(0.01)
    return said


@pytest.mark.parametrize("servers_here", [True, False], ids=["valkey", "in-process"])
async def test_a_person_gets_an_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], servers_here: bool
) -> None:
    monkeypatch.setattr("bot.roles.embedded_servers_run_here", lambda: servers_here)
    engine = ScriptedEngine(lambda request: "noon")
    async with serve(engine) as url:
        settings = settings_in(folder, engine_url=url)
        async with running(settings):
            link = Link(settings.terminal_socket, person="ann", chat=None)
            said_first = await ask_once(link, "what time is it?", PATIENCE_S)
            assert "an AI assistant" in said_first
            assert answer_of(said_first) == "noon"
            said = await until_said("Aside is running", capsys)
    assert re.search(r"^Open it in a browser: http://127\.0\.0\.1:\d+/$", said, re.MULTILINE)
    assert ("stays in this process" in said) is not servers_here


async def test_nothing_people_write_and_nothing_the_model_answers_is_readable_in_any_file(
    folder: Path,
) -> None:
    """Database, its journal, Valkey's append-only file, logs: searched byte by byte while all of it runs."""
    engine = ScriptedEngine(lambda request: "the canary sings marmalade")
    async with serve(engine) as url:
        settings = settings_in(folder, engine_url=url)
        async with running(settings):
            link = Link(settings.terminal_socket, person="ann", chat=None)
            await ask_once(link, "what does the canary sing, pumpernickel?", PATIENCE_S)
            files = files_below(folder)
            found = [
                path
                for path in files
                if b"marmalade" in (held := path.read_bytes()) or b"pumpernickel" in held
            ]
    assert {path.suffix for path in files} >= {".sqlite", ".sqlite-wal", ".aof"}
    assert found == []
    assert "pumpernickel" in engine.requests[0].messages[-1].content


async def test_without_embedded_servers_and_without_an_engine_one_sentence_says_what_to_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.roles.embedded_servers_run_here", lambda: False)
    monkeypatch.setattr("bot.launching.embedded_servers_run_here", lambda: False)
    with pytest.raises(StartupError, match="ASIDE_ENGINE_URL"):
        await run_up(settings_in(folder))


async def test_a_gateway_of_its_own_needs_a_redis(folder: Path) -> None:
    with pytest.raises(StartupError, match="ASIDE_REDIS_URL"):
        await run_gateway(settings_in(folder))
