"""What the page weighs and is made of."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.visitor import Browsers

WEBCHAT = Path(__file__).parents[2] / "adapters" / "webchat"
STATIC = WEBCHAT / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
#: Everything by which a text can become markup or code.
SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|createContextualFragment"
    r"|\beval\(|new Function|import\("
)
FIRST_LOAD_BYTES = 100_000


async def test_the_first_load_is_light_and_asks_nobody_else(browsers: Browsers) -> None:
    """All that a newcomer's browser fetches for the chat, compressed, with headers; from this server only."""
    ann = await browsers.visitor()
    await ann.come_in("Ann")
    session = await ann.context.new_cdp_session(ann.page)
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    await session.send("Network.enable")
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await ann.page.reload()
    await ann.there()
    await expect(ann.page.locator(".intro")).to_be_visible()
    assert len(sizes) >= len(SCRIPTS)
    assert sum(sizes) <= FIRST_LOAD_BYTES
    assert [url for url in ann.asked if not url.startswith((ann.url, ann.url.replace("http", "ws")))] == []


def test_every_module_is_named_in_the_shell() -> None:
    """So that a browser asks for all of them at once."""
    shell = (WEBCHAT / "shell.html").read_text(encoding="utf-8")
    listed = re.findall(r'"([\w/]+)"', shell[shell.index("for module in") : shell.index("modulepreload")])
    modules = {path.relative_to(STATIC).with_suffix("").as_posix() for path in SCRIPTS} - {"main", "entry"}
    assert SCRIPTS
    assert set(listed) == modules


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_module_turns_text_into_markup_or_code(path: Path) -> None:
    assert SINKS.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_modules_are_small_and_say_what_they_are_for(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= 300
