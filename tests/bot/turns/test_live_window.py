"""What one message shows of a growing reply: what a cut of all of it would show, for a fraction of the work."""

import re
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.content import inline_text
from adapters.loopback.adapter import LoopbackAdapter
from bot.turns.live_window import Beginning, Ending, as_content

LIMIT, STEP = 200, 25
PARAGRAPHS = "\n\n".join(f"This is sentence {n} of a reply that has **many** of them." for n in range(60))
LIST = "\n".join(f"- point {n} of a list that goes on and on" for n in range(60))
CODE = "```python\n" + "\n".join(f"print({n})  # a line of code" for n in range(60)) + "\n```"
ONE_PARAGRAPH = " ".join(f"word{n}" for n in range(500))
LONG = [
    pytest.param(PARAGRAPHS, id="paragraphs"),
    pytest.param(LIST, id="list"),
    pytest.param(CODE, id="code"),
    pytest.param(ONE_PARAGRAPH, id="one paragraph"),
    pytest.param(f"Look:\n\n{CODE}\n\n{PARAGRAPHS}\n\n{LIST}", id="all"),
]


class Counting:
    """An adapter's split that counts the characters it is asked to read."""

    def __init__(self):
        self._adapter = LoopbackAdapter(text_limit=LIMIT)
        self.read = 0

    def __call__(self, markdown):
        self.read += len(markdown)
        return self._adapter.split(markdown, "room")


def snapshots(text, step=STEP):
    return [text[:end] for end in range(step, len(text) + step, step)]


@pytest.mark.parametrize("text", LONG)
def test_the_beginning_is_cut_no_further_once_it_cannot_change(text):
    split = Counting()
    beginning = Beginning(split, LIMIT)
    shown = [beginning.of(each) for each in snapshots(text)]
    assert shown[-1] == Counting()(text)[0]
    # Every snapshot of what becomes four messages at most, and then nothing more.
    assert split.read <= (4 * LIMIT) ** 2 / STEP


@pytest.mark.parametrize("text", LONG)
def test_work_on_the_end_grows_with_the_text_and_not_with_its_square(text):
    split = Counting()
    ending = Ending(split)
    for each in snapshots(text):
        assert len(ending.of(each)) <= LIMIT
    # A message's worth a snapshot, the search for the next border, and a block of several messages now and then.
    assert split.read <= 8 * LIMIT * len(snapshots(text))


@pytest.mark.parametrize("text", LONG)
def test_the_end_shows_the_last_words(text):
    """Of a block that fills several messages, those of a twentieth before."""
    ending = Ending(Counting())
    for each in snapshots(text):
        last = ending.of(each)
    newest = max(int(number) for number in re.findall(r"\d+", last))
    assert newest > 0.9 * int(re.findall(r"\d+", text)[-1])


def test_a_beginning_that_was_settled_for_another_text_is_cut_anew():
    beginning = Beginning(Counting(), LIMIT)
    beginning.of(PARAGRAPHS)
    assert beginning.of("Something else.") == "Something else."


def test_an_end_of_another_text_begins_anew():
    ending = Ending(Counting())
    ending.of(PARAGRAPHS)
    assert ending.of("Something else.") == "Something else."


def test_where_there_is_only_one_message_its_beginning_settles_too():
    calls = count(1)
    beginning = Beginning(lambda markdown: [f"{markdown[:10]} {next(calls)}"], LIMIT)
    for each in snapshots(PARAGRAPHS):
        last = beginning.of(each)
    assert int(last.rpartition(" ")[2]) <= 5 * LIMIT / STEP


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        pytest.param("it is **very imp", "it is very imp", id="bold"),
        pytest.param("see `code", "see code", id="code"),
    ],
)
def test_a_half_open_mark_is_shown_as_if_it_were_closed(markdown, expected):
    [block] = as_content(markdown).blocks
    assert inline_text(block.inlines) == expected


def test_a_mark_alone_is_something():
    assert as_content("-").blocks


@given(
    st.lists(
        st.sampled_from(["word ", "**b** ", "\n\n", "- item\n", "```\n", "| a | b |\n", "x" * 90]),
        max_size=80,
    )
)
@settings(max_examples=150, deadline=None)
def test_whatever_grows_every_message_fits(pieces):
    text, split = "".join(pieces), Counting()
    beginning, ending = Beginning(split, LIMIT), Ending(split)
    for each in snapshots(text, 40):
        assert len(beginning.of(each)) <= LIMIT + 40
        assert len(split(beginning.of(each))) == 1
        assert len(split(ending.of(each))) == 1
