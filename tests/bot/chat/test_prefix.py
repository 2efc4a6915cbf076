"""What must come from the engine's cache, and why less did: a table of every cause."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.prefix import Sent, cause, first_difference, message_at, predicted_tokens
from bot.telemetry.events import BreakCause
from engine.base import ChatMessage, Role

BLOCK = 32


def digests(text: str) -> tuple[bytes, ...]:
    """Take a character for a message."""
    return tuple(char.encode() for char in text)


#: System message, a question and its reply; then a second question.
LAST = Sent(
    ord=4,
    before=3,
    context_from=0,
    cuts=False,
    salt="s",
    engine_life=0,
    digests=digests("SabcdR"),
    head=1,
    prompt_tokens=320,
)
NEXT = replace(LAST, ord=5, before=4, digests=digests("SabcdReR"), prompt_tokens=500)


@pytest.mark.parametrize(
    ("known", "prompt_tokens", "block", "predicted"),
    [
        pytest.param(543, 700, 32, 480, id="whole-blocks-less-one"),
        pytest.param(512, 700, 32, 480, id="at-a-border"),
        pytest.param(511, 700, 32, 448, id="before-a-border"),
        pytest.param(543, 700, 16, 512, id="small-blocks"),
        pytest.param(31, 700, 32, 0, id="less-than-a-block"),
        pytest.param(0, 700, 32, 0, id="nothing-known"),
        pytest.param(700, 320, 32, 288, id="the-end-is-always-computed"),
        pytest.param(700, 321, 32, 320, id="behind-a-border"),
    ],
)
def test_whole_blocks_are_predicted(known: int, prompt_tokens: int, block: int, predicted: int) -> None:
    assert predicted_tokens(known, prompt_tokens, block) == predicted


CAUSES = [
    pytest.param(None, NEXT, 0, BreakCause.ELSEWHERE, id="never-seen"),
    pytest.param(None, replace(NEXT, cuts=True), 0, BreakCause.CUT, id="never-seen-and-cut"),
    pytest.param(LAST, replace(NEXT, salt="t"), 0, BreakCause.SALT, id="salt"),
    pytest.param(
        LAST,
        replace(NEXT, context_from=2, cuts=True, digests=digests("ScdReR")),
        32,
        BreakCause.CUT,
        id="cut",
    ),
    pytest.param(
        LAST,
        replace(NEXT, context_from=5, cuts=True, digests=digests("SeR")),
        32,
        BreakCause.CUT,
        id="cut-to-nothing",
    ),
    pytest.param(
        LAST, replace(NEXT, before=None, digests=digests("SeR")), 32, BreakCause.RESET, id="memory-unreadable"
    ),
    pytest.param(
        LAST, replace(NEXT, context_from=5, digests=digests("SeR")), 32, BreakCause.RESET, id="reset"
    ),
    pytest.param(
        LAST,
        replace(NEXT, context_from=2, digests=digests("ScdReR")),
        32,
        BreakCause.CUT,
        id="retention-took-the-oldest",
    ),
    pytest.param(
        replace(LAST, digests=digests("SpnabcdR"), head=3),
        replace(NEXT, digests=digests("SqnabcdReR"), head=3),
        32,
        BreakCause.PREAMBLE,
        id="memory-changed",
    ),
    pytest.param(
        LAST,
        replace(NEXT, digests=digests("SpnabcdReR"), head=3),
        32,
        BreakCause.PREAMBLE,
        id="memory-began",
    ),
    pytest.param(LAST, replace(NEXT, digests=digests("TabcdReR")), 0, BreakCause.LAYOUT, id="rules"),
    pytest.param(
        LAST, replace(NEXT, digests=digests("SaXcdReR")), 64, BreakCause.LAYOUT, id="a-past-message"
    ),
    pytest.param(
        LAST, replace(NEXT, digests=digests("SabcXReR")), 64, BreakCause.LAYOUT, id="the-last-question"
    ),
    pytest.param(LAST, replace(NEXT, digests=digests("SabcdXeR")), 288, BreakCause.REPLY, id="the-reply"),
    pytest.param(LAST, NEXT, 288, BreakCause.REPLY, id="reply-in-other-tokens"),
    pytest.param(LAST, NEXT, 256, BreakCause.EVICTED, id="evicted"),
    pytest.param(LAST, replace(NEXT, engine_life=1), 0, BreakCause.ENGINE_RESTARTED, id="engine-restarted"),
    pytest.param(
        LAST,
        replace(NEXT, ord=7, before=6, digests=digests("SabcdRefghR")),
        64,
        BreakCause.ELSEWHERE,
        id="others-answered-since",
    ),
    pytest.param(
        LAST,
        replace(NEXT, ord=2, before=1, digests=digests("SaXR")),
        0,
        BreakCause.ELSEWHERE,
        id="requeued",
    ),
]


@pytest.mark.parametrize(("last", "new", "cached", "why"), CAUSES)
def test_every_cause(last: Sent | None, new: Sent, cached: int, why: BreakCause) -> None:
    assert cause(last, new, cached=cached, block=BLOCK) is why


def test_every_cause_has_a_case() -> None:
    assert {case.values[-1] for case in CAUSES} == set(BreakCause)


@pytest.mark.parametrize(
    ("new", "index"),
    [
        pytest.param("SabcdReR", None, id="extends"),
        pytest.param("SabcdXeR", 5, id="the-reply"),
        pytest.param("SaXcdReR", 2, id="in-the-middle"),
        pytest.param("SabR", None, id="shorter"),
        pytest.param("SabcdX", None, id="its-own-reply-is-not-compared"),
    ],
)
def test_the_first_difference(new: str, index: int | None) -> None:
    assert first_difference(LAST, replace(NEXT, digests=digests(new))) == index


@given(
    lengths=st.lists(st.integers(0, 4000), min_size=1, max_size=30),
    prompt_tokens=st.integers(0, 10_000),
    tokens=st.integers(0, 12_000),
)
def test_a_position_is_always_that_of_a_message(lengths: list[int], prompt_tokens: int, tokens: int) -> None:
    messages = [ChatMessage(role=Role.USER, content="w" * length) for length in lengths]
    assert 0 <= message_at(tokens, messages, prompt_tokens) < len(messages)


def test_a_position_follows_the_estimated_lengths() -> None:
    messages = [ChatMessage(role=Role.USER, content="w" * length) for length in (100, 100, 100, 100)]
    assert [message_at(tokens, messages, 400) for tokens in (0, 96, 128, 224, 320, 400)] == [0, 0, 1, 2, 3, 3]
