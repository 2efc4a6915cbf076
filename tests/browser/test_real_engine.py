"""The page as people have it: `aside up` as a process of its own, on real vLLM, in front of two real browsers."""

import asyncio
import re
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.browser.visitor import Browsers, Visitor, in_group
from tests.fixtures.deployment import Deployment, free_port
from tests.fixtures.vllm import RealVllm

pytestmark = [pytest.mark.real_engine, pytest.mark.timeout(400)]

#: Milliseconds a real model may take for what the scripted one does at once; reached only by a failure.
MODEL_MS = 150_000
STORY = "@assistant Tell me a long story about a lighthouse and the people in it."
#: What a browser says of a server that is away; the page itself says it to the person.
AWAY = ("WebSocket connection to", "net::ERR_CONNECTION_REFUSED", "net::ERR_INTERNET_DISCONNECTED")


@pytest_asyncio.fixture(loop_scope="session")
async def deployment(vllm: RealVllm) -> AsyncIterator[Deployment]:
    """A running `aside up` on the session's vLLM."""
    with tempfile.TemporaryDirectory(prefix="aside-") as folder:
        opened = Deployment(
            data_dir=Path(folder) / "var",
            env={
                "ASIDE_ENGINE_URL": vllm.url,
                "ASIDE_ENGINE_MAX_REPLY_TOKENS": "96",
                "ASIDE_ENGINE_TEMPERATURE": "0",
                "ASIDE_WORKER_LEASE_S": "3",
                "ASIDE_GATEWAY_PORT": str(free_port()),
                "ASIDE_WEBCHAT_PORT": str(free_port()),
            },
        )
        try:
            await opened.until_reachable(opened.start("up"))
            yield opened
        finally:
            await asyncio.to_thread(opened.end)


@pytest_asyncio.fixture(loop_scope="session")
async def browsers(browser: Browser, deployment: Deployment) -> AsyncIterator[Browsers]:
    """Opens browsers on the deployment's page."""
    browsers = Browsers(browser, f"http://127.0.0.1:{deployment.env['ASIDE_WEBCHAT_PORT']}/")
    try:
        yield browsers
    finally:
        complaints = browsers.complaints
        await browsers.close()
    assert complaints == []


async def stands(replies: Locator, count: int) -> None:
    """Wait until so many finished replies stand."""
    await expect(replies).to_have_count(count, timeout=MODEL_MS)


async def streams(person: Visitor) -> None:
    """Wait until some words of a reply are shown."""
    growing = person.page.locator(".message.live[data-phase=streaming] .content")
    await expect(growing).to_contain_text(re.compile(r"\w+ \w+"), timeout=MODEL_MS)


async def test_two_people_see_a_stream_stop_one_ask_again_and_follow_up(browsers: Browsers) -> None:
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say("@assistant What is the capital of France?")
        await asyncio.gather(streams(ann), streams(ben))
        await asyncio.gather(stands(ann.replies, 1), stands(ben.replies, 1))
        answer = await ann.replies.first.locator(".content").text_content()
        assert answer
        await expect(ben.replies.first.locator(".content")).to_have_text(answer)
        await expect(ben.replies.first.locator(".quote")).to_contain_text("capital of France")

        await ben.say(STORY)
        await streams(ann)
        await ann.live.get_by_role("button", name="Stop").click()
        await stands(ben.replies, 2)
        await expect(ben.replies.last).to_contain_text(re.compile("stopped", re.IGNORECASE))

        await ben.replies.last.get_by_role("button", name="Ask again").click()
        await asyncio.gather(stands(ann.replies, 3), stands(ben.replies, 3))

        await ben.menu(ben.replies.first.locator(".bubble"), "Reply")
        await ben.say("Say that again in one word.")
        await asyncio.gather(stands(ann.replies, 4), stands(ben.replies, 4))
        await expect(ann.replies.last.locator(".quote")).to_contain_text("in one word")


async def test_the_server_is_killed_in_the_middle_of_a_reply_and_comes_back(
    browsers: Browsers, deployment: Deployment
) -> None:
    """The page says so, comes back by itself, and the reply stands once for both."""
    browsers.expected += AWAY
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say(STORY)
        await asyncio.gather(streams(ann), streams(ben))
        (up,) = deployment.processes
        up.send_signal(signal.SIGKILL)
        up.wait()
        await ben.write("Are you still there?")
        await expect(ben.page.locator(".pending")).to_have_count(1)
        await deployment.until_reachable(deployment.start("up"))
        for person in (ann, ben):
            await stands(person.replies, 1)
            await expect(person.live).to_have_count(0, timeout=MODEL_MS)
            await expect(person.said("Are you still there?")).to_be_visible(timeout=MODEL_MS)
            await expect(person.messages).to_have_count(3)
