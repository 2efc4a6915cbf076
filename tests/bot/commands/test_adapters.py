"""`aside adapters`: what is configured, how it fares, and what the operator must do about it."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import bot.bootstrap
from adapters.base import AdapterState, Platform
from adapters.checking import Finding, Standing
from adapters.errors import AuthFailed
from adapters.loopback.adapter import LoopbackAdapter
from bot.__main__ import main
from bot.commands.adapters import ADAPTERS, listing, report
from bot.commands.base import Command
from bot.settings import Settings
from bot.store.schema import migrate


class Checked:
    """A platform's check that finds what it is told."""

    def __init__(self, *found: Finding | Exception) -> None:
        self.found = found

    async def check(self) -> tuple[Finding, ...]:
        if isinstance(self.found[0], Exception):
            raise self.found[0]
        return self.found


GOOD = Finding(name="token", standing=Standing.OK, found="It is @aside_bot.")
WARNED = Finding(name="privacy", standing=Standing.WARN, found="It is on.", remedy="Switch it off.")
BAD = Finding(name="webhook", standing=Standing.FAIL, found="Nobody answers.", remedy="Open port 443.")


def run_with(monkeypatch: pytest.MonkeyPatch, platform: Platform, name: str = "loopback") -> int:
    """Check a platform that is put in the place of those of the settings."""

    @asynccontextmanager
    async def opened(_: Settings) -> AsyncIterator[Mapping[str, Platform]]:
        yield {"loopback": platform}

    monkeypatch.setattr(bot.bootstrap, "open_platforms", opened)
    return parsed(ADAPTERS, ["check", name])


def parsed(command: Command, words: list[str]) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    arguments: Namespace = parser.parse_args(words)
    return asyncio.run(arguments.action(arguments, Settings()))


@pytest.mark.parametrize("state", list(AdapterState), ids=str)
def test_every_state_that_is_not_well_says_what_to_do(state: AdapterState) -> None:
    [line] = listing({"telegram": state.value}).splitlines()
    name, shown, *todo = line.split(maxsplit=2)
    assert (name, shown) == ("telegram", state.value)
    assert bool(todo) is (state is not AdapterState.CONNECTED)
    assert "{" not in line


def test_what_runs_is_shown_beside_what_does_not() -> None:
    shown = listing({"webchat": "connected", "telegram": "not running"})
    assert [line.split()[0] for line in shown.splitlines()] == ["telegram", "webchat"]


def test_a_remedy_stands_below_what_it_mends() -> None:
    lines = report([GOOD, WARNED, BAD]).splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "warn", "→", "FAIL", "→"]
    assert lines[-1].endswith("Open port 443.")


@pytest.mark.parametrize(("found", "status"), [([GOOD, WARNED], 0), ([GOOD, BAD], 1)], ids=["warned", "bad"])
def test_only_what_does_not_work_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: list[Finding], status: int
) -> None:
    platform = Platform(adapter=LoopbackAdapter(), checks=Checked(*found))
    assert run_with(monkeypatch, platform) == status
    assert found[-1].found in capsys.readouterr().out


def test_a_platform_that_cannot_be_asked_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    platform = Platform(adapter=LoopbackAdapter(), checks=Checked(AuthFailed("the token is refused")))
    assert run_with(monkeypatch, platform) == 1
    assert "AuthFailed: the token is refused" in capsys.readouterr().out


def test_what_calls_nobody_has_nothing_to_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with(monkeypatch, Platform(adapter=LoopbackAdapter())) == 0
    assert "nothing to check" in capsys.readouterr().out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A deployment of defaults that does not run."""
    settings = Settings(data_dir=tmp_path)
    settings.data.create()
    asyncio.run(migrate(settings.database_url))
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> int:
    monkeypatch.setenv("ASIDE_GATEWAY_PORT", "1")
    return main(["adapters", *words, "--data-dir", str(folder)])


def test_configured_adapters_are_listed_although_nothing_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert run(monkeypatch, folder) == 0
    out = capsys.readouterr().out
    assert "Aside is not running" in out
    assert [line.split()[0] for line in out.splitlines() if line.endswith("not running")] == [
        "terminal",
        "webchat",
    ]


def test_checking_what_is_not_configured_names_what_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert run(monkeypatch, folder, "check", "pigeon") != 0
    assert "pigeon is not configured here (configured: terminal, webchat)" in capsys.readouterr().err
