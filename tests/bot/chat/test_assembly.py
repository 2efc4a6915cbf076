"""There is always a prompt that fits."""

import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.base import ConversationKind
from bot.chat.assembly import assemble
from bot.chat.budget import MESSAGE_TOKENS, OPENING_TOKENS, Limits, likely_tokens, most_tokens
from bot.chat.prompt import Persona, system_message, user_message
from engine.base import Role
from tests.fixtures.remembered import a_chat, a_said, a_turn, an_exchange

PERSONA = Persona(name="Aside")
TEXTS = st.builds(
    lambda piece, times: piece * times,
    st.sampled_from(["word ", "7", "你", "👩‍👩‍👧", "‹", "<|", "e\u0301", "\ud800", "\n", "x#!"])
    | st.text(max_size=5),
    st.integers(0, 3000),
)


@settings(deadline=None, max_examples=60)  # some of these texts are long
@given(
    max_model_len=st.integers(512, 9000),
    texts=st.lists(TEXTS, min_size=1, max_size=3),
    name=TEXTS,
    quoted=TEXTS,
    character=TEXTS,
    past=st.lists(st.tuples(TEXTS, TEXTS), max_size=5),
    strict=st.booleans(),
    kind=st.sampled_from(ConversationKind),
)
@example(
    max_model_len=512,
    texts=["你" * 100_000],
    name="你" * 50,
    quoted="7" * 100_000,
    character="ก" * 4000,
    past=[("x" * 9000, "y" * 9000)],
    strict=True,
    kind=ConversationKind.GROUP,
)
def test_there_is_always_a_prompt_that_fits(  # noqa: PLR0917 - Hypothesis passes them by name
    max_model_len, texts, name, quoted, character, past, strict, kind
):
    """Whatever was said and remembered, from 512 tokens on, the prompt ends with the new message and fits."""
    said = [a_said(text, sender_name=name, quoted_author=name, quoted_text=quoted) for text in texts]
    turn = a_turn(*said, chat=a_chat(kind=kind), ord=len(past))
    persona = Persona(name="a" * 32, character=character, languages=("x" * 40,) * 50)
    exchanges = [an_exchange(n, prompt, reply) for n, (prompt, reply) in enumerate(past)]
    made = assemble(
        turn, exchanges, persona=persona, limits=Limits(max_model_len=max_model_len), strict=strict
    )
    count = most_tokens if strict else likely_tokens
    total = likely_tokens(made.messages[0].content) + OPENING_TOKENS + MESSAGE_TOKENS * len(made.messages)
    total += sum(count(message.content) for message in made.messages[1:])
    assert total + made.reply_tokens <= max_model_len
    assert made.messages[-1].role is Role.USER
    assert made.messages[-1].content == made.user_text
    json.dumps([message.content for message in made.messages[-1:]]).encode()


def test_a_short_turn_is_sent_whole():
    turn = a_turn(a_said("hi"), ord=3)
    exchanges = [an_exchange(1), an_exchange(2)]
    made = assemble(turn, exchanges, persona=PERSONA, limits=Limits(max_model_len=2048))
    contents = [message.content for message in made.messages]
    assert contents == [
        system_message(PERSONA),
        "question",
        "answer",
        "question",
        "answer",
        user_message(turn),
    ]
    assert (made.context_from, made.note) == (None, None)


def test_a_long_message_keeps_its_ends_and_says_so():
    turn = a_turn(a_said("BEGIN " + "word " * 20_000 + "END"))
    made = assemble(turn, [], persona=PERSONA, limits=Limits(max_model_len=2048))
    assert made.user_text.startswith("‹from Ann, ")
    assert made.user_text.endswith("END")
    assert "characters left out" in made.user_text
    assert "of 100,009 characters" in str(made.note)


def test_a_long_message_uses_most_of_its_room():
    """Shortening takes no more than needed: the message fills its three quarters to within a few tokens."""
    made = assemble(a_turn(a_said("word " * 20_000)), [], persona=PERSONA, limits=Limits(max_model_len=8192))
    fixed = likely_tokens(made.messages[0].content) + OPENING_TOKENS + MESSAGE_TOKENS
    room = (Limits(max_model_len=8192).prompt_tokens - fixed) * 3 // 4
    assert room - 20 <= likely_tokens(made.user_text) <= room


def test_a_long_character_is_shortened_and_the_rules_stay():
    persona = Persona(name="Aside", character="You are kind. " * 280)
    made = assemble(a_turn(a_said("hi")), [], persona=persona, limits=Limits(max_model_len=512))
    assert "language of the question" in made.messages[0].content
    assert made.messages[0].content != system_message(persona)


@pytest.mark.parametrize("strict", [False, True], ids=["likely", "strict"])
def test_a_long_chat_is_cut_in_big_steps(strict: bool):
    """Over 300 turns the prefix breaks seldom: after each cut, half of the mark is free again."""
    limits = Limits(max_model_len=4096)
    memory, cuts = [], []
    for n in range(300):
        turn = a_turn(a_said(f"question {n} " + "word " * 10), ord=n)
        made = assemble(turn, memory, persona=PERSONA, limits=limits, strict=strict)
        if made.context_from is not None:
            cuts.append(n)
            memory = [one for one in memory if one.ord >= made.context_from]
        memory.append(an_exchange(n, made.user_text, "answer " * 20))
    assert cuts
    assert min(after - before for before, after in pairwise(cuts)) >= 5


def test_a_strict_prompt_does_not_trust_an_older_count():
    """After the engine refused a prompt, its count of the chat's past is not believed either."""
    exchanges = [an_exchange(n, "7" * 900, "7" * 900, tokens=50) for n in range(4)]
    limits = Limits(max_model_len=4096)
    turn = a_turn(a_said("hi"), ord=4)
    trusting, strict = (
        assemble(turn, exchanges, persona=PERSONA, limits=limits, strict=strict) for strict in (False, True)
    )
    assert (trusting.context_from, strict.context_from) == (None, 4 - 1)
