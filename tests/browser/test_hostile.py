"""Whatever a model or a person writes: it is text, it runs nothing, and it asks nobody for anything."""

import pytest
from playwright.async_api import expect

from engine.scripted import ScriptedEngine
from tests.browser.visitor import Browsers, in_group

HOSTILE = """<script>window.hit = 1</script>

<img src=x onerror="window.hit = 2"> <svg onload="window.hit = 3"></svg> <iframe src="javascript:window.hit=4"></iframe>

[press](javascript:window.hit=5) [data](data:text/html,<script>window.hit=6</script>) [JaVa](  JaVaScRiPt:window.hit=7)

![picture](https://evil.example/pixel.png) <https://evil.example/seen> [good](https://good.example/)

```"><script>window.hit = 8</script>
</code></pre><script>window.hit = 9</script>
```

| <b onmouseover=window.hit=10>a</b> | `</td><script>window.hit=11</script>` |
|:--|--:|
| **<i>x</i>** | [x](vbscript:window.hit=12) |

> > > > > > > > > deep **bold *both* ~~gone~~**

&lt;script&gt; &#60;script&#62; \u202egnol\u202c
"""

NAMES = ["Bobby Tables", "O'Brien -- x", "\u05d3\u05e0\u05d4", "\u0645\u0631\u064a\u0645", "W" * 32]
SAID = "<b>bold?</b> <img src=x onerror=window.hit=13> & &amp; javascript:window.hit=14 https://ok.example/a?b=c&d=<x>"


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(lambda request: HOSTILE)


async def test_hostile_markdown_is_text(browsers: Browsers) -> None:
    """No script, no frame, no picture, no handler; links lead to the web only and tell it nothing."""
    ann = await browsers.visitor()
    await ann.come_in("Ann")
    await ann.say("Say something evil")
    await expect(ann.replies).to_have_count(1)
    reply = ann.replies.first.locator(".content")
    await expect(reply).to_contain_text("window.hit = 1")
    assert await reply.locator("script, img, svg:not(.icon), iframe, object, style, form, input").count() == 0
    links = await reply.locator("a").evaluate_all(
        "links => links.map((link) => [link.protocol, link.rel, link.target])"
    )
    assert links
    assert {tuple(link) for link in links} == {("https:", "noopener noreferrer nofollow", "_blank")}
    assert await ann.page.evaluate("() => window.hit ?? null") is None
    assert [url for url in ann.asked if not url.startswith((ann.url, ann.url.replace("http", "ws")))] == []


async def test_hostile_messages_and_names_are_text(browsers: Browsers) -> None:
    async with in_group(browsers, "Ann", "O'Brien -- x") as (ann, brien):
        await brien.say(SAID)
        message = ann.messages.last.locator(".content")
        await expect(message).to_have_text(SAID)
        assert await message.locator("*:not(a):not(bdi)").count() == 0
        assert await message.locator("a").get_attribute("href") == "https://ok.example/a?b=c&d="
        await ann.page.fill("#search", "<img src=x")
        await expect(ann.page.locator("#hits mark")).to_have_text("<img src=x")
        assert await ann.page.evaluate("() => window.hit ?? null") is None


async def test_nobody_takes_the_name_of_another_or_of_the_assistant(browsers: Browsers) -> None:
    """The page says it at the name, and what was typed stays."""
    browsers.expected = ["422"]
    ann = await browsers.visitor()
    await ann.come_in("Ann")
    link = await ann.found_group("Planning")
    for name in ("Ann", "\u0410nn", "ass\u0456stant", "<script>", " "):
        other = await browsers.visitor()
        await other.page.goto(link)
        await other.page.fill("input[name=name]", name)
        await other.page.click("button[type=submit]")
        await expect(other.page.locator("#enter-problem")).to_be_visible()
        await expect(other.page.locator("input[name=name]")).to_have_value(name)
        await expect(other.page.locator("input[name=name]")).to_be_focused()


async def test_names_of_all_kinds_are_shown_whole(browsers: Browsers) -> None:
    async with in_group(browsers, "Ann", *NAMES) as people:
        for person in people[1:]:
            await person.say("Here")
        await people[0].page.click("#room-info")
        shown = await people[0].page.locator(".member-name").all_text_contents()
        assert set(NAMES) <= set(shown)
        wide = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await people[0].page.evaluate(wide)


async def test_the_policy_stops_what_would_slip_through(browsers: Browsers) -> None:
    """A script, a handler or markup that some mistake of the page let in would not run."""
    browsers.expected = ["Content Security Policy", "Trusted", "TrustedHTML", "inline"]
    ann = await browsers.visitor()
    await ann.come_in("Ann")
    refused = await ann.page.evaluate(
        """() => {
            const tries = [
                () => { document.body.innerHTML += "<p>markup</p>"; },
                () => { new DOMParser().parseFromString("<p>x</p>", "text/html"); },
                () => { document.createElement("script").text = "window.hit = 1"; },
            ];
            return tries.map((act) => { try { act(); return false; } catch { return true; } });
        }"""
    )
    assert refused == [True, True, True]
    blocked = await ann.page.evaluate(
        """() => new Promise((resolve) => {
            document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
            document.body.append(Object.assign(new Image(), { src: "https://evil.example/pixel.png" }));
        })"""
    )
    assert blocked == "img-src"
