"""One person before one page: what they do there, what they see, and what the browser complained about."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

#: A bound on every wait of a test; reached only by a failure.
PATIENCE_MS = 15_000
#: Milliseconds: nothing a person sees at once takes longer than this.
expect.set_options(timeout=PATIENCE_MS)


@dataclass(kw_only=True)
class Visitor:
    """A browser of its own (cookies, storage) with one page."""

    context: BrowserContext
    page: Page
    url: str
    #: Every error and warning of the page, in the browser's words.
    complaints: list[str] = field(default_factory=list)
    #: Every address the page asked for.
    asked: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> Page:
        """Note what a page complains of and asks for."""
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._requested)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _requested(self, request: Request) -> None:
        self.asked.append(request.url)

    async def come_in(self, name: str, *, link: str = "", tint: str = "teal") -> None:
        """Open the page, or an invitation, and take a name."""
        await self.page.goto(link or self.url)
        await self.page.fill("input[name=name]", name)
        await self.page.locator(f".tint[data-tint={tint}]").click()
        await self.page.click("button[type=submit]")
        await self.there()

    async def is_in(self, name: str, *, link: str = "", tint: str = "teal") -> None:
        """Be somebody already, without the page that asks for a name."""
        code = link.rpartition("/")[2]
        await self.context.request.post(
            f"{self.url}/enter",
            data={"name": name, "colour": tint, "code": code},
            headers={"Origin": self.url, "Sec-Fetch-Site": "same-origin"},
            fail_on_status_code=True,
        )
        await self.page.goto(self.url)
        await self.there()

    async def there(self) -> None:
        """Wait until the chats are shown."""
        await self.page.wait_for_selector("#room-list a", state="attached")

    async def found_group(self, title: str) -> str:
        """Make a group; return a link that admits everybody."""
        if not await self.page.locator("#new-chat").is_visible():
            await self.page.click("#back")
        await self.page.click("#new-chat")
        await self.page.get_by_role("menuitem", name="New group").click()
        await self.page.fill("dialog input[name=title]", title)
        await self.page.click("dialog button[type=submit]")
        await self.page.get_by_role("button", name="Make a link").click()
        await self.page.wait_for_selector(".fresh-link input")
        link = await self.page.input_value(".fresh-link input")
        await self.page.keyboard.press("Escape")
        await expect(self.page.locator("dialog")).to_have_count(0)
        return link

    async def say(self, text: str) -> None:
        """Write a message and send it; it stands when this returns."""
        await self.write(text)
        await expect(self.page.locator(".pending")).to_have_count(0)
        await expect(self.said(text)).to_be_visible()

    async def write(self, text: str) -> None:
        """Write a message and press the button."""
        await self.page.fill("#composer-text", text)
        await self.page.click("#send")

    def said(self, text: str) -> Locator:
        """The newest message with that text."""
        return self.page.locator("#messages .message .content", has_text=text).last

    @property
    def messages(self) -> Locator:
        """Everything said, the assistant's replies under way not counted."""
        return self.page.locator("#messages .message:not(.event)")

    @property
    def replies(self) -> Locator:
        """The assistant's stored messages."""
        return self.page.locator("#messages .message.ai")

    @property
    def live(self) -> Locator:
        """The assistant's messages that are under way."""
        return self.page.locator("#under-way .message.live")

    async def texts(self) -> list[str]:
        """What every message says, oldest first."""
        return [text.strip() for text in await self.messages.locator(".content").all_text_contents()]

    def room(self, title: str) -> Locator:
        """A room in the list."""
        return self.page.locator(
            "#room-list a", has=self.page.locator(".room-name").get_by_text(title, exact=True)
        )

    async def menu(self, message: Locator, item: str) -> None:
        """Choose something from a message's menu."""
        await open_menu(message)
        await self.page.get_by_role("menuitem", name=item).click()

    async def another_tab(self) -> Page:
        """Open one more tab of the same browser, on the same room."""
        page = self.watch(await self.context.new_page())
        await page.goto(self.page.url)
        await page.wait_for_selector("#conversation:not([hidden])")
        return page


async def open_menu(message: Locator) -> None:
    """Press the right button where a message begins: its end holds the time."""
    await message.click(button="right", position={"x": 4, "y": 4})


class Browsers:
    """Opens visitors for one test, and looks at their consoles in the end."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url.rstrip("/")
        self.visitors: list[Visitor] = []
        #: Complaints a test has brought about on purpose: each is a part of a message.
        self.expected: list[str] = []

    async def visitor(
        self, *, width: int = 1280, height: int = 800, dark: bool = False, phone: bool = False, **more: object
    ) -> Visitor:
        """Open a browser of somebody's own."""
        if phone:
            width, height = 390, 844
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            is_mobile=phone,
            **more,
        )
        page = await context.new_page()
        visitor = Visitor(context=context, page=page, url=self._url)
        visitor.watch(page)
        self.visitors.append(visitor)
        return visitor

    @property
    def complaints(self) -> list[str]:
        """What the consoles hold that no test has asked for."""
        heard = [complaint for visitor in self.visitors for complaint in visitor.complaints]
        return [each for each in heard if not any(part in each for part in self.expected)]

    async def close(self) -> None:
        """Close everything."""
        await asyncio.gather(*(visitor.context.close() for visitor in self.visitors))


@asynccontextmanager
async def in_group(browsers: Browsers, *names: str) -> AsyncIterator[list[Visitor]]:
    """Put people into one group; the first made it."""
    people = [await browsers.visitor() for _ in names]
    await people[0].is_in(names[0])
    link = await people[0].found_group("Planning")
    for person, name in zip(people[1:], names[1:], strict=True):
        await person.is_in(name, link=link)
        await expect(person.page.locator("#room-title")).to_have_text("Planning")
    yield people
