"""How soon a real Chromium has painted the first words of a reply after the gateway has them."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from playwright.async_api import Page, async_playwright

from adapters.base import (
    EngineNow,
    Inbound,
    LivePhase,
    LiveSnapshot,
    Outcome,
    Purpose,
    Receipt,
    Send,
    StopRequested,
)
from adapters.markdown import parse
from adapters.records_memory import MemoryRecordStore
from adapters.webchat.adapter import WebchatAdapter
from adapters.webchat.settings import ACCOUNT, WebchatSettings
from bot.ingress.listening import listen

_BETWEEN_S = 0.2
_PATIENCE_MS = 15_000
#: Notes when a word of ours was painted: in a frame after it came into the document, behind the frame's end.
_WATCH = """() => {
  window.painted = {};
  const look = () => {
    for (const [, word] of document.querySelector("#log").textContent.matchAll(/(word\\d+of)/g)) {
      if (word in window.painted) continue;
      window.painted[word] = null;
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { window.painted[word] = performance.timeOrigin + performance.now(); };
        port2.postMessage(0);
      });
    }
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


class _Taking:
    """The core's place: takes everything, and tells which message came."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Inbound] = asyncio.Queue()

    async def accept(self, event: Inbound) -> Receipt:
        """Take a message."""
        self.asked.put_nowait(event)
        return Receipt(outcome=Outcome.ACCEPTED, turn_id=f"turn-{event.message}")

    async def stop(self, event: StopRequested) -> Receipt:
        """Stop nothing."""
        return Receipt(outcome=Outcome.DONE)


class _Ready:
    """An engine that is always ready."""

    async def now(self) -> EngineNow:
        """Say so."""
        return EngineNow(ready=True)


async def paint_ms(rounds: int) -> list[float]:
    """Ask so many questions on a real page, and time the first words of each reply."""
    sink = _Taking()
    async with _served(sink) as adapter, _page(adapter.address) as page:
        return [await _once(adapter, sink, page, number) for number in range(rounds)]


async def _once(adapter: WebchatAdapter, sink: _Taking, page: Page, number: int) -> float:
    await page.fill("#composer-text", f"question {number}")
    await page.press("#composer-text", "Enter")
    event = await sink.asked.get()
    turn = f"turn-{event.message}"

    def snapshot(phase: LivePhase, text: str, at: int) -> LiveSnapshot:
        return LiveSnapshot(
            turn_id=turn,
            account=ACCOUNT,
            conversation=event.conversation.ref,
            reply_to=event.message,
            phase=phase,
            text=text,
            number=at,
        )

    await adapter.show(snapshot(LivePhase.THINKING, "", 1))
    await asyncio.sleep(_BETWEEN_S)
    word = f"word{number}of"
    began_ms = time.time() * 1000
    await adapter.show(snapshot(LivePhase.STREAMING, f"{word} a reply", 2))
    await page.wait_for_function("word => Boolean(window.painted[word])", arg=word)
    ended_ms = float(await page.evaluate("word => window.painted[word]", word))
    await adapter.send(
        Send(
            op_id=turn,
            account=ACCOUNT,
            conversation=event.conversation.ref,
            content=parse(f"{word} a reply that is complete now."),
            purpose=Purpose.REPLY,
            reply_to=event.message,
        )
    )
    await asyncio.sleep(_BETWEEN_S)
    return ended_ms - began_ms


@asynccontextmanager
async def _served(sink: _Taking) -> AsyncIterator[WebchatAdapter]:
    adapter = WebchatAdapter(
        WebchatSettings(port=0),
        MemoryRecordStore(),
        lambda: datetime.now(UTC),
        engine=_Ready(),
        listen=listen,
    )
    running = asyncio.create_task(adapter.run(sink))
    try:
        await adapter.listening.wait()
        yield adapter
    finally:
        running.cancel()
        await asyncio.wait({running})


@asynccontextmanager
async def _page(address: str) -> AsyncIterator[Page]:
    """Come in, and open the direct chat with the assistant."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium") or playwright.chromium.executable_path,
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        try:
            page = await browser.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            await page.goto(address)
            await page.fill("input[name=name]", "Ann")
            await page.click("button[type=submit]")
            await page.click("#room-list a")
            await page.wait_for_selector("#composer-text")
            await page.evaluate(_WATCH)
            yield page
        finally:
            await browser.close()
