"""The verdict sees each broken promise in records made by hand, and nothing in a good run's."""

from dataclasses import replace

import pytest

from adapters.base import Idempotency, LiveOutput, Purpose
from tests.simulation.evidence import Evidence, StoredPart, StoredTurn
from tests.simulation.schedule import Schedule
from tests.simulation.verdict import Promise, judge
from tests.simulation.watching import Change, Mention

_TURNS = {1: "1" * 32, 2: "2" * 32}


def _change(number: int, at_s: float, message: str, **more: bool) -> Change:
    return Change(
        at_s=at_s,
        conversation="lobby",
        message=message,
        op_id=f"{_TURNS[number]}-0",
        purpose=Purpose.REPLY,
        text=f"part 1 of 1 for #m{number} take {number} end",
        posted=True,
        **more,
    )


def _turn(number: int) -> StoredTurn:
    text = f"part 1 of 1 for #m{number} take {number} end"
    part = StoredPart(
        number=0, op_id=f"{_TURNS[number]}-0", text=text, message=f"a{number}", resent_in_doubt=0
    )
    return StoredTurn(
        id=_TURNS[number],
        ord=number,
        conversation="lobby",
        state="sent",
        attempts=0,
        cancel_requested=False,
        mentions=[number],
        parts=[part],
    )


def _mention(number: int) -> Mention:
    at_s = float(number)
    return Mention(
        number=number, conversation="lobby", event=f"event-{number}", said_at_s=at_s, acked_at_s=at_s + 0.1
    )


@pytest.fixture
def good() -> Evidence:
    return Evidence(
        schedule=Schedule(
            seed=0, idempotency=Idempotency.NONE, live=LiveOutput.NONE, gateways=1, workers=1, events=()
        ),
        is_quiet=True,
        ended_at_s=20.0,
        mentions=(_mention(1), _mention(2)),
        changes=(_change(1, 5.0, "a1"), _change(2, 6.0, "a2")),
        turns=(_turn(1), _turn(2)),
        trespasses=(),
        stopped_inside=frozenset(),
        broke_off={},
        errors=(),
        lines=(),
    )


def test_a_good_run_is_good(good: Evidence):
    assert judge(good) == []


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        pytest.param({"changes": (_change(1, 5.0, "a1"),)}, Promise.ANSWERED, id="lost"),
        pytest.param({"is_quiet": False}, Promise.ANSWERED, id="never quiet"),
        pytest.param(
            {"changes": (_change(1, 5.0, "a1"), _change(2, 6.0, "a2"), _change(2, 7.0, "a3"))},
            Promise.ONCE,
            id="twice and not labelled",
        ),
        pytest.param(
            {"changes": (_change(2, 4.0, "a2"), _change(1, 5.0, "a1"))}, Promise.ORDER, id="overtaken"
        ),
        pytest.param({"trespasses": ("worker 1 starts to send",)}, Promise.FENCE, id="without a lease"),
        pytest.param({"broke_off": {1: 4}}, Promise.POISON, id="tried too often"),
        pytest.param({"errors": ("KeyError",)}, Promise.EXPECTED, id="unexpected error"),
        pytest.param(
            {"turns": (_turn(1), replace(_turn(2), mentions=[1, 2]))}, Promise.ONE_TURN, id="two turns"
        ),
    ],
)
def test_each_broken_promise_is_seen(good: Evidence, change: dict[str, object], promise: Promise):
    assert promise in {violation.promise for violation in judge(replace(good, **change))}


@pytest.mark.parametrize(
    ("shown", "is_whole"),
    [
        ("part 1 of 1 for #1\n\n*(stopped)*", True),
        ("*(may be a duplicate)*\n\npart 1 of 1 for #1\n\n*(stopped)*", True),
        ("part 1 of 1 for #1", False),
    ],
)
def test_a_reply_cut_short_stands_as_it_was_stored_under_its_label_too(
    good: Evidence, *, shown: str, is_whole: bool
):
    turn = _turn(1)
    (part,) = turn.parts
    stopped = replace(turn, parts=(replace(part, text="part 1 of 1 for #1\n\n*(stopped)*"),))
    changes = (replace(_change(1, 5.0, "a1"), text=shown), _change(2, 6.0, "a2"))
    violations = judge(replace(good, turns=(stopped, _turn(2)), changes=changes))
    assert (Promise.FENCE not in {violation.promise for violation in violations}) is is_whole
