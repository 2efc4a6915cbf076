"""A headless Chromium, a running web chat, and the rule that its console stays clean."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright

from engine.scripted import ScriptedEngine
from tests.browser.visitor import Browsers
from tests.browser.world import World, open_world
from tests.fixtures.services import missing

HERE = Path(__file__).parent
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _chromium(playwright: Playwright) -> str:
    """Find Debian's Chromium, or Playwright's own."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.executable_path
    missing("Chromium", "apt-get install chromium, or python -m playwright install chromium")
    raise AssertionError("unreachable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests in one event loop, in which one Chromium lives."""
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium for all tests, each with browsers' windows of its own; root has no sandbox."""
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=_chromium(playwright), args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture
def engine() -> ScriptedEngine:
    """What answers; a test module says otherwise by a fixture of the same name."""
    return ScriptedEngine(lambda request: "Of course.")


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path, engine: ScriptedEngine) -> AsyncIterator[World]:
    """A running web chat."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(open_world(tmp_path, engine))


@pytest_asyncio.fixture(loop_scope="session")
async def browsers(browser: Browser, world: World) -> AsyncIterator[Browsers]:
    """Opens browsers; whatever a test does, no page may complain of it."""
    browsers = Browsers(browser, world.url)
    try:
        yield browsers
    finally:
        complaints = browsers.complaints
        await browsers.close()
    assert complaints == []
