"""Phone and desktop, light and dark, keyboard and screen reader: the page is for everybody."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from adapters.base import EngineNow
from engine.scripted import ScriptedEngine
from tests.browser.scripts import HeldEngine
from tests.browser.visitor import Browsers, in_group
from tests.browser.world import ASSISTANT, World

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
RICH = """A **table**, a list and some code:

| Day | Cost |
|:--|--:|
| Friday | 420 |

1. One
2. Two

```python
print("hello")
```

> Quoted, with a [link](https://example.org/).
"""


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(lambda request: RICH)


async def _serious(page: Page) -> list[dict[str, Any]]:
    """What axe-core finds that matters, by its own weighing."""
    # The page's policy forbids scripts from elsewhere: the debugger's door is not the page's.
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    run = "axe.run(document).then((found) => JSON.stringify(found.violations))"
    answer = await session.send(
        "Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True}
    )
    violations = json.loads(answer["result"]["value"])
    return [
        {"rule": each["id"], "where": [node["target"] for node in each["nodes"]], "why": each["help"]}
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_axe_finds_nothing_serious(browsers: Browsers, dark: bool, phone: bool) -> None:
    """Door, list, conversation with everything in it, panel, menu and dialogs."""
    # Half-way through a movement everything is pale.
    ann = await browsers.visitor(dark=dark, phone=phone, reduced_motion="reduce")
    await ann.page.goto(ann.url)
    assert await _serious(ann.page) == []
    await ann.come_in("Ann")
    link = await ann.found_group("Planning")
    ben = await browsers.visitor()
    await ben.come_in("Ben", link=link)
    await ben.say("Hello \U0001f600 https://example.org/")
    await ann.say(f"@{ASSISTANT} please")
    await expect(ann.replies).to_have_count(1)
    assert await _serious(ann.page) == []
    await ann.page.click("#room-info")
    assert await _serious(ann.page) == []
    await ann.page.keyboard.press("Escape")
    await ann.replies.first.locator(".who").click(button="right")
    assert await _serious(ann.page) == []
    await ann.page.keyboard.press("Escape")
    await ann.page.click("#room-invite")
    assert await _serious(ann.page) == []
    await ann.page.keyboard.press("Escape")
    if phone:
        await ann.page.click("#back")
        assert await _serious(ann.page) == []


async def test_a_phone_shows_one_pane_and_goes_back(browsers: Browsers) -> None:
    ann = await browsers.visitor(phone=True)
    await ann.come_in("Ann")
    await ann.page.click("#back")
    await expect(ann.page.locator("#room")).to_be_hidden()
    await ann.room(ASSISTANT).click()
    await expect(ann.page.locator("#room-list")).to_be_hidden()
    await ann.page.go_back()
    await expect(ann.page.locator("#room-list")).to_be_visible()
    await ann.page.go_forward()
    await expect(ann.page.locator("#composer-text")).to_be_visible()


async def test_a_long_press_opens_the_menu(browsers: Browsers) -> None:
    ann = await browsers.visitor(phone=True)
    await ann.come_in("Ann")
    await ann.say("Press me")
    await expect(ann.replies).to_have_count(1)
    await ann.said("Press me").scroll_into_view_if_needed()
    box = await ann.said("Press me").bounding_box()
    assert box is not None
    session = await ann.context.new_cdp_session(ann.page)
    point = {"x": box["x"] + 5, "y": box["y"] + 5}
    await session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    await expect(ann.page.get_by_role("menuitem", name="Edit")).to_be_visible()
    await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await ann.page.get_by_role("menuitem", name="Reply").click()
    await expect(ann.page.locator("#quoting")).to_contain_text("Press me")


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (640, 400), (1280, 800)], ids=str)
async def test_nothing_is_wider_than_the_screen(browsers: Browsers, width: int, height: int) -> None:
    """Also with long words, wide tables, and at 200 % zoom (1280 as 640)."""
    ann = await browsers.visitor(width=width, height=height)
    await ann.come_in("A" * 32)
    await ann.say("please " + "Donaudampfschifffahrtsgesellschaft" * 12)
    await expect(ann.replies).to_have_count(1)
    for selector in ("html", "#log"):
        fits = "element => element.scrollWidth <= element.clientWidth"
        assert await ann.page.locator(selector).evaluate(fits), selector
    await expect(ann.page.locator("#composer-text")).to_be_in_viewport()


async def test_dark_is_dark(browsers: Browsers) -> None:
    for dark in (False, True):
        visitor = await browsers.visitor(dark=dark)
        await visitor.come_in(f"Ann {dark}")
        colour = await visitor.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        light = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
        assert (light < 60) is dark


async def test_everything_by_the_keyboard_alone(browsers: Browsers) -> None:
    """Come in, make a group, mention by completion, reply from the messages, change the room, ask for the keys."""
    ann = await browsers.visitor()
    page, press = ann.page, ann.page.keyboard.press
    await page.goto(ann.url)
    await page.keyboard.type("Ann")
    await press("Enter")
    await ann.there()
    await page.locator("#new-chat").focus()
    await press("Enter")
    await expect(page.get_by_role("menuitem", name="New group")).to_be_focused()
    await press("Enter")
    await page.keyboard.type("By keys")
    await press("Enter")
    await expect(page.locator("dialog")).to_contain_text("Invite people")
    await press("Escape")
    await expect(page.locator("#room-title")).to_have_text("By keys")
    await page.locator("#composer-text").focus()
    await page.keyboard.type("@as")
    await expect(page.get_by_role("option", name=ASSISTANT)).to_have_attribute("aria-selected", "true")
    await press("Enter")
    await page.keyboard.type("please")
    await press("Shift+Enter")
    await page.keyboard.type("in two lines")
    await press("Enter")
    await expect(ann.said("please\nin two lines")).to_have_text(f"@{ASSISTANT} please\nin two lines")
    await expect(ann.replies).to_have_count(1)
    await press("Alt+m")
    await expect(ann.replies.first).to_be_focused()
    await press("ArrowUp")
    await press("r")
    await expect(page.locator("#quoting")).to_contain_text("please in two lines")
    await press("Escape")
    await expect(page.locator("#quoting")).to_be_hidden()
    await press("Alt+m")
    await press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()
    await press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await press("Alt+ArrowUp")
    await expect(page.locator("#room-title")).to_have_text(ASSISTANT)
    await page.locator("#me").focus()
    await press("?")
    await expect(page.locator("dialog")).to_contain_text("Keys")
    await press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)


async def test_the_tab_key_reaches_what_matters_and_shows_where_it_is(browsers: Browsers) -> None:
    ann = await browsers.visitor()
    await ann.come_in("Ann")
    await ann.say("Hello")
    await expect(ann.replies).to_have_count(1)
    await ann.page.evaluate("() => document.activeElement.blur()")
    reached = set()
    for _ in range(30):
        await ann.page.keyboard.press("Tab")
        where = await ann.page.evaluate(
            """() => {
                const at = document.activeElement;
                const style = getComputedStyle(at.matches(".message") ? at.querySelector(".bubble") : at);
                const isSeen = style.outlineStyle !== "none" || at.id === "composer-text" || at === document.body;
                return [at.id || at.className, isSeen];
            }"""
        )
        reached.add(where[0])
        assert where[1], where
    assert {"new-chat", "me", "search", "room-link", "room-info", "composer-text", "send"} <= reached
    assert any("message" in where for where in reached)


async def test_a_screen_reader_hears_finished_messages_only(browsers: Browsers, world: World) -> None:
    """The live region says the whole reply once; the growing one is quiet."""
    ann = await browsers.visitor()
    await ann.come_in("Ann")
    await ann.page.evaluate(
        """() => {
            window.heard = [];
            new MutationObserver(() => window.heard.push(document.getElementById("announce").textContent))
                .observe(document.getElementById("announce"), { childList: true, characterData: true, subtree: true });
        }"""
    )
    await ann.say("please")
    await expect(ann.replies).to_have_count(1)
    await ann.page.wait_for_function("() => window.heard.length > 0")
    heard = await ann.page.evaluate("() => window.heard.filter(Boolean)")
    assert len(heard) == 1
    assert heard[0].startswith(f"{ASSISTANT}: A table, a list and some code")
    assert await ann.page.locator("#log").get_attribute("aria-live") == "off"


async def test_reduced_motion_stands_still(browsers: Browsers) -> None:
    ann = await browsers.visitor(reduced_motion="reduce")
    await ann.come_in("Ann")
    await ann.say("please")
    durations = await ann.page.evaluate(
        "() => document.getAnimations().map((animation) => animation.effect.getComputedTiming().duration)"
    )
    assert all(duration < 1 for duration in durations)


async def test_right_to_left_text_stands_right(browsers: Browsers) -> None:
    async with in_group(browsers, "Ann", "\u05d3\u05e0\u05d4") as (ann, dana):
        await dana.say("\u05e9\u05dc\u05d5\u05dd \u05dc\u05db\u05d5\u05dc\u05dd")
        await ann.say("Hello all")
        for text, direction in (("\u05e9\u05dc\u05d5\u05dd", "rtl"), ("Hello all", "ltr")):
            assert (
                await ann.said(text).evaluate("element => getComputedStyle(element).direction") == direction
            )


async def test_the_first_contact_says_what_is_seen_and_kept(browsers: Browsers) -> None:
    ann = await browsers.visitor()
    await ann.come_in("Ann")
    card = ann.page.locator(".intro")
    await expect(card).to_contain_text(f"What @{ASSISTANT} sees")
    await expect(card).to_contain_text("What is kept")
    await expect(card).to_contain_text("It can be wrong")


async def test_the_code_of_a_reply_can_be_copied(browsers: Browsers) -> None:
    ann = await browsers.visitor(permissions=["clipboard-read", "clipboard-write"])
    await ann.come_in("Ann")
    await ann.say("please")
    await ann.replies.first.get_by_role("button", name="Copy this code").click()
    assert await ann.page.evaluate("() => navigator.clipboard.readText()") == 'print("hello")'
    await ann.replies.first.get_by_role("button", name="Copy the answer").click()
    assert (await ann.page.evaluate("() => navigator.clipboard.readText()")).startswith("A **table**")


class TestWarming:
    """While the engine starts."""

    @pytest.fixture
    def engine(self) -> HeldEngine:
        return HeldEngine(free=0)

    async def test_the_page_says_how_far_the_engine_is(
        self, browsers: Browsers, world: World, engine: HeldEngine
    ) -> None:
        """With progress; a question asked meanwhile is answered when it is ready."""
        world.engine_face.state = EngineNow(ready=False, text="the model is loading", share=0.4)
        ann = await browsers.visitor()
        await ann.come_in("Ann")
        await expect(ann.page.locator("#engine-text")).to_contain_text("the model is loading")
        await expect(ann.page.locator("#engine-share")).to_have_attribute("value", "0.4")
        await ann.say("Are you there?")
        await expect(ann.live).to_have_count(1)
        world.engine_face.state = EngineNow(ready=True)
        await expect(ann.page.locator("#engine")).to_be_hidden()
        engine.let_go()
        await expect(ann.replies).to_have_count(1)
