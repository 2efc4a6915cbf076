"""What every adapter promises the core, run on every adapter there is.

A harness makes one adapter in one of its classes and can tell what a person would see. Adapters are found by their
manifests; one without a harness here fails.
"""

import asyncio
import contextlib
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.base import (
    Adapter,
    AdapterState,
    Addressed,
    ConversationKind,
    Edit,
    Idempotency,
    LiveOutput,
    Outcome,
    Purpose,
    Receipt,
    Send,
    SendsFrom,
)
from adapters.content import Content, plain
from adapters.doubt import LABEL
from adapters.errors import AdapterError, Rejected
from adapters.loopback.adapter import LoopbackAdapter
from adapters.loopback.faults import Fault
from adapters.markdown import parse
from adapters.records_memory import MemoryRecordStore
from adapters.registry import PlatformClass, manifests
from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.frames import Ack, Join, Message, Refusal, Say, Welcome
from adapters.terminal.lines import close, read_frame, write_frame
from adapters.terminal.settings import TerminalSettings
from tests.adapters.telegram.world import TelegramHarness
from tests.adapters.twilio.world import TwilioHarness
from tests.fixtures import webchat
from tests.platforms.harness import MANIFESTS, CloudHarness


class LoopbackHarness:
    """The platform in memory, in one class; it has no source of its own."""

    conversation = "room"
    source = None

    def __init__(self, idempotency):
        self.adapter = LoopbackAdapter(idempotency=idempotency, live=LiveOutput.EDIT)

    @contextlib.asynccontextmanager
    async def running(self, tmp_path):
        yield self

    async def visible(self):
        return self.adapter.texts(self.conversation)


class TerminalHarness:
    """The terminal over its real socket."""

    conversation = "direct:anna"

    def __init__(self):
        self.records = MemoryRecordStore()
        self.sink = CountingSink()

    @contextlib.asynccontextmanager
    async def running(self, tmp_path):
        tmp_path.chmod(0o700)
        self.path = tmp_path / "t.sock"
        settings = TerminalSettings(socket_path=self.path)
        self.adapter = self.source = TerminalAdapter(settings, self.records, lambda: datetime.now(UTC))
        self.task = asyncio.create_task(self.adapter.run(self.sink))
        try:
            async with asyncio.timeout(10):
                await self.adapter.listening.wait()
            yield self
        finally:
            await self.cancel()

    async def cancel(self):
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task

    def is_clean(self):
        """Whether a cancelled run left nothing open."""
        return not self.path.exists()

    async def deliver(self, key):
        """Deliver one message under a key of the platform; tell whether it was acknowledged."""
        reader, writer = await asyncio.open_unix_connection(self.path)
        try:
            await write_frame(writer, Join(person="Anna"), 5)
            await write_frame(writer, Say(id=key, text="hi"), 5)
            return isinstance(await self._next(reader, Ack | Refusal), Ack)
        finally:
            await close(writer)

    async def visible(self):
        """Read the room as somebody who joins now."""
        reader, writer = await asyncio.open_unix_connection(self.path, limit=4 * 1024 * 1024)
        try:
            await write_frame(writer, Join(person="Anna"), 5)
            await self._next(reader, Welcome)
            texts = {}
            for _ in await self.records.latest(self.conversation, 100):
                message = await self._next(reader, Message)
                texts[message.replaces or message.ref] = None if message.withdrawn else message.text
            return [text for text in texts.values() if text is not None]
        finally:
            await close(writer)

    async def _next(self, reader, kind):
        async with asyncio.timeout(5):
            while not isinstance(frame := await read_frame(reader), kind):
                assert frame is not None
            return frame


class WebchatHarness:
    """The web chat over its real HTTP and WebSocket server."""

    def __init__(self):
        self.sink = CountingSink()
        self.chat = webchat.Chat(sink=self.sink)

    @contextlib.asynccontextmanager
    async def running(self, tmp_path):
        async with self.chat.running(), self.chat.guest("Anna") as self.anna:
            self.adapter = self.source = self.chat.adapter
            tab = await self.anna.open()
            self.conversation = tab.hello["rooms"][0]["id"]
            await tab.close()
            yield self

    async def cancel(self):
        await self.chat.stop()

    def is_clean(self):
        """Whether a cancelled run left nothing open."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.adapter.port)) != 0

    async def deliver(self, key):
        """Say something under a client's id; tell whether it was acknowledged."""
        tab = await self.anna.open()
        said = await tab.asked("say", room=self.conversation, client_id=key, text="hi")
        await asyncio.wait({said})
        await tab.close()
        return said.exception() is None

    async def visible(self):
        """Read the room as a page does that is opened now."""
        tab = await self.anna.open()
        page = await tab.ask("history", room=self.conversation)
        await tab.close()
        sent = [entry for entry in page["entries"] if entry["kind"] == "sent"]
        return [words_of(entry["blocks"]) for entry in sent if not entry.get("withdrawn")]


def words_of(node):
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


class CountingSink:
    """The core's place: counts events, and fails when told to."""

    def __init__(self):
        self.events = []
        #: Presses, moves, memberships and deliveries.
        self.heard = []
        self.fails = False

    async def accept(self, event):
        if self.fails:
            raise OSError("no commit")
        is_new = event.event_key not in {seen.event_key for seen in self.events}
        self.events.append(event)
        return Receipt(outcome=Outcome.ACCEPTED if is_new else Outcome.DUPLICATE, turn_id="t")

    async def stop(self, event):
        return Receipt(outcome=Outcome.DONE)

    async def edited(self, event):
        return Receipt(outcome=Outcome.IGNORED)

    async def withdrawn(self, event):
        return Receipt(outcome=Outcome.DONE)

    async def pressed(self, event):
        return self._heard(event)

    async def moved(self, event):
        return self._heard(event)

    async def membership(self, event):
        return self._heard(event)

    async def delivered(self, event):
        return self._heard(event)

    def _heard(self, event):
        if self.fails:
            raise OSError("no commit")
        self.heard.append(event)
        return Receipt(outcome=Outcome.DONE)


HARNESSES = {
    "terminal": TerminalHarness,
    "webchat": WebchatHarness,
    "loopback": lambda: LoopbackHarness(Idempotency.NONE),
    "loopback-keyed": lambda: LoopbackHarness(Idempotency.KEYED),
    "loopback-read-back": lambda: LoopbackHarness(Idempotency.READ_BACK),
    "cloud_a": lambda: CloudHarness(PlatformClass.A, sink=CountingSink()),
    "cloud_b": lambda: CloudHarness(PlatformClass.B, sink=CountingSink()),
    "cloud_c": lambda: CloudHarness(PlatformClass.C, sink=CountingSink()),
    "twilio": lambda: TwilioHarness(CountingSink()),
    "telegram": lambda: TelegramHarness(CountingSink()),
    "telegram-polling": lambda: TelegramHarness(CountingSink(), is_polling=True),
}
#: Those of class A, those that take in events by themselves, and those besides that are told of them by webhook.
KEYED = ("terminal", "webchat", "loopback-keyed", "cloud_a")
SOURCES = ("terminal", "webchat", "telegram-polling")
WEBHOOKS = ("cloud_a", "cloud_b", "cloud_c", "twilio", "telegram")
#: Those of class C, which must say of a message that it may be there twice.
UNSURE = ("loopback", "cloud_c", "twilio", "telegram")
#: Those whose messages stay as they were sent.
UNCHANGEABLE = ("twilio",)


@pytest.fixture(params=HARNESSES, ids=str)
async def harness(request, tmp_path_factory):
    async with HARNESSES[request.param]().running(tmp_path_factory.mktemp("c")) as harness:
        yield harness


@pytest.fixture(params=[name for name in HARNESSES if name not in UNCHANGEABLE])
async def changeable(request, tmp_path_factory):
    async with HARNESSES[request.param]().running(tmp_path_factory.mktemp("c")) as harness:
        yield harness


@pytest.fixture(params=KEYED)
async def keyed(request, tmp_path_factory):
    async with HARNESSES[request.param]().running(tmp_path_factory.mktemp("c")) as harness:
        assert idempotency(harness) is Idempotency.KEYED
        yield harness


@pytest.fixture(params=UNSURE)
async def unsure(request, tmp_path_factory):
    async with HARNESSES[request.param]().running(tmp_path_factory.mktemp("c")) as harness:
        assert idempotency(harness) is Idempotency.NONE
        yield harness


@pytest.fixture(params=SOURCES + WEBHOOKS)
async def source(request, tmp_path_factory):
    async with HARNESSES[request.param]().running(tmp_path_factory.mktemp("c")) as harness:
        yield harness


@pytest.fixture(params=SOURCES)
async def runner(request, tmp_path_factory):
    async with HARNESSES[request.param]().running(tmp_path_factory.mktemp("c")) as harness:
        yield harness


def send(harness, text="hello", *, op_id="op-1", purpose=Purpose.REPLY, reply_to=None):
    content = text if isinstance(text, Content) else plain(text)
    return harness.adapter.send(
        Send(
            op_id=op_id,
            account=account_of(harness),
            conversation=harness.conversation,
            content=content,
            purpose=purpose,
            reply_to=reply_to,
        )
    )


OPERATION = Send(
    op_id="op-1", account="local", conversation="", content=plain("hello"), purpose=Purpose.REPLY
)


def edit(harness, message, text, *, op_id="op-2"):
    return harness.adapter.edit(
        Edit(
            op_id=op_id,
            account="local",
            conversation=harness.conversation,
            message=message,
            content=plain(text),
            purpose=Purpose.REPLY,
        )
    )


def account_of(harness):
    return getattr(harness, "account", "local")


def idempotency(harness):
    return harness.adapter.capabilities(harness.conversation).idempotency


def test_every_adapter_has_a_harness():
    names = {manifest.name for manifest in manifests()}
    assert names
    assert names <= set(HARNESSES)


async def test_it_is_what_its_manifest_says(harness):
    every = (*manifests(), *manifests(MANIFESTS))
    manifest = next(manifest for manifest in every if manifest.name == harness.adapter.name)
    assert manifest.sends_from is harness.adapter.sends_from
    if not isinstance(harness, LoopbackHarness):  # the loopback platform can be made in any class
        assert manifest.platform_class.idempotency is idempotency(harness)


async def test_it_has_every_method_of_the_contract(harness):
    methods = [name for name in vars(Adapter) if not name.startswith("_")]
    assert methods
    assert all(hasattr(harness.adapter, name) for name in methods)


async def test_it_says_how_it_fares(harness):
    assert harness.adapter.state in AdapterState


async def test_its_capabilities_can_be_worked_with(harness):
    allowed = harness.adapter.capabilities(harness.conversation)
    assert allowed == harness.adapter.capabilities(harness.conversation)
    assert allowed.text_limit >= 100
    assert allowed.live_min_interval_s > 0
    if harness.adapter.sends_from is SendsFrom.OWNER:
        assert allowed.live is LiveOutput.NONE


async def test_what_is_sent_is_seen_once_and_in_order(harness):
    await send(harness, "one", op_id="1")
    await send(harness, "two", op_id="2")
    assert await harness.visible() == ["one", "two"]


async def test_the_same_operation_twice_is_one_message_on_class_a(keyed):
    assert await send(keyed) == await send(keyed)
    assert await keyed.visible() == ["hello"]


async def test_the_same_operation_at_the_same_time_is_one_message_on_class_a(keyed):
    await asyncio.gather(*(send(keyed) for _ in range(5)))
    assert await keyed.visible() == ["hello"]


async def test_what_was_sent_can_be_found_on_class_b_and_where_a_look_may_help(harness):
    sent = await send(harness)
    is_looked_up = idempotency(harness) is Idempotency.READ_BACK or getattr(harness, "looks_up", False)
    found = await harness.adapter.find("op-1", account_of(harness), harness.conversation)
    assert found == (sent if is_looked_up else None)
    assert await harness.adapter.find("op-0", account_of(harness), harness.conversation) is None


async def test_an_edit_replaces_the_text_and_may_be_repeated(changeable):
    sent = await send(changeable, "one moment")
    for _ in range(2):
        assert await edit(changeable, sent.message, "the answer") == sent
    assert await changeable.visible() == ["the answer"]


async def test_an_edit_to_what_stands_changes_nothing(changeable):
    sent = await send(changeable, "hello")
    assert await edit(changeable, sent.message, "hello") == sent
    assert await changeable.visible() == ["hello"]


async def test_an_edit_of_nothing_is_an_adapter_error(harness):
    with pytest.raises(AdapterError):
        await edit(harness, "no such message", "x")


async def test_what_is_deleted_is_seen_no_more_and_deleting_may_be_repeated(changeable):
    kept, gone = await send(changeable, "kept", op_id="1"), await send(changeable, "gone", op_id="2")
    for _ in range(2):
        await changeable.adapter.delete("local", changeable.conversation, gone.message)
    assert await changeable.visible() == ["kept"]
    assert await edit(changeable, kept.message, "kept still") == kept


async def test_deleting_what_never_was_is_fine(harness):
    await harness.adapter.delete("local", harness.conversation, "no such message")
    assert await harness.visible() == []


async def test_what_was_deleted_cannot_be_edited(changeable):
    sent = await send(changeable)
    await changeable.adapter.delete("local", changeable.conversation, sent.message)
    with pytest.raises(Rejected):
        await edit(changeable, sent.message, "back again")


async def test_a_text_at_the_limit_is_sent_and_one_beyond_it_rejected(harness):
    limit = harness.adapter.capabilities(harness.conversation).text_limit
    await send(harness, "x" * limit)
    assert [len(text) for text in await harness.visible()] == [limit]
    with pytest.raises(Rejected):
        await send(harness, "x" * (limit + 1), op_id="op-2")


@pytest.mark.parametrize("kind", ["", "short", "words", "code"])
async def test_what_it_splits_can_be_sent(harness, kind):
    limit = min(harness.adapter.capabilities(harness.conversation).text_limit, 20_000)
    long = {"words": "word " * 3 * limit, "code": "```py\n" + "x = 1\n" * 2 * limit + "```"}
    markdown = long.get(kind, kind)
    parts = harness.adapter.split(markdown, harness.conversation)
    assert parts
    for number, part in enumerate(parts):
        await send(harness, parse(part), op_id=f"part-{number}")
    words = "\n".join(parts).replace("```py", "").replace("`", "").split()
    assert words == markdown.replace("```py", "").replace("`", "").split()


async def test_a_possible_duplicate_says_so_and_goes_on_saying_it_when_edited(unsure):
    doubted = replace(
        OPERATION, account=account_of(unsure), conversation=unsure.conversation, may_be_duplicate=True
    )
    sent = await unsure.adapter.send(doubted)
    [posted] = await unsure.visible()
    assert (LABEL in posted, posted.endswith("hello")) == (True, True)
    if unsure.adapter.name in UNCHANGEABLE:
        return
    again = Edit(
        op_id="op-2",
        account="local",
        conversation=unsure.conversation,
        message=sent.message,
        content=plain("edited"),
        purpose=Purpose.REPLY,
        may_be_duplicate=True,
    )
    await unsure.adapter.edit(again)
    [edited] = await unsure.visible()
    assert (LABEL in edited, edited.endswith("edited")) == (True, True)


async def test_what_it_splits_can_be_sent_under_the_label_too(unsure):
    parts = unsure.adapter.split("word " * 6_000, unsure.conversation)
    assert len(parts) > 1
    for number, part in enumerate(parts):
        again = replace(OPERATION, op_id=f"part-{number}", content=parse(part), may_be_duplicate=True)
        await unsure.adapter.send(
            replace(again, account=account_of(unsure), conversation=unsure.conversation)
        )
    assert [LABEL in seen for seen in await unsure.visible()] == [True] * len(parts)


async def test_nothing_a_model_writes_pings_or_loads(harness):
    """A mention and an image come out as the characters they are."""
    await send(harness, parse("@everyone ![x](https://example.org/x.png)"))
    dead_link = getattr(harness, "dead_link", "https://example.org/x.png")
    assert await harness.visible() == [f"@everyone x ({dead_link})"]


async def test_an_inbound_message_states_facts(source):
    assert await source.deliver("k1")
    event = source.sink.events[0]
    assert (event.adapter, event.text) == (source.adapter.name, "hi")
    assert event.sent_at.tzinfo is not None
    assert (event.addressed is Addressed.DIRECT) == (event.conversation.kind is ConversationKind.DIRECT)
    for reference in (event.event_key, event.message, event.conversation.ref, event.sender.id, event.account):
        assert 0 < len(reference) <= 255


async def test_a_duplicate_delivery_is_the_same_event(source):
    assert await source.deliver("k1")
    assert await source.deliver("k1")
    assert len({event.event_key for event in source.sink.events}) == 1
    assert len({event.message for event in source.sink.events}) == 1


async def test_our_own_messages_are_not_inbound(source):
    await send(source, "hello")
    await source.visible()
    assert source.sink.events == []


async def test_what_the_core_could_not_commit_is_not_acknowledged(source):
    source.sink.fails = True
    assert not await source.deliver("k1")
    source.sink.fails = False
    assert await source.deliver("k1")
    assert len(source.sink.events) == 1


async def test_a_cancelled_run_cleans_up(runner):
    await runner.deliver("k1")
    await runner.cancel()
    assert runner.is_clean()


class TestFaultsOfTheLoopback:
    """What a caller and a person see of each fault."""

    @pytest.mark.parametrize("fault", list(Fault))
    async def test_a_fault_is_raised_once(self, fault):
        harness = LoopbackHarness(Idempotency.NONE)
        harness.adapter.faults.next_call(fault)
        with pytest.raises(AdapterError) as raised:
            await send(harness)
        assert await harness.visible() == (["hello"] if fault is Fault.LOST_ANSWER else [])
        assert raised.value.retryable is (fault in (Fault.RETRY_AFTER, Fault.UNREACHABLE))
        await send(harness, "again", op_id="op-2")
        assert (await harness.visible())[-1] == "again"

    async def test_a_lost_answer_shows_twice_on_class_c_when_sent_again(self):
        harness = LoopbackHarness(Idempotency.NONE)
        harness.adapter.faults.next_call(Fault.LOST_ANSWER)
        with contextlib.suppress(AdapterError):
            await send(harness)
        await send(harness)
        assert await harness.visible() == ["hello", "hello"]

    async def test_a_held_call_waits_until_released(self):
        harness = LoopbackHarness(Idempotency.NONE)
        harness.adapter.faults.hold()
        sending = asyncio.create_task(send(harness))
        await harness.adapter.faults.waiting.wait()
        assert await harness.visible() == []
        harness.adapter.faults.release()
        await sending
        assert await harness.visible() == ["hello"]
