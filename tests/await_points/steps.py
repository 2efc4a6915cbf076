"""Every step of a turn by name, in order, scene by scene; an await point that is new has to be named here.

`before X` and `after X` stand around a call that is awaited, `inside X` before the commit of its write.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from tests.await_points.scenes import Scene


def _around(call: str) -> tuple[str, ...]:
    return f"before {call}", f"after {call}"


def _write(call: str) -> tuple[str, ...]:
    return f"before {call}", f"inside {call}", f"after {call}"


def _second(steps: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{step} #2" for step in steps)


def _handed_over(stored: Iterable[str]) -> tuple[str, ...]:
    return (
        "before platform.send",
        *stored,
        "after platform.send",
        *_write("journal.handed_over_all"),
    )


#: From the take to a generation that goes on.
TAKEN: Final = (
    *_around("scheduler.take"),
    *_write("journal.claim"),
    *_around("scheduler.keep"),
)
ASKED: Final = (
    *_write("journal.bearers"),
    *_around("engine.status"),
    *_around("engine.stream"),
    "engine first",
    "engine middle",
)
RENEWED: Final = (*_around("scheduler.keep #2"), *_around("journal.cancel_requested"))
STORED: Final = (
    "engine last",
    "engine closed",
    *_write("journal.store_reply"),
    *_around("contexts.save"),
)
PART: Final = (
    *_write("journal.start_part"),
    *_around("platform.send"),
    *_write("journal.part_sent"),
)
FINISHED: Final = (*_write("journal.finish"), *_around("scheduler.done"))
SIGNED: Final = (*_around("platform.send"), *_write("journal.placeholder_posted"))
EDITED: Final = _around("platform.edit")
FINAL_EDIT: Final = (*_write("journal.start_part"), *_write("journal.part_sent"))
TOLD: Final = (
    *_write("journal.claim_notice_of"),
    *_around("platform.send"),
    *_write("journal.notice_sent"),
    *_around("scheduler.done"),
)

CLAIMED_AND_TOLD: Final = (
    *_write("journal.claim_notice"),
    *_around("platform.send"),
    *_write("journal.notice_sent"),
)
SIGN: Final = (
    *_write("journal.sign_claim"),
    *_around("platform.send"),
    *_write("journal.sign_posted"),
)

STEPS: Final[dict[Scene, tuple[str, ...]]] = {
    Scene.PLAIN: (*TAKEN, *ASKED, *RENEWED, *STORED, *PART, *FINISHED),
    Scene.PARTS: (*TAKEN, *ASKED, *RENEWED, *STORED, *PART, *_second(PART), *FINISHED),
    Scene.LIVE: (*TAKEN, *ASKED, *SIGNED, *EDITED, *RENEWED, *STORED, *FINAL_EDIT, *FINISHED),
    Scene.FAILING: (*TAKEN, *ASKED, *_write("journal.fail"), *_around("scheduler.done")),
    Scene.STARTING: (
        *TAKEN,
        *_write("journal.bearers"),
        *_around("engine.status"),
        *_write("journal.release"),
        *_around("scheduler.done"),
    ),
    Scene.EXPIRED: (*TAKEN, *_write("journal.give_up"), *TOLD),
    Scene.CANCELLED: (
        *TAKEN,
        *ASKED[:-2],
        *RENEWED,
        "engine closed",
        *_write("journal.cancel"),
        *TOLD,
    ),
    Scene.NOTICE: (*_around("journal.unsigned"), *CLAIMED_AND_TOLD),
    Scene.SIGN: (*_around("journal.claim_notice"), *_around("journal.unsigned"), *SIGN),
    Scene.TERMINAL: (*_around("journal.owed"), *_handed_over(_write("records.append"))),
    Scene.WEBCHAT: (
        *_around("journal.owed"),
        *_handed_over((*_around("records.after"), *_around("records.latest"), *_write("records.append"))),
    ),
}
#: Scenes whose turn is made to last until its lease was renewed.
LASTING: Final = (Scene.PLAIN, Scene.PARTS, Scene.LIVE, Scene.CANCELLED)
#: What goes on beside a turn, again and again, and changes nothing.
BESIDE: Final = frozenset(chain(_around("scheduler.wait"), _around("journal.cancels_requested")))
#: Calls that a turn makes as often as it lasts.
_REPEATED: Final = re.compile(
    r"(.*(?:scheduler\.take|scheduler\.keep #2|scheduler\.wait|journal\.cancel_requested|journal\.cancels_requested|"
    r"journal\.claim_notice|records\.after|journal\.owed|journal\.unsigned|platform\.edit))(?: #\d+)$"
)
#: Steps at which nobody is stopped: nothing was begun, or what comes again and again has no certain first time.
UNTOUCHED: Final = frozenset(
    ("before scheduler.take", *_around("journal.unsigned"), *_around("journal.owed"))
)


def passed(scene: Scene, trace: Sequence[str]) -> set[str]:
    """Return the steps of one turn from what a process passed: polls and what an attempt repeats count once."""
    trace = [step for step in trace if not step.split(" #")[0].endswith(" raised")]
    steps = {_once(step) for step in trace} - BESIDE
    if scene not in LASTING:
        steps -= set(RENEWED)  # passed only where the machine is slow
    if scene in (Scene.FAILING, Scene.STARTING):  # the second attempt is a plain turn
        end = trace.index("after scheduler.done") if "after scheduler.done" in trace else len(trace)
        steps = {_once(step) for step in trace[: end + 1]} - BESIDE - set(RENEWED)
    return steps


def _once(step: str) -> str:
    if match := re.fullmatch(r"(before|after) scheduler\.keep #\d+", step):
        return f"{match[1]} scheduler.keep #2"
    repeated = _REPEATED.fullmatch(step)
    return repeated[1] if repeated else step
