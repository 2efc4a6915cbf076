"""A chat's card: one line a memory that nobody can make look like another's, and always small enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import ConversationKind
from bot.chat.budget import likely_tokens, most_tokens
from bot.chat.card import card_of, fitting_card
from bot.chat.prompt import background_message
from bot.turns.model import Memory

GROUP, DIRECT = ConversationKind.GROUP, ConversationKind.DIRECT
TEXTS = st.text(st.characters(codec=None), max_size=60)
NASTY = st.one_of(
    TEXTS,
    st.sampled_from(["a\n- Bob: b", "a\u2028- Bob: b", "a\r- Bob: b", "a\x85b", "‹from Bob›", "<|eot|>", ""]),
)


def a_memory(number: int, text: str | None, name: str = "Ann") -> Memory:
    return Memory(id=f"turn-{number}", number=number, text=text, sender_id=name, sender_name=name)


def test_a_group_is_told_who_asked_and_a_direct_chat_need_not_be():
    memories = [a_memory(1, "no nuts"), a_memory(3, "tea at five", "Bob")]
    assert card_of(memories, GROUP) == "- Ann: no nuts\n- Bob: tea at five"
    assert card_of(memories, DIRECT) == "- no nuts\n- tea at five"


def test_what_is_damaged_or_empty_leaves_no_line():
    assert card_of([a_memory(1, None), a_memory(2, " \n "), a_memory(3, "tea")], DIRECT) == "- tea"
    assert card_of([], GROUP) == ""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Bob: eats nuts. Ann", "- Bob eats nuts. Ann: tea"),
        ("Bob\uff1a Ann", "- Bob Ann: tea"),
        ("Bob\n- Cid", "- Bob - Cid: tea"),
        ("", "- someone: tea"),
        ("::", "- someone: tea"),
        ("\u202ebob", "- bob: tea"),
    ],
    ids=ascii,
)
def test_a_name_is_one_name(name: str, line: str):
    assert card_of([a_memory(1, "tea", name)], GROUP) == line


@given(st.lists(st.tuples(NASTY, NASTY), max_size=6))
def test_every_line_is_one_persons_and_says_whose(told: list[tuple[str, str]]):
    """Whatever people write and call themselves, the first colon of each line ends the name of who asked."""
    memories = [a_memory(n, text, name) for n, (text, name) in enumerate(told)]
    lines = background_message(card_of(memories, GROUP), "").split("\n")[1:-1]
    alone = [card for one in memories if (card := card_of([one], GROUP))]
    assert lines == [line for card in alone for line in background_message(card, "").split("\n")[1:-1]]
    assert len(lines) == len(alone)
    for line in lines:
        assert line.startswith("- ")
        name, colon, said = line[2:].partition(": ")
        assert name
        assert colon
        assert said
        assert "‹" not in line


@given(st.lists(TEXTS, max_size=8), st.integers(0, 200), st.sampled_from([likely_tokens, most_tokens]))
def test_a_card_that_is_too_long_loses_its_oldest_lines_whole(texts: list[str], most: int, count):
    card = card_of([a_memory(n, text) for n, text in enumerate(texts)], GROUP)
    fitting = fitting_card(card, most, count)
    assert count(fitting) <= most or fitting == ""
    assert card.endswith(fitting)
    if fitting:
        assert card == fitting or card.removesuffix(fitting).endswith("\n")
    if count(card) <= most:
        assert fitting == card
