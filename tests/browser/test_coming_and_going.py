"""Networks fail, servers restart, tabs are many: nothing is lost and nothing comes twice."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.scripts import WORDS, HeldEngine
from tests.browser.visitor import Browsers, in_group
from tests.browser.world import ASSISTANT, World

#: What Chromium itself writes to the console while there is no server or no network.
UNREACHABLE = ["WebSocket connection to", "ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION"]


@pytest.fixture
def engine() -> HeldEngine:
    return HeldEngine()


async def test_what_was_written_offline_is_sent_once_afterwards(browsers: Browsers) -> None:
    """It stands at once and says that it waits; both sides' messages arrive in order, each once."""
    browsers.expected = UNREACHABLE
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.context.set_offline(True)
        await expect(ann.page.locator("#link-state")).to_contain_text("You are offline")
        await ann.write("From the tunnel")
        await ann.write("Still in it")
        await expect(ann.page.locator(".pending")).to_have_count(2)
        await expect(ann.page.locator(".pending .state").first).to_contain_text("waiting for the connection")
        await ben.say("Where are you?")
        await ann.context.set_offline(False)
        await expect(ann.page.locator(".pending")).to_have_count(0)
        await expect(ann.page.locator("#link-state")).to_be_hidden()
        for person in (ann, ben):
            await expect(person.messages.locator(".content")).to_have_text(
                ["Where are you?", "From the tunnel", "Still in it"]
            )


async def test_an_unsent_message_survives_a_reload(browsers: Browsers, world: World) -> None:
    """Also where the server is away: it is sent when it is back, once."""
    browsers.expected = UNREACHABLE
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    await ann.context.set_offline(True)
    await ann.write("Kept in the browser")
    await expect(ann.page.locator(".pending")).to_have_count(1)
    await ann.context.set_offline(False)
    await ann.page.reload()
    await ann.there()
    await expect(ann.page.locator(".pending")).to_have_count(0)
    await expect(ann.said("Kept in the browser")).to_have_count(1)


async def test_a_restarted_server_is_found_again(browsers: Browsers, world: World) -> None:
    """The page says so, comes back by itself, and both sides have everything."""
    browsers.expected = UNREACHABLE
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say("Before")
        await world.stop()
        await ann.write("In between")
        await expect(ann.page.locator("#link-state")).to_be_visible()
        await expect(ann.page.locator(".pending")).to_have_count(1)
        await world.start()
        for person in (ann, ben):
            await expect(person.page.locator("#link-state")).to_be_hidden()
            await expect(person.messages.locator(".content")).to_have_text(["Before", "In between"])


async def test_a_reply_goes_on_for_those_who_lost_the_connection(
    browsers: Browsers, engine: HeldEngine
) -> None:
    browsers.expected = UNREACHABLE
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say(f"@{ASSISTANT} please count")
        await expect(ben.live.locator(".content")).to_contain_text("One two")
        await ben.context.set_offline(True)
        await expect(ben.page.locator("#link-state")).to_be_visible()
        engine.let_go()
        await expect(ann.replies).to_have_count(1)
        await ben.context.set_offline(False)
        await expect(ben.replies.locator(".content")).to_have_text(WORDS)
        await expect(ben.live).to_have_count(0)


async def test_five_tabs_show_the_same(browsers: Browsers, engine: HeldEngine) -> None:
    """One person's five tabs: each message once in each, the reply streams in all, and read marks follow."""
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    tabs = [ann.page, *[await ann.another_tab() for _ in range(4)]]
    await ann.say("please count")
    for tab in tabs:
        await expect(tab.locator("#under-way .live .content")).to_contain_text("One two")
        await expect(tab.locator("#messages .own")).to_have_count(1)
    await tabs[4].locator("#under-way .live").get_by_role("button", name="Stop").wait_for()
    engine.let_go()
    for tab in tabs:
        await expect(tab.locator("#messages .ai .content")).to_have_text(WORDS)
        await expect(tab.locator("#under-way .message")).to_have_count(0)


async def test_a_paste_that_is_too_long_is_told_and_kept(browsers: Browsers, engine: HeldEngine) -> None:
    """100,000 characters: said with the count, not sent, not lost, also not by a reload; shortened it goes."""
    engine.let_go()
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    await ann.page.fill("#composer-text", "word " * 20_000)
    problem = ann.page.locator("#composer-problem")
    await expect(problem).to_contain_text("100,000 characters")
    await expect(problem).to_contain_text("shorten it by 80,000")
    await expect(ann.page.locator("#send")).to_be_disabled()
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.locator(".pending")).to_have_count(0)
    await ann.page.wait_for_function(
        "() => Object.keys(localStorage).some((key) => key.startsWith('aside.draft.'))"
    )
    await ann.page.reload()
    await ann.there()
    await expect(ann.page.locator("#composer-text")).to_have_value("word " * 20_000)
    await ann.write("x" * 20_000)
    await expect(ann.messages.first).to_contain_text("Show all 20,000 characters")
    await ann.page.get_by_role("button", name="Show all").click()
    await expect(ann.messages.first.locator(".content")).to_have_text("x" * 20_000)


async def test_a_refused_message_can_be_sent_again_or_taken_back(browsers: Browsers) -> None:
    """A no of the server stands beside the message, with what one can do."""
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    # A sign that the server strips: nothing is left of the message there.
    await ann.page.fill("#composer-text", "\x07")
    await ann.page.click("#send")
    failed = ann.page.locator(".pending[data-state=failed]")
    await expect(failed).to_contain_text("not sent")
    await failed.get_by_role("button", name="Try again").click()
    await expect(failed).to_contain_text("not sent")
    await failed.get_by_role("button", name="Take back").click()
    await expect(ann.page.locator(".pending")).to_have_count(0)


async def test_too_many_messages_at_once_all_arrive(browsers: Browsers) -> None:
    """The server asks to slow down; the page does, and shows what waits."""
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        for number in range(13):
            await ann.write(f"Message {number}")
        await expect(ann.page.locator(".pending")).to_have_count(0, timeout=30_000)
        expected = [f"Message {number}" for number in range(13)]
        for person in (ann, ben):
            await expect(person.messages.locator(".content")).to_have_text(expected)


async def test_the_page_of_somebody_who_went_out_asks_for_a_name(browsers: Browsers) -> None:
    """Leaving this browser in one tab ends the other, too."""
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    other = await ann.another_tab()
    await ann.page.bring_to_front()
    await ann.page.click("#me")
    await ann.page.get_by_role("button", name="Leave this browser").click()
    await ann.page.get_by_role("button", name="Leave", exact=True).click()
    await expect(ann.page.locator("input[name=name]")).to_be_visible()
    await expect(other.locator("input[name=name]")).to_be_visible()


async def test_leaving_a_group_takes_it_from_every_tab(browsers: Browsers) -> None:
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        other = await ben.another_tab()
        await ben.page.bring_to_front()
        await ben.page.click("#room-info")
        await ben.page.get_by_role("button", name="Leave", exact=True).click()
        await ben.page.locator("dialog").get_by_role("button", name="Leave").click()
        for page in (ben.page, other):
            await expect(page.locator("#room-list a", has_text="Planning")).to_have_count(0)
        await expect(ann.page.locator("#messages")).to_contain_text("left")


async def test_the_waiting_for_nothing_ends(browsers: Browsers, world: World) -> None:
    """A server that is away for a while is met by few tries, not by a storm."""
    browsers.expected = UNREACHABLE
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    tries: list[object] = []

    def tried(socket: object) -> None:
        tries.append(socket)

    ann.page.on("websocket", tried)
    await world.stop()
    await asyncio.sleep(3)
    await world.start()
    await expect(ann.page.locator("#link-state")).to_be_hidden()
    assert 1 <= len(tries) <= 6
