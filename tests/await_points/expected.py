"""What a user may see after a process was stopped at a step, by the platform's class: the promises in full. Pure."""

from collections.abc import Iterator
from typing import Final

from adapters.doubt import LABEL
from adapters.registry import PlatformClass
from tests.await_points.ending import Ending
from tests.await_points.gate import How
from tests.await_points.scenes import FIRST_SAYS, SECOND_SAYS, Case, Scene
from tests.await_points.steps import STEPS
from tests.platforms.adapter import CloudAdapter
from tests.platforms.cloud_settings import CloudSettings
from tests.platforms.seen import Message

#: Scenes whose end is a notice.
NOTICES: Final = (Scene.EXPIRED, Scene.CANCELLED, Scene.NOTICE)
#: Steps between the word that a send begins and the word that it arrived, and those of them at which it has.
_IN_DOUBT: Final = (
    *("after journal.start_part", "after journal.claim_notice_of", "after journal.claim_notice"),
    *("before platform.send", "after platform.send"),
    *("before journal.part_sent", "inside journal.part_sent"),
    *("before journal.notice_sent", "inside journal.notice_sent"),
)
_ARRIVED: Final = _IN_DOUBT[4:]
#: Steps at which a sign stands that the record does not know.
_UNKNOWN_SIGN: Final = (
    *("after platform.send", "before journal.placeholder_posted", "inside journal.placeholder_posted"),
    *("before journal.sign_posted", "inside journal.sign_posted"),
)


def complaints(case: Case, ending: Ending) -> list[str]:
    """List what broke a promise."""
    if case.scene.owned:
        return [] if ending.shown == (FIRST_SAYS,) else [f"the room shows {ending.shown}"]
    return [*_texts(case, ending), *_late(case, ending), *_counted(case, ending)]


def _texts(case: Case, ending: Ending) -> Iterator[str]:
    rest = list(ending.visible)
    for number, text in enumerate(texts(case), start=1):
        shown = [message for message in rest if text is None or without_label(message) == text]
        rest = [message for message in rest if message not in shown]
        wanted, labelled = copies(case, number), labels(case, number)
        if len(shown) not in wanted:
            yield f"{text!r} stands {len(shown)} times, not {wanted}"
        if (count := sum(LABEL in message.text for message in shown)) != labelled:
            yield f"{text!r} is labelled {count} times, not {labelled}"
    if len(rest) > orphans(case):
        yield f"beside the answer stand {[message.text for message in rest]}"


def _late(case: Case, ending: Ending) -> Iterator[str]:
    """A process that lost its lease starts no send and no edit; one it had begun may come through."""
    if ending.late and not case.step.startswith("before platform."):
        yield f"a process that had lost its lease showed {ending.late}"


def _counted(case: Case, ending: Ending) -> Iterator[str]:
    if case.platform_class is PlatformClass.C and any(LABEL in message.text for message in ending.visible):
        if not ending.ambiguous:
            yield "a possible duplicate was not counted"
        if case.scene not in NOTICES and not ending.resent:
            yield "a possible duplicate is not in the record"


def texts(case: Case) -> tuple[str | None, ...]:
    """Return the texts of the answer, message by message; None is any, where it is a notice."""
    if case.scene in NOTICES:
        return (None,)
    answer = case.scene.answer(FIRST_SAYS if _was_stored(case) else SECOND_SAYS)
    settings = CloudSettings(
        name="cloud", url="", platform_class=case.platform_class, text_limit=case.scene.text_limit
    )
    return tuple(CloudAdapter(settings).split(answer, ""))


def copies(case: Case, number: int) -> tuple[int, ...]:
    """Return how often a message may stand."""
    if not _is_sent(case) or _number(case.step) != number:
        return (1,)
    step, frozen_inside = _base(case.step), case.how is How.STOP and case.step.startswith("before platform.")
    if case.platform_class is PlatformClass.A:
        return (1,)
    if case.platform_class is PlatformClass.B:
        return (1, 2) if frozen_inside else (1,)
    return (2,) if step in _ARRIVED or frozen_inside else (1,)


def labels(case: Case, number: int) -> int:
    """Return how many of a message's copies must say that they may be duplicates."""
    is_in_doubt = _is_sent(case) and _base(case.step) in _IN_DOUBT and _number(case.step) == number
    return int(case.platform_class is PlatformClass.C and is_in_doubt)


def orphans(case: Case) -> int:
    """Return how many signs may stand beside the answer: one that nobody lived to write down or take back."""
    is_unknown = case.scene.live.value == "edit" and _base(case.step) in _UNKNOWN_SIGN
    return int(is_unknown and case.how is How.KILL)


def without_label(message: Message) -> str:
    """Return a message's text without the label of a possible duplicate."""
    return message.text.removeprefix(f"*{LABEL}*\n\n")


def _is_sent(case: Case) -> bool:
    """Whether the answer, or notice, goes out as a message of its own and is not edited into a sign."""
    return case.scene not in (Scene.LIVE, Scene.SIGN)


def _was_stored(case: Case) -> bool:
    steps = STEPS[case.scene]
    stored = "after journal.store_reply"
    return stored in steps and steps.index(case.step) >= steps.index(stored)


def _base(step: str) -> str:
    return step.removesuffix(" #2")


def _number(step: str) -> int:
    return 2 if step.endswith(" #2") else 1
