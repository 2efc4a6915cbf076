"""Leaving out the middle: the ends stay, the gap is seen, no character is torn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.shorten import LeftOut, shorten, shorten_turn, tears
from tests.fixtures.remembered import a_said, a_turn

TRICKY = st.lists(
    st.sampled_from(
        ["a", "e\u0301", "👍🏽", "👩‍👩‍👧", "🇩🇪", "\r\n", "각", "\u1100\u1161\u11a8", "\ud83d\ude00", " "]
    )
).map("".join)


@given(text=TRICKY | st.text(st.characters(codec=None)), most=st.integers(0, 40))
def test_ends_are_kept_and_the_gap_is_counted(text: str, most: int):
    """What stays is a beginning and an end, no longer than asked; the number of what is missing is true."""
    short, gone = shorten(text, most)
    if gone == 0:
        assert short == text
        return
    head, _, tail = short.partition(f" [... {gone:,} characters left out ...] ")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + len(tail) == len(text) - gone <= most


@given(text=TRICKY, most=st.integers(0, 40))
def test_no_visible_character_is_torn(text: str, most: int):
    short, gone = shorten(text, most)
    if gone:
        head = short.partition(" [...")[0]
        assert not tears(text, len(head))
        assert not tears(text, len(head) + gone)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("ab", True),
        ("e\u0301", False),
        ("👍🏽", False),
        ("👩\u200d👩", False),
        ("🇩🇪", False),
        ("\r\n", False),
        ("\u1100\u1161", False),
        ("각나", True),
        ("\ud83d\ude00", False),
    ],
    ids=["letters", "accent", "skin", "joined", "flag", "crlf", "jamo", "syllables", "surrogates"],
)
def test_tears(text: str, whole: bool):
    assert tears(text, 1) is not whole


def test_two_flags_part_between_them():
    assert [tears("🇩🇪🇫🇷", at) for at in range(5)] == [False, True, False, True, False]


@pytest.mark.parametrize(
    "text", ["e" + "\u0301" * 10_000, "\ud83d" + "\ude00" * 999, "🇩" * 9_999], ids=["zalgo", "lows", "flags"]
)
def test_a_pile_of_marks_is_cut_all_the_same(text: str):
    """Something of both ends stays even where no border between visible characters is near."""
    short, gone = shorten(text, 1_000)
    assert 900 <= len(text) - gone <= 1_000
    assert len(short) < 1_100


def test_a_turn_is_shortened_text_by_text():
    turn = a_turn(a_said("x" * 100, quoted_text="y" * 50), a_said("short"))
    short, left_out = shorten_turn(turn, 10)
    assert (left_out, short.said[1]) == (LeftOut(total=155, gone=130), turn.said[1])


def test_the_note_tells_how_much():
    assert LeftOut().note() is None
    assert "left out 62,000 of 100,000 characters" in str(LeftOut(total=100_000, gone=62_000).note())
