"""What people are told of limits: kind, whole sentences, with a length of time as a person would say it."""

import pytest

from bot.turns.acceptance import Cap
from bot.turns.limit_texts import limit_text
from bot.turns.spoken_time import about, again


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about a minute"),
        (75, "about a minute"),
        (76, "about 2 minutes"),
        (120, "about 2 minutes"),
        (121, "about 3 minutes"),
        (301, "about 10 minutes"),
        (1801, "about 45 minutes"),
        (2701, "about an hour"),
        (4500, "about an hour"),
        (4501, "about 2 hours"),
        (43_200, "about 12 hours"),
        (86_399, "about 24 hours"),
    ],
)
def test_lengths_of_time_are_rounded_up_to_what_people_say(seconds: float, words: str) -> None:
    assert about(seconds) == words


def test_where_nobody_knows_it_is_a_few_minutes() -> None:
    assert again(None) == "in a few minutes"


@pytest.mark.parametrize("cap", Cap)
@pytest.mark.parametrize("count", [1, 20])
def test_every_limit_is_one_short_text_that_says_when_to_ask_again(cap: Cap, count: int) -> None:
    said = limit_text(cap, 600.0, count=count, window="hour")
    assert "ask" in said
    assert said.endswith("again in about 10 minutes.")
    assert len(said) < 250
