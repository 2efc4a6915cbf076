"""What a `/memories` asks for: a table, and any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.skills.memories import Asked, Wish, read


def delete(*numbers: int) -> Asked:
    return Asked(wish=Wish.DELETE, numbers=frozenset(numbers))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("/memories", Asked(wish=Wish.LIST)),
        ("/memories@assistant!", Asked(wish=Wish.LIST)),
        ("/memories delete 3", delete(3)),
        ("/Memories  Delete 3.", delete(3)),
        ("/memories forget #3", delete(3)),
        ("/memories delete 3, 5 7", delete(3, 5, 7)),
        ("/memories delete 03", delete(3)),
        ("/memories delete all", Asked(wish=Wish.DELETE_ALL)),
        ("/memories forget ALL!", Asked(wish=Wish.DELETE_ALL)),
        ("/memories delete", Asked(wish=Wish.UNCLEAR)),
        ("/memories delete -3", Asked(wish=Wish.UNCLEAR)),
        ("/memories delete three", Asked(wish=Wish.UNCLEAR)),
        ("/memories delete 3 all", Asked(wish=Wish.UNCLEAR)),
        ("/memories delete \u0663", Asked(wish=Wish.UNCLEAR)),
        ("/memories delete " + "9" * 5000, Asked(wish=Wish.UNCLEAR)),
        ("/memories all", Asked(wish=Wish.UNCLEAR)),
        ("/memories 3", Asked(wish=Wish.UNCLEAR)),
    ],
    ids=lambda value: ascii(value)[:40] if isinstance(value, str) else "",
)
def test_a_wish_is_read(text: str, asked: Asked) -> None:
    assert read(text) == asked


@given(st.text(max_size=60))
def test_anything_is_read_and_nothing_goes_that_was_not_named(text: str) -> None:
    asked = read(f"/memories {text}")
    if asked.wish in (Wish.DELETE, Wish.DELETE_ALL):
        assert "delete" in text.casefold() or "forget" in text.casefold()
    assert all(str(number) in text for number in asked.numbers)
