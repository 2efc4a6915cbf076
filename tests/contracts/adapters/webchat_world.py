"""The web chat over its real HTTP and WebSocket server, as the adapter contract runs it."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from adapters.base import Inbound, Purpose, Send
from adapters.content import plain
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.harness import Deliver
from tests.contracts.adapters.sink import HeardSink
from tests.fixtures.webchat import Chat, Guest

_OURS = "the page and its store are ours, in this process"


class WebchatHarness:
    """A server of its own; Anna has her own room and a group."""

    account = "local"
    handle = "@assistant"
    secrets = ()
    #: The page counts Markdown and shows blocks: these are a fence's own signs.
    fenced = len("```\n\n```")
    lacks = {  # noqa: RUF012 - nobody writes to it
        Ability.UNSURE: "its store keeps one message for an operation, so that none is ever in doubt",
        Ability.LIFETIME: "the running source is its lifetime",
        Ability.WEBHOOK: "people come in by a page of ours, with a cookie of ours",
        Ability.BODY_SIGNED: "no webhook, no signature",
        Ability.FORMS: "frames are JSON",
        Ability.HORIZON: "what is said is told at once, and until that is decided",
        Ability.OTHER_BOTS: "whoever has a page open is a person",
        Ability.ECHOES: "it hands over what people say and nothing else",
        Ability.CAPTIONS: "the page takes words alone",
        Ability.TOGETHER: "the page takes words alone",
        Ability.PRESSES: "its buttons are frames of their own: stop, and saying it again",
        Ability.MOVES: "a room keeps its id",
        Ability.MEMBERSHIPS: "who is in a room is the page's own business",
        Ability.REPORTS: "what is stored has arrived",
        Ability.RATE_LIMITS: _OURS,
        Ability.LOST_ANSWERS: _OURS,
        Ability.WINDOWS: "it takes messages at any time",
        Ability.MEDIA: "the page takes words alone",
    }

    def __init__(self) -> None:
        self.sink = HeardSink()
        self.chat = Chat(sink=self.sink)
        self._numbers = itertools.count(1)

    @contextlib.asynccontextmanager
    async def running(self, _folder: Path, *, call_s: float = 5.0) -> AsyncIterator["WebchatHarness"]:
        """Serve it, and let Anna in."""
        async with self.chat.running():
            self.adapter = self.source = self.chat.adapter
            async with self._come_in() as self.conversation:
                yield self

    @contextlib.asynccontextmanager
    async def _come_in(self) -> AsyncIterator[str]:
        async with self.chat.guest("Anna") as self.anna:
            tab = await self.anna.open()
            room = str(tab.hello["rooms"][0]["id"])
            self.group = (await tab.ask("create", title="Team", client_id="c"))["id"]
            self.invitation = (await tab.ask("invite", room=self.group))["url"].rpartition("/")[2]
            await tab.close()
            yield room

    async def cancel(self) -> None:
        """Stop serving."""
        await self.chat.stop()

    async def run_again(self) -> None:
        """Serve the same adapter once more; Anna's cookie is still good, at another port."""
        self.chat.task = asyncio.create_task(self.adapter.run(self.sink))
        async with asyncio.timeout(10):
            await self.adapter.listening.wait()
        self.anna.address = f"http://127.0.0.1:{self.adapter.port}"

    def is_clean(self) -> bool:
        """Whether a cancelled run left nothing open."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.adapter.port)) != 0

    async def deliver(self, key: str) -> bool:
        """Say something under a client's id."""
        return await self._asked("say", room=self.conversation, client_id=key, text="hi")

    async def hear(self, text: str, *, pictured: bool = False) -> Inbound:
        """Let Anna write in the group."""
        await self._ask(self.anna, "say", room=self.group, client_id=self._id(), text=text)
        return self.sink.events[-1]

    async def hear_reply(self, quoted: str, *, of_ours: bool) -> Inbound:
        """Let Anna reply to Ben, or to us, in the group."""
        ref = await (self._posted(quoted) if of_ours else self._said_by_ben(quoted))
        said = {"room": self.group, "client_id": self._id(), "text": "and?", "reply_to": ref}
        await self._ask(self.anna, "say", **said)
        return self.sink.events[-1]

    async def _said_by_ben(self, text: str) -> str:
        async with self.chat.guest("Ben", self.invitation) as ben:
            said = await self._ask(ben, "say", room=self.group, client_id=self._id(), text=text)
            return str(said["ref"])

    async def _posted(self, text: str) -> str:
        operation = Send(
            op_id="r",
            account=self.account,
            conversation=self.group,
            content=plain(text),
            purpose=Purpose.REPLY,
        )
        return (await self.adapter.send(operation)).message

    async def happening(self, what: Ability) -> Deliver:
        """Let Anna change something, take it back, or ask to stop."""
        asked: dict[str, Any] = {"room": self.conversation}
        if what is not Ability.STOPS:
            said = await self._ask(self.anna, "say", **asked, client_id=self._id(), text="one")
            asked["ref"] = said["ref"]
        if what is Ability.EDITS:
            asked |= {"client_id": self._id(), "text": "two"}
        do = {Ability.EDITS: "edit", Ability.WITHDRAWALS: "withdraw", Ability.STOPS: "stop"}[what]

        async def deliver() -> bool:
            return await self._asked(do, **asked)

        return deliver

    async def visible(self) -> list[str]:
        """Read the room as a page does that is opened now."""
        page = await self._ask(self.anna, "history", room=self.conversation)
        sent = [entry for entry in page["entries"] if entry["kind"] == "sent"]
        return [words_of(entry["blocks"]) for entry in sent if not entry.get("withdrawn")]

    async def _ask(self, guest: Guest, do: str, **details: Any) -> Any:
        tab = await guest.open()
        try:
            return await tab.ask(do, **details)
        finally:
            await tab.close()

    async def _asked(self, do: str, **details: Any) -> bool:
        tab = await self.anna.open()
        answer = await tab.asked(do, **details)
        await asyncio.wait({answer})
        await tab.close()
        return answer.exception() is None

    def _id(self) -> str:
        return f"id{next(self._numbers)}"


def words_of(node: Any) -> str:
    """Read the page's nodes as the characters a person sees."""
    if isinstance(node, str):
        return node
    match node:
        case ["a", text, url]:
            return text if text == url else f"{text} ({url})"
        case ["code", _, text] | ["c", text]:
            return text
        case ["h", _, *inlines] | ["ol", _, *inlines]:
            return words_of(inlines)
        case ["p" | "b" | "i" | "s" | "ul" | "quote", *inlines]:
            return words_of(inlines)
        case _:
            return "".join(map(words_of, node))
