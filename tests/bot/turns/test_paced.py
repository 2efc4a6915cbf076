"""An adapter with a pacer in front of it: what goes, what waits, and what a 429 means for the rest."""

import asyncio
from dataclasses import replace

import pytest

from adapters.base import Edit, LiveOutput, Platform, Purpose, Send, SendsFrom
from adapters.content import plain
from adapters.errors import Ambiguous, RateScope, RetryAfter
from adapters.loopback.adapter import LoopbackAdapter
from adapters.pacing import CALM_US, Bucket, PacingScope, Priority
from adapters.pacing_memory import MemoryPacer
from bot.turns.paced import GRANT_LASTS_S, PacedAdapter, PacedDrafts, PacedTyping, paced, priority_of
from tests.fixtures.clocks import ManualClock

ONE = (Bucket(scope=PacingScope.CONVERSATION, count=1, per_s=60),)


class Platformed(LoopbackAdapter):
    """The platform in memory, which refuses what it is told to."""

    def __init__(self, buckets=()):
        super().__init__(live=LiveOutput.EDIT, typing_lasts_s=5)
        self._capabilities = replace(self._capabilities, buckets=buckets)
        self.refusals = []
        self.calls = []

    def _called(self, what):
        self.calls.append(what)
        if self.refusals:
            raise self.refusals.pop(0)

    async def send(self, op):
        self._called("send")
        return await super().send(op)

    async def edit(self, op):
        self._called("edit")
        return await super().edit(op)

    async def delete(self, account, conversation, message):
        self._called("delete")

    async def find(self, op_id, account, conversation):
        self._called("find")

    async def typing(self, account, conversation):
        self._called("typing")

    async def draft(self, account, conversation, turn_id, content, links=frozenset()):
        self._called("draft")


class Rig:
    def __init__(self, buckets=()):
        self.clock = ManualClock()
        self.inner = Platformed(buckets)
        self.pacer = MemoryPacer(self.clock.monotonic)
        self.adapter = PacedAdapter(self.inner, self.pacer, monotonic=self.clock.monotonic)
        self.typing = PacedTyping(self.inner, self.adapter)
        self.drafts = PacedDrafts(self.inner, self.adapter)

    def send(self, conversation="family", op_id="op", purpose=Purpose.REPLY):
        return self.adapter.send(
            Send(
                op_id=op_id,
                account="bot",
                conversation=conversation,
                content=plain("hello"),
                purpose=purpose,
            )
        )

    def edit(self, message, *, live, op_id="op"):
        return self.adapter.edit(an_edit(message, live=live, op_id=op_id))


def an_edit(message="m", *, live, op_id="op", purpose=Purpose.REPLY):
    return Edit(
        op_id=op_id,
        account="bot",
        conversation="family",
        message=message,
        content=plain("more"),
        purpose=purpose,
        live=live,
    )


def a_send(purpose):
    return Send(op_id="o", account="a", conversation="c", content=plain("x"), purpose=purpose)


@pytest.mark.parametrize(
    ("op", "priority"),
    [
        pytest.param(a_send(Purpose.REPLY), Priority.FINAL, id="reply"),
        pytest.param(a_send(Purpose.NOTICE), Priority.FINAL, id="notice"),
        pytest.param(a_send(Purpose.PLACEHOLDER), Priority.FIRST, id="first sign"),
        pytest.param(an_edit(live=True), Priority.EDIT, id="live edit"),
        pytest.param(an_edit(live=False), Priority.FINAL, id="last edit"),
        pytest.param(an_edit(live=False, purpose=Purpose.NOTICE), Priority.FINAL, id="notice edited in"),
    ],
)
def test_how_much_an_operation_matters(op, priority):
    assert priority_of(op) is priority


async def test_what_may_go_goes():
    rig = Rig()
    sent = await rig.send()
    await rig.edit(sent.message, live=True)
    await rig.edit(sent.message, live=False)
    await rig.typing.typing("bot", "family")
    assert rig.inner.calls == ["send", "edit", "edit", "typing"]


async def test_what_may_not_go_never_reaches_the_platform():
    rig = Rig(ONE)
    await rig.send()
    with pytest.raises(RetryAfter) as told:
        await rig.send(op_id="second")
    assert told.value.seconds == pytest.approx(60)
    with pytest.raises(RetryAfter):
        await rig.typing.typing("bot", "family")
    assert rig.inner.calls == ["send"]


async def test_a_429_stops_edits_and_signs_and_lets_one_final_text_through():
    rig = Rig()
    sent = await rig.send()
    rig.inner.refusals = [RetryAfter(7)]
    with pytest.raises(RetryAfter):
        await rig.edit(sent.message, live=True)
    rig.inner.calls.clear()
    for call in (
        rig.edit(sent.message, live=True),
        rig.typing.typing("bot", "family"),
        rig.edit(sent.message, live=False),
    ):
        with pytest.raises(RetryAfter):
            await call
    assert rig.inner.calls == []
    rig.clock.advance(7)
    with pytest.raises(RetryAfter):
        await rig.edit(sent.message, live=True)
    await rig.edit(sent.message, live=False)
    with pytest.raises(RetryAfter):
        await rig.typing.typing("bot", "family")
    assert rig.inner.calls == ["edit"]
    rig.clock.advance(CALM_US / 1e6)
    await rig.typing.typing("bot", "family")


@pytest.mark.parametrize("call", ["send", "delete", "find", "typing"])
async def test_every_call_heeds_what_a_429_says(call):
    rig = Rig()
    rig.inner.refusals = [RetryAfter(7, RateScope.ACCOUNT)]
    refused = {
        "send": rig.send,
        "delete": lambda: rig.adapter.delete("bot", "family", "m"),
        "find": lambda: rig.adapter.find("op", "bot", "family"),
        "typing": lambda: rig.typing.typing("bot", "family"),
    }
    with pytest.raises(RetryAfter):
        await refused[call]()
    with pytest.raises(RetryAfter) as told:
        await rig.send(conversation="elsewhere")
    assert told.value.seconds == pytest.approx(7)


async def test_a_429_of_one_chat_is_not_the_others():
    rig = Rig()
    rig.inner.refusals = [RetryAfter(7)]
    with pytest.raises(RetryAfter):
        await rig.send()
    await rig.send(conversation="elsewhere")


async def test_being_told_to_wait_by_the_pacer_is_no_429():
    rig = Rig(ONE)
    await rig.send()
    with pytest.raises(RetryAfter):
        await rig.send(op_id="second")
    rig.clock.advance(60)
    await rig.send(op_id="second")


async def test_other_errors_pass_as_they_are():
    rig = Rig()
    rig.inner.refusals = [Ambiguous("cut off")]
    with pytest.raises(Ambiguous):
        await rig.send()
    await rig.send()


async def test_what_was_granted_ahead_starts_without_taking_again():
    rig = Rig(ONE)
    await rig.adapter.ahead("op", "bot", "family", Priority.FINAL)
    with pytest.raises(RetryAfter):
        await rig.send(op_id="another")
    await rig.send(op_id="op")
    with pytest.raises(RetryAfter):
        await rig.send(op_id="op")


async def test_a_grant_that_was_not_used_in_time_is_none():
    rig = Rig(ONE)
    await rig.adapter.ahead("op", "bot", "family", Priority.FINAL)
    rig.clock.advance(GRANT_LASTS_S + 1)
    with pytest.raises(RetryAfter):
        await rig.send(op_id="op")


async def test_grants_that_nobody_uses_are_forgotten():
    rig = Rig()
    for number in range(100):
        await rig.adapter.ahead(str(number), "bot", "family", Priority.FINAL)
        rig.clock.advance(1)
    assert len(rig.adapter._granted_s) <= GRANT_LASTS_S + 1


async def test_who_has_no_patience_hears_how_long_it_takes():
    rig = Rig(ONE)
    await rig.send()
    with pytest.raises(RetryAfter) as told:
        await rig.adapter.ahead("second", "bot", "family", Priority.FINAL, patience_s=59)
    assert told.value.seconds == pytest.approx(60)


async def test_who_has_patience_waits_for_the_turn():
    pacer = MemoryPacer(asyncio.get_running_loop().time)
    bucket = (Bucket(scope=PacingScope.CONVERSATION, count=1, per_s=0.05),)
    adapter = PacedAdapter(Platformed(bucket), pacer)
    for number in range(3):
        await adapter.ahead(str(number), "bot", "family", Priority.FINAL, patience_s=30)


async def test_a_platform_is_paced_with_its_sign_and_its_drafts():
    inner = Platformed(ONE)
    pacer = MemoryPacer(ManualClock().monotonic)
    platform = paced(Platform(adapter=inner, typing=inner, drafts=inner), pacer)
    assert platform.adapter.name == inner.name
    assert platform.adapter.capabilities("c") == inner.capabilities("c")
    assert platform.typing is not None
    await platform.typing.typing("bot", "family")
    with pytest.raises(RetryAfter):
        await platform.typing.typing("bot", "family")
    assert platform.drafts is not None
    with pytest.raises(RetryAfter):
        await platform.drafts.draft("bot", "family", "turn", None)
    assert inner.calls == ["typing"]


async def test_a_429_to_a_draft_stops_what_follows():
    rig = Rig()
    rig.inner.refusals = [RetryAfter(7)]
    with pytest.raises(RetryAfter):
        await rig.drafts.draft("bot", "family", "turn", plain("so far"))
    with pytest.raises(RetryAfter):
        await rig.drafts.draft("bot", "family", "turn", plain("so far, so good"))
    assert rig.inner.calls == ["draft"]


def test_a_platform_with_an_owner_stays_as_it_is():
    class Owned(LoopbackAdapter):
        @property
        def sends_from(self):
            return SendsFrom.OWNER

    platform = Platform(adapter=Owned())
    assert paced(platform, MemoryPacer(ManualClock().monotonic)) is platform
