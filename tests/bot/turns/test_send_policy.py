"""The operator's choice for sends in doubt on class C, for everything that is said: replies, notices, first signs."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Idempotency, LiveOutput
from adapters.loopback.faults import Fault
from bot.settings import Settings
from bot.settings.sections import TurnsSection
from bot.telemetry.events import AmbiguousSend, NoticeSent
from bot.turns.model import NoticeKind
from bot.turns.notice_texts import NOTICES
from bot.turns.send_policy import SendPolicy
from bot.turns.sign import PLACEHOLDER
from engine.errors import EngineFailed
from tests.fixtures.labels import LABELLED
from tests.fixtures.rig import QUICK, Rig, loopback, open_rig, saying

UNREADABLE = NOTICES[NoticeKind.UNREADABLE]
GARBAGE = "\x00\x01\x02\x7f" * 50
DELAYS = replace(QUICK, notice_claim_s=0.5, sign_claim_s=0.5, first_sign_s=0.0)
LOST = [Fault.LOST_REQUEST, Fault.LOST_ANSWER]


def resent(rig: Rig) -> list[bool]:
    return [event.resent for event in rig.told(AmbiguousSend)]


def test_every_policy_can_be_set_and_resend_is_the_default() -> None:
    assert Settings().turns.send_policy == SendPolicy.RESEND
    for policy in SendPolicy:
        assert TurnsSection(send_policy=policy.value).send_policy == policy


@pytest.mark.parametrize("fault", LOST)
async def test_a_notice_in_doubt_is_said_again_under_the_label_and_counted(
    tmp_path: Path, fault: Fault
) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE), delays=DELAYS) as rig:
        rig.loopback.faults.next_call(fault)
        rig.start_notices()
        await rig.say(GARBAGE)
        await rig.until(lambda: bool(rig.told(NoticeSent)))
        first = [UNREADABLE] if fault is Fault.LOST_ANSWER else []
        assert rig.loopback.texts("room") == [*first, f"{LABELLED}{UNREADABLE}"]
        assert resent(rig) == [True]


@pytest.mark.parametrize("fault", LOST)
async def test_a_notice_in_doubt_is_left_where_nothing_may_be_sent_twice(
    tmp_path: Path, fault: Fault
) -> None:
    platform, policy = loopback(Idempotency.NONE), SendPolicy.GIVE_UP
    async with open_rig(tmp_path, platform=platform, policy=policy, delays=DELAYS) as rig:
        rig.loopback.faults.next_call(fault)
        rig.start_notices()
        await rig.say(GARBAGE)
        await rig.until(lambda: bool(rig.told(AmbiguousSend)))
        await rig.say(GARBAGE, conversation="other")
        await rig.until(lambda: bool(rig.loopback.texts("other")))
        assert rig.loopback.texts("room") == ([UNREADABLE] if fault is Fault.LOST_ANSWER else [])
        assert resent(rig) == [False]


@pytest.mark.parametrize("idempotency", [Idempotency.KEYED, Idempotency.READ_BACK])
async def test_where_a_send_can_be_made_good_giving_up_loses_nothing(
    tmp_path: Path, idempotency: Idempotency
) -> None:
    platform, policy = loopback(idempotency), SendPolicy.GIVE_UP
    async with open_rig(tmp_path, platform=platform, policy=policy, delays=DELAYS) as rig:
        rig.loopback.faults.next_call(Fault.LOST_REQUEST)
        rig.start_notices()
        await rig.say(GARBAGE)
        await rig.until(lambda: bool(rig.told(NoticeSent)))
        assert rig.loopback.texts("room") == [UNREADABLE]


async def test_a_doubt_about_a_notice_outlives_a_try_that_did_not_happen(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE), delays=DELAYS) as rig:
        rig.loopback.faults.next_call(Fault.LOST_ANSWER, Fault.RETRY_AFTER)
        rig.start_notices()
        await rig.say(GARBAGE)
        await rig.until(lambda: bool(rig.told(NoticeSent)))
        assert rig.loopback.texts("room") == [UNREADABLE, f"{LABELLED}{UNREADABLE}"]


@pytest.mark.parametrize("fault", LOST)
async def test_a_first_sign_in_doubt_is_not_posted_again_where_nothing_may_be_sent_twice(
    tmp_path: Path, fault: Fault
) -> None:
    platform, policy = loopback(Idempotency.NONE, LiveOutput.EDIT), SendPolicy.GIVE_UP
    async with open_rig(tmp_path, platform=platform, policy=policy, delays=DELAYS) as rig:
        rig.loopback.faults.next_call(fault)
        rig.start_notices()
        await rig.say("what time is it?")
        await rig.say("and here?", conversation="other")
        # The other chat's sign, and a second one after every claim of the first has run out.
        await rig.until(lambda: PLACEHOLDER in rig.loopback.texts("other") + rig.loopback.texts("room"))
        await rig.say("later", conversation="third")
        await rig.until(lambda: bool(rig.loopback.texts("third")))
        signs = [*rig.loopback.texts("room"), *rig.loopback.texts("other")]
        assert len(signs) == (2 if fault is Fault.LOST_ANSWER else 1)
        rig.start_worker(saying("noon"))
        await rig.settled()
        assert "noon" in rig.loopback.texts("room")
        assert "noon" in rig.loopback.texts("other")


@pytest.mark.parametrize("fault", LOST)
async def test_a_workers_placeholder_in_doubt_is_never_posted_again_where_nothing_may_be_sent_twice(
    tmp_path: Path, fault: Fault
) -> None:
    platform, policy = loopback(Idempotency.NONE, LiveOutput.EDIT), SendPolicy.GIVE_UP
    async with open_rig(tmp_path, platform=platform, policy=policy) as rig:
        rig.loopback.faults.next_call(fault)
        engine = saying("one two three four")
        for _ in range(2):
            engine.fail_next(EngineFailed("gone"), after=2)
        rig.start_worker(engine)
        await rig.say("count")
        await rig.settled()
        orphans = 1 if fault is Fault.LOST_ANSWER else 0
        assert len(rig.loopback.texts("room")) == orphans + 1
        assert rig.loopback.texts("room")[-1] == "one two three four"
