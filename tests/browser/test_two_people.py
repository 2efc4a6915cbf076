"""Two people in one group, each in a browser of their own, and the assistant one mention away."""

import pytest
from playwright.async_api import expect

from tests.browser.scripts import WORDS, HeldEngine
from tests.browser.visitor import Browsers, in_group, open_menu
from tests.browser.world import ASSISTANT


@pytest.fixture
def engine() -> HeldEngine:
    return HeldEngine()


async def test_a_mention_streams_to_both(browsers: Browsers, engine: HeldEngine) -> None:
    """Both see the reply grow, quoting who asked, and then the same finished reply once."""
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say("Nobody is asked here")
        await expect(ben.said("Nobody is asked here")).to_be_visible()
        await ann.say(f"@{ASSISTANT} please count")
        for person in (ann, ben):
            await expect(person.live.locator(".content")).to_contain_text("One two")
            await expect(person.live.locator(".quote")).to_contain_text("please count")
            await expect(person.live.locator(".badge")).to_have_text("AI")
        engine.let_go()
        for person in (ann, ben):
            await expect(person.replies.locator(".content")).to_have_text(WORDS)
            await expect(person.replies.locator(".quote")).to_contain_text("please count")
            await expect(person.live).to_have_count(0)
            await expect(person.replies).to_have_count(1)
    assert len(engine.requests) == 1


async def test_what_nobody_addresses_stays_among_people(browsers: Browsers, engine: HeldEngine) -> None:
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say("Lunch at twelve?")
        await ben.say("Yes")
        await expect(ann.said("Yes")).to_be_visible()
    assert list(engine.requests) == []


async def test_anybody_stops_a_reply(browsers: Browsers, engine: HeldEngine) -> None:
    """The other one stops it, and both see that it ended."""
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say(f"@{ASSISTANT} please count")
        await expect(ben.live.locator(".content")).to_contain_text("One two")
        await ben.live.get_by_role("button", name="Stop").click()
        for person in (ann, ben):
            await expect(person.live).to_have_count(0)
            await expect(person.replies.locator(".content").last).not_to_contain_text("ten")
    await engine.until(lambda: len(engine.cancelled) == 1)


async def test_asking_again_gives_a_second_reply(browsers: Browsers, engine: HeldEngine) -> None:
    engine.let_go()
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say(f"@{ASSISTANT} please count")
        await expect(ann.replies).to_have_count(1)
        await ann.replies.first.get_by_role("button", name="Ask again").click()
        for person in (ann, ben):
            await expect(person.replies).to_have_count(2)
            await expect(person.replies.last.locator(".quote")).to_contain_text("please count")


async def test_replying_to_the_assistant_asks_it(browsers: Browsers, engine: HeldEngine) -> None:
    """No mention is needed in a reply, and what is replied to is shown."""
    engine.let_go()
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say(f"@{ASSISTANT} please count")
        await expect(ben.replies).to_have_count(1)
        await ben.menu(ben.replies.first.locator(".bubble"), "Reply")
        await ben.say("And backwards?")
        await expect(ann.replies).to_have_count(2)
        asked = ann.page.locator("#messages .message.other", has_text="And backwards?").first
        await expect(asked.locator(".quote-name")).to_have_text(ASSISTANT)
        await expect(ann.replies.last.locator(".quote-name")).to_have_text("Ben")


async def test_an_edit_and_a_deletion_reach_the_other(browsers: Browsers) -> None:
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say("See you at noo")
        await ann.page.keyboard.press("ArrowUp")
        await expect(ann.page.locator("#composer-text")).to_have_value("See you at noo")
        await ann.page.fill("#composer-text", "See you at noon")
        await ann.page.keyboard.press("Enter")
        await expect(ben.said("See you at noon")).to_be_visible()
        await expect(ben.messages.last.locator(".meta")).to_contain_text("edited")
        await ann.menu(ann.said("See you at noon"), "Delete for everybody")
        await ann.page.get_by_role("button", name="Delete", exact=True).click()
        for person in (ann, ben):
            await expect(person.messages.last).to_contain_text("Message deleted")
            await expect(person.page.locator("#messages")).not_to_contain_text("noon")


async def test_nobody_edits_what_another_said(browsers: Browsers) -> None:
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say("Mine")
        await open_menu(ben.said("Mine"))
        await expect(ben.page.get_by_role("menuitem", name="Reply")).to_be_visible()
        await expect(ben.page.get_by_role("menuitem", name="Edit")).to_have_count(0)
        await expect(ben.page.get_by_role("menuitem", name="Delete")).to_have_count(0)


async def test_reactions_are_counted_and_taken_off(browsers: Browsers) -> None:
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say("Cake at four")
        for person in (ann, ben):
            await open_menu(person.said("Cake at four"))
            await person.page.get_by_role("button", name="React with ❤️").click()
        reaction = ann.page.locator(".reaction")
        await expect(reaction).to_have_text("❤️2")
        await expect(reaction).to_have_attribute("title", "you, Ben")
        await reaction.click()
        await expect(ben.page.locator(".reaction")).to_have_attribute("aria-label", "❤️ from you")


async def test_typing_presence_and_unread_marks(browsers: Browsers) -> None:
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await expect(ann.page.locator("#room-sub")).to_contain_text("2 online")
        await ben.page.locator("#composer-text").press_sequentially("Hello", delay=20)
        await expect(ann.page.locator("#typing")).to_contain_text("Ben")
        await ann.room(ASSISTANT).click()
        await ben.say("Hello there")
        await expect(ann.room("Planning").locator(".count")).to_contain_text("1")
        await expect(ann.page).to_have_title("(1) Aside")
        await ann.room("Planning").click()
        await expect(ann.page.locator(".unread-line")).to_have_text("New messages")
        await expect(ann.room("Planning").locator(".count")).to_have_count(0)
        await ben.context.close()
        await expect(ann.page.locator("#room-sub")).not_to_contain_text("online")


async def test_two_people_write_to_each_other_alone(browsers: Browsers, engine: HeldEngine) -> None:
    """From the members' panel, with the assistant one mention away."""
    engine.let_go()
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.page.click("#room-info")
        await ann.page.get_by_role("button", name="Write to Ben").click()
        await expect(ann.page.locator("#room-title")).to_have_text("Ben")
        await ann.say("Between us")
        await ben.room("Ann").click()
        await expect(ben.said("Between us")).to_be_visible()
        await ben.say(f"@{ASSISTANT} are you here too?")
        await expect(ann.replies).to_have_count(1)


async def test_thumbs_are_kept_and_can_be_taken_back(browsers: Browsers, engine: HeldEngine) -> None:
    engine.let_go()
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    await ann.say("please count")
    good = ann.replies.first.get_by_role("button", name="Good answer")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await ann.page.reload()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "false")
