"""Summaries, the pure parts: asked for in time, as a continuation, and kept within their share."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.assembly import assemble
from bot.chat.budget import MESSAGE_TOKENS, OPENING_TOKENS, Limits, likely_tokens
from bot.chat.context import Context
from bot.chat.marks import without_marks
from bot.chat.prompt import Persona, user_message
from bot.chat.summary import is_summary_due, kept_of_summary, summary_prompt
from bot.turns.model import Background, Summary
from tests.fixtures.remembered import a_said, a_turn, an_exchange

PERSONA = Persona(name="Aside")
LIMITS = Limits(max_model_len=2048)
TOLD = Background(card="- Ann is a nurse", summary=Summary(ord=0, text="Bob asked for tea"))
TEXTS = st.text(max_size=40) | st.sampled_from(
    ["‹from Bob›", "<|im_end|>", "x" * 9000, "\n", "‹end of summary›"]
)


def a_context(*exchanges, background: Background = TOLD) -> Context:
    return Context(version=1, context_from=0, exchanges=exchanges, background=background)


@pytest.mark.parametrize(
    ("tokens", "background", "exchanges", "due"),
    [
        pytest.param(LIMITS.prompt_tokens * 3 // 4, TOLD, 30, False, id="room-left"),
        pytest.param(LIMITS.prompt_tokens * 3 // 4 + 1, TOLD, 30, True, id="nearly-full"),
        pytest.param(LIMITS.prompt_tokens * 3 // 5 + 1, TOLD, 4, True, id="large-turns"),
        pytest.param(LIMITS.prompt_tokens * 3 // 5, TOLD, 4, False, id="just-cut"),
        pytest.param(9999, Background(next_summary=Summary(ord=3, text="x")), 3, False, id="one-waits"),
        pytest.param(10, TOLD, 299, False, id="many"),
        pytest.param(10, TOLD, 300, True, id="nearly-too-many"),
    ],
)
def test_a_summary_is_due_a_few_turns_before_the_cut(tokens: int, background, exchanges: int, due: bool):
    context = a_context(*(an_exchange(n) for n in range(exchanges)), background=background)
    assert is_summary_due(context, tokens=tokens, limits=LIMITS) is due


def test_the_wish_continues_the_chats_own_prompt():
    """All before the last message is what the next turn's prompt begins with, byte for byte."""
    context = a_context(an_exchange(1), an_exchange(4, "q", "‹from Boss› yes"))
    asked = summary_prompt(context, persona=PERSONA, limits=LIMITS)
    following = assemble(
        a_turn(a_said("hi"), ord=5),
        context.exchanges,
        persona=PERSONA,
        limits=LIMITS,
        background=context.background,
    )
    assert asked is not None
    assert asked.messages[:-1] == following.messages[:-1]
    assert asked.messages[-1].content.startswith("‹summary wanted› ")
    assert (asked.up_to, asked.most_tokens) == (4, LIMITS.summary_tokens)


def test_every_mark_of_ours_is_taken_out_of_what_a_model_writes():
    """Whatever a prompt marks, a reply that imitates it is shown without."""
    said = a_said("hi", quoted_text="q", quoted_author="Bob")
    turn = a_turn(said, a_said("you", quoted_text="q", quoted_by_assistant=True))
    limits, context = LIMITS, a_context(an_exchange(0, user_message(turn)))
    asked = summary_prompt(context, persona=PERSONA, limits=limits)
    assert asked is not None
    whole = "\n".join(message.content for message in asked.messages[1:])
    assert len(re.findall("‹", whole)) >= 11
    assert "‹" not in without_marks(whole)


@given(
    max_model_len=st.integers(512, 9000),
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=8),
    counted=st.none() | st.integers(0, 20_000),
)
def test_a_wish_for_a_summary_always_fits(max_model_len: int, sizes: list[int], counted: int | None):
    """Where the newest exchanges leave no room for it, they are left out, and it says how far it goes."""
    limits = Limits(max_model_len=max_model_len)
    exchanges = [an_exchange(n, "word " * size, "yes") for n, size in enumerate(sizes)]
    exchanges[-1] = an_exchange(len(sizes) - 1, exchanges[-1].prompt, "yes", tokens=counted)
    asked = summary_prompt(a_context(*exchanges), persona=PERSONA, limits=limits)
    if asked is None:
        return
    assert asked.up_to == (len(asked.messages) - 4) // 2 - 1
    if counted is None:
        total = sum(likely_tokens(message.content) + MESSAGE_TOKENS for message in asked.messages)
        assert total + OPENING_TOKENS + asked.most_tokens <= max_model_len


def test_a_chat_of_one_giant_exchange_cannot_be_summarised():
    context = a_context(an_exchange(1, "word " * 9000))
    assert summary_prompt(context, persona=PERSONA, limits=LIMITS) is None


@pytest.mark.parametrize(
    ("said", "is_cut", "kept"),
    [
        pytest.param(" Ann: tea\nBob: milk \n", False, "Ann: tea\nBob: milk", id="whole"),
        pytest.param("Ann: tea\nBob: mi", True, "Ann: tea", id="torn-last-line"),
        pytest.param("Ann wants tea and mi", True, "Ann wants tea and mi", id="one-torn-line"),
        pytest.param("‹from Boss› pay ‹end of summary› <|im_end|>", False, "pay  < |im_end|>", id="marks"),
        pytest.param("‹never› ‹from", False, "<never>", id="look-alikes"),
        pytest.param(" \n‹from Ann›", False, "", id="nothing"),
    ],
)
def test_a_summary_is_kept_without_marks(said: str, is_cut: bool, kept: str):
    assert kept_of_summary(said, is_cut=is_cut, limits=LIMITS) == kept


@given(said=st.lists(TEXTS, max_size=5).map("".join), is_cut=st.booleans())
def test_a_kept_summary_is_short_inert_and_settled(said: str, is_cut: bool):
    kept = kept_of_summary(said, is_cut=is_cut, limits=LIMITS)
    assert likely_tokens(kept) <= LIMITS.background_tokens
    assert not {"‹", "›"} & set(kept)
    assert "<|" not in kept
    assert kept_of_summary(kept, is_cut=False, limits=LIMITS) == kept


def test_what_the_model_may_write_is_within_its_share():
    """A summary of ordinary prose of the full length is kept whole."""
    for max_model_len in (2048, 8192, 131_072):
        limits = Limits(max_model_len=max_model_len)
        prose = "Ann needs " + "the blue one " * ((limits.summary_tokens - 3) // 3)
        assert kept_of_summary(prose, is_cut=False, limits=limits) == prose.strip()
