"""Links that admit people: once or often, for a while, until they are taken back; and rooms of many."""

from playwright.async_api import expect

from tests.browser.visitor import Browsers, Visitor
from tests.browser.world import World


async def _link(visitor: Visitor, admits: str) -> str:
    """Make a link to the open group; its dialog stays open."""
    await visitor.page.click("#room-invite")
    await visitor.page.get_by_label("The link admits").select_option(label=admits)
    await visitor.page.get_by_role("button", name="Make a link").click()
    await visitor.page.wait_for_selector(".fresh-link input")
    return await visitor.page.input_value(".fresh-link input")


async def test_a_link_for_one_admits_one(browsers: Browsers) -> None:
    """The next one is told kindly, and nothing asks for a name."""
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    await ann.found_group("Planning")
    link = await _link(ann, "One person")
    ben = await browsers.visitor()
    await ben.come_in("Ben", link=link)
    await expect(ben.page.locator("#room-title")).to_have_text("Planning")
    eve = await browsers.visitor()
    await eve.page.goto(link)
    await expect(eve.page.get_by_role("alert")).to_contain_text("was used already")
    await expect(eve.page.locator("input[name=name]")).to_have_count(0)


async def test_a_link_that_was_taken_back_admits_nobody(browsers: Browsers) -> None:
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    await ann.found_group("Planning")
    link = await _link(ann, "Five people")
    await expect(ann.page.locator(".links li")).to_have_count(2)
    row = ann.page.locator(".links li", has_text="0 of 5 used")
    await row.get_by_role("button", name="Take back").click()
    await expect(row).to_have_count(0)
    eve = await browsers.visitor()
    await eve.page.goto(link)
    await expect(eve.page.get_by_role("alert")).to_contain_text("taken back")


async def test_somebody_who_is_in_already_joins_with_one_press(browsers: Browsers) -> None:
    ann, ben = await browsers.visitor(), await browsers.visitor(phone=True)
    await ann.is_in("Ann")
    link = await ann.found_group("Planning")
    await ben.is_in("Ben")
    await ben.page.goto(link)
    await ben.page.get_by_role("button", name="Join the chat").click()
    await expect(ben.page.locator("#room-title")).to_have_text("Planning")
    await expect(ann.page.locator("#room-sub")).to_contain_text("2 people")
    await ben.page.goto(link + "x")
    await expect(ben.page.locator("#toasts")).to_contain_text("link")


async def test_a_group_is_named_anew_for_everybody(browsers: Browsers) -> None:
    ann, ben = await browsers.visitor(), await browsers.visitor()
    await ann.is_in("Ann")
    await ben.is_in("Ben", link=await ann.found_group("Planning"))
    await ben.page.click("#room-info")
    await ben.page.get_by_role("button", name="Name this chat").click()
    await ben.page.fill("dialog input[name=title]", "The big plan")
    await ben.page.keyboard.press("Enter")
    await expect(ann.page.locator("#room-title")).to_have_text("The big plan")
    await expect(ann.page.locator("#messages")).to_contain_text("named this chat")


async def test_a_muted_room_does_not_call(browsers: Browsers) -> None:
    """Its count is quiet, and the tab's title does not tell of it."""
    ann, ben = await browsers.visitor(), await browsers.visitor()
    await ann.is_in("Ann")
    await ben.is_in("Ben", link=await ann.found_group("Planning"))
    await ann.page.click("#room-info")
    await ann.page.get_by_role("button", name="Mute", exact=True).click()
    await expect(ann.page.get_by_role("button", name="Unmute")).to_be_visible()
    await ann.page.locator(".room-link").first.click()
    await ben.say("Anybody?")
    await expect(ann.room("Planning").locator(".count.quiet")).to_contain_text("1")
    await expect(ann.page).to_have_title("Aside")


async def test_one_takes_another_name_and_colour(browsers: Browsers) -> None:
    """The other sees it; what was said before keeps the name it was said under."""
    ann, ben = await browsers.visitor(), await browsers.visitor()
    await ann.is_in("Ann")
    await ben.is_in("Ben", link=await ann.found_group("Planning"))
    await ben.say("As Ben")
    await ben.page.click("#me")
    await ben.page.fill("dialog input[name=name]", "Benjamin")
    await ben.page.locator("dialog .tint[data-tint=red]").click()
    await ben.page.get_by_role("button", name="Save").click()
    await expect(ben.page.locator("#me")).to_have_attribute("data-tint", "red")
    await ben.say("As Benjamin")
    await expect(ann.messages.first.locator(".name")).to_have_text("Ben")
    await expect(ann.messages.last.locator(".visually-hidden").first).to_have_text("Benjamin: ")
    await ben.page.click("#me")
    await ben.page.fill("dialog input[name=name]", "Ann")
    await ben.page.get_by_role("button", name="Save").click()
    await expect(ben.page.locator("dialog .problem")).to_be_visible()


async def test_a_room_of_five_hundred(browsers: Browsers, world: World) -> None:
    """All can be seen, page by page, and the last of them can be mentioned."""
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    link = await ann.found_group("Everybody")
    code = link.rpartition("/")[2]
    for number in range(499):
        await world.adapter._house.enter(None, f"Person {number:03}", "teal", code)
    await ann.page.reload()
    await ann.there()
    await expect(ann.page.locator("#room-sub")).to_contain_text("500 people")
    await ann.page.locator("#composer-text").press_sequentially("@498")
    await expect(ann.page.get_by_role("option", name="Person 498")).to_be_visible()
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.locator("#composer-text")).to_have_value("@Person 498 ")
    await ann.page.click("#room-info")
    more = ann.page.get_by_role("button", name="Show more people")
    for _ in range(5):
        if await more.count():
            await more.click()
            await ann.page.wait_for_timeout(50)
    await expect(ann.page.locator(".member-name")).to_have_count(501)
