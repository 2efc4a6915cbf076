"""Long rooms: paging, jumping, searching, while the page stays small."""

import re

from playwright.async_api import expect

from tests.browser.visitor import Browsers, Visitor
from tests.browser.world import ASSISTANT, World


async def _long_room(browsers: Browsers, world: World, number: int) -> Visitor:
    """A group in which somebody has said a lot."""
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    await ann.found_group("Long")
    room = ann.page.url.rpartition("/")[2]
    me = await ann.page.evaluate("document.body.dataset.me")
    await ann.room(ASSISTANT).click()
    for at in range(number):
        await world.adapter._house.say(me, room, f"c{at}", f"Message number {at} of many", None)
    await ann.page.reload()
    await ann.there()
    await ann.room("Long").click()
    await expect(ann.said(f"Message number {number - 1} ")).to_be_visible()
    return ann


async def test_ten_thousand_messages_page_by_page(browsers: Browsers, world: World) -> None:
    """Scrolling up loads what was said before; the page never holds more than some hundreds."""
    ann = await _long_room(browsers, world, 10_000)
    log = ann.page.locator("#log")
    seen = 10_000
    for _ in range(12):
        await log.evaluate("log => { log.scrollTop = 0; }")
        first = ann.messages.first.locator(".content")
        await expect(first).not_to_have_text(re.compile(rf"number {seen} "))
        seen = int(re.findall(r"\d+", await first.inner_text())[0])
        assert await ann.messages.count() <= 300
    assert seen < 9_700
    await ann.page.click("#jump")
    await expect(ann.said("Message number 9999 ")).to_be_in_viewport()
    assert await ann.messages.count() <= 300


async def test_what_is_on_the_screen_stays_there_while_older_messages_load(
    browsers: Browsers, world: World
) -> None:
    ann = await _long_room(browsers, world, 400)
    middle = ann.page.locator("#messages .content", has_text="Message number 350 ")
    await middle.evaluate("message => message.scrollIntoView({ block: 'center' })")
    before = await middle.bounding_box()
    await expect(ann.page.locator("#messages .content", has_text="Message number 300 ")).to_have_count(1)
    after = await middle.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2


async def test_a_search_finds_and_goes_there(browsers: Browsers, world: World) -> None:
    """The hit is far above everything loaded; it is shown among its neighbours and marked."""
    ann = await _long_room(browsers, world, 900)
    await ann.room(ASSISTANT).click()
    await ann.page.fill("#search", "number 123 of")
    hit = ann.page.locator("#hits button")
    await expect(hit).to_have_count(1)
    await expect(hit.locator("mark")).to_have_text("number 123 of")
    await hit.click()
    await expect(ann.said("Message number 123 ")).to_be_in_viewport()
    await expect(ann.page.locator("#room-title")).to_have_text("Long")
    await ann.page.fill("#search", "nothing says this")
    await expect(ann.page.locator("#list-note")).to_have_text("Nothing found.")
    await ann.page.keyboard.press("Escape")
    await expect(ann.page.locator("#room-list")).to_be_visible()


async def test_somebody_who_reads_above_is_not_pulled_down(browsers: Browsers, world: World) -> None:
    """New messages are counted on the button that leads down."""
    ann = await _long_room(browsers, world, 200)
    await ann.page.locator("#log").evaluate("log => { log.scrollTop -= 2000; }")
    await expect(ann.page.locator("#jump")).to_be_visible()
    top = await ann.page.locator("#log").evaluate("log => log.scrollTop")
    bob = await browsers.visitor()
    await ann.page.click("#room-invite")
    await ann.page.get_by_role("button", name="Make a link").click()
    link = await ann.page.input_value(".fresh-link input")
    await ann.page.keyboard.press("Escape")
    await bob.is_in("Bob", link=link)
    await bob.say("Something new")
    await expect(ann.page.locator("#jump-count")).to_have_text("1")
    assert abs(await ann.page.locator("#log").evaluate("log => log.scrollTop") - top) < 2
    await ann.page.click("#jump")
    await expect(ann.said("Something new")).to_be_in_viewport()
    await expect(ann.page.locator("#jump")).to_be_hidden()
