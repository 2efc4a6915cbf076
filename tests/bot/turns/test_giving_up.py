"""A stored reply that is given up: nobody is told that there is none where it stands, or may."""

from pathlib import Path

import pytest

from adapters.base import Idempotency, LiveOutput
from adapters.errors import Ambiguous, AuthFailed, PolicyBlocked, Rejected, WindowClosed
from adapters.loopback.faults import Fault
from bot.telemetry.events import AmbiguousSend
from bot.turns.notice_texts import MAY_HAVE_ARRIVED
from tests.fixtures.rig import Rig, loopback, open_rig, saying


def once(rig: Rig, monkeypatch: pytest.MonkeyPatch, call: str, *errors: Exception) -> None:
    """Let the next calls of one kind raise, one error each."""
    standing, left = getattr(rig.loopback, call), [*errors]

    async def failing(*args):
        if left:
            raise left.pop(0)
        return await standing(*args)

    monkeypatch.setattr(rig.loopback, call, failing)


async def test_a_reply_that_a_last_look_finds_is_not_denied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer arrived, its acknowledgement was lost, and so were the answers to two look-ups (class B)."""
    async with open_rig(tmp_path, platform=loopback(Idempotency.READ_BACK)) as rig:
        rig.loopback.faults.next_call(Fault.LOST_ANSWER)
        once(rig, monkeypatch, "find", *[Ambiguous("no answer")] * 2)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        assert await rig.texts(1) == ["noon"]
        assert (await rig.journal.counts()).dead == 0


@pytest.mark.parametrize("idempotency", list(Idempotency))
async def test_a_reply_in_doubt_ends_in_words_that_leave_the_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idempotency: Idempotency
) -> None:
    async with open_rig(tmp_path, platform=loopback(idempotency)) as rig:
        looks = idempotency is not Idempotency.KEYED
        rig.loopback.faults.next_call(*[Fault.LOST_REQUEST] * (1 if looks else 3))
        once(rig, monkeypatch, "find", *[Ambiguous("no answer")] * 3)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        assert await rig.texts(1) == [MAY_HAVE_ARRIVED]


@pytest.mark.parametrize(
    "refusal",
    [Rejected("no"), AuthFailed("no"), PolicyBlocked("no"), WindowClosed("no")],
    ids=lambda refusal: type(refusal).__name__,
)
async def test_a_refused_send_leaves_no_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    """The platform said no: sending again cannot make a duplicate, and nobody reads of one (class C)."""
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        once(rig, monkeypatch, "send", refusal)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        assert await rig.texts(1) == ["noon"]
        assert not rig.told(AmbiguousSend)


async def test_every_part_has_all_its_attempts(tmp_path: Path) -> None:
    """A part that arrived is progress: three parts with two doubts each are no poison (G10)."""
    parts = ["a" * 110, "b" * 110, "c" * 110]
    platform = loopback(Idempotency.KEYED, LiveOutput.NONE, text_limit=140)
    async with open_rig(tmp_path, platform=platform) as rig:
        rig.loopback.faults.next_call(*[Fault.LOST_REQUEST, Fault.LOST_ANSWER, None] * 3)
        rig.start_worker(saying("\n\n".join(parts)))
        await rig.say("tell me much")
        assert await rig.texts(3) == parts
        assert (await rig.journal.counts()).dead == 0
