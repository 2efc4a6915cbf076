"""Splitting: nothing lost, every part within the limit, borders where people would put them."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import TextUnit
from adapters.content import Bold, CodeBlock, Content, Heading, Link, ListBlock, Paragraph, Quote, Text, plain
from adapters.markdown import parse
from adapters.markdown_source import to_markdown
from adapters.split import measure_in, split, split_content
from adapters.terminal.render import render


def only_text(content: Content) -> str:
    """Every letter a person reads, without marks and white space."""
    return re.sub(r"[^\w]", "", "".join(walk(content.blocks)))


def walk(blocks):
    for block in blocks:
        match block:
            case CodeBlock():
                yield block.text
            case ListBlock():
                for item in block.items:
                    yield from walk(item)
            case Quote():
                yield from walk(block.blocks)
            case _:
                yield from (words(block.inlines))


def words(inlines):
    for inline in inlines:
        if isinstance(inline, Bold):
            yield from words(inline.children)
        else:
            yield inline.text


TEXT = st.text(alphabet=st.sampled_from("abc de. f!é👍👩‍👩‍👧🇦🇹ä\n"), min_size=1, max_size=200)
INLINE = st.one_of(
    TEXT.map(Text),
    TEXT.map(lambda t: Bold((Text(t),))),
    TEXT.map(lambda t: Link(t.replace("\n", " "), "https://x.example")),
)
LEAF = st.one_of(
    st.lists(INLINE, min_size=1, max_size=4).map(lambda parts: Paragraph(tuple(parts))),
    st.builds(Heading, st.integers(1, 6), TEXT.map(lambda t: (Text(t.replace("\n", " ")),))),
    st.builds(CodeBlock, st.sampled_from(["", "py"]), TEXT),
)
BLOCK = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda blocks: Quote(tuple(blocks))),
        st.builds(
            ListBlock,
            st.lists(st.lists(inner, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple),
            st.sampled_from([None, 1, 9]),
        ),
    ),
    max_leaves=6,
)
CONTENT = st.lists(BLOCK, max_size=5).map(lambda blocks: Content(tuple(blocks)))


@settings(max_examples=150, deadline=None)
@given(CONTENT, st.integers(40, 300), st.sampled_from(list(TextUnit)), st.sampled_from([to_markdown, render]))
def test_nothing_is_lost_and_every_part_fits(content, limit, unit, write):
    measure = measure_in(unit)
    parts = split_content(content, write, measure, limit)
    assert all(measure(write(part)) <= limit for part in parts)
    # Where markup had to be given up for room (an address longer than the rest), more may stand there, never less.
    letters = iter("".join(map(only_text, parts)))
    assert all(letter in letters for letter in only_text(content))


def test_what_fits_is_one_part():
    assert split(parse("a\n\nb"), to_markdown, len, 100) == ["a\n\nb"]


def test_no_content_makes_no_part():
    assert split(Content(()), to_markdown, len, 100) == []


def test_it_splits_between_blocks():
    assert split(parse(f"{'a' * 30}\n\n{'b' * 30}"), to_markdown, len, 40) == ["a" * 30, "b" * 30]


def test_it_splits_behind_a_sentence():
    assert split(plain("One is here. Two is longer than that."), render, len, 20)[0] == "One is here."


def test_it_splits_between_words():
    assert split(plain("alpha beta gamma delta"), render, len, 12) == ["alpha beta", "gamma delta"]


def test_a_fence_is_closed_and_opened_again():
    source = "```py\n" + "\n".join(f"line {number}" for number in range(10)) + "\n```"
    parts = split(parse(source), to_markdown, len, 50)
    assert all(part.startswith("```py\n") and part.endswith("\n```") for part in parts)
    assert "\n".join(part[6:-4] for part in parts) == source[6:-4]


def test_bold_goes_on_behind_the_cut():
    assert split(parse("**alpha beta gamma**"), to_markdown, len, 14) == ["**alpha beta**", "**gamma**"]


def test_a_numbered_list_goes_on_counting():
    assert split(parse("1. aaaa\n2. bbbb\n3. cccc"), to_markdown, len, 16) == ["1. aaaa\n2. bbbb", "3. cccc"]


def test_a_heading_is_not_left_behind():
    parts = split(parse(f"{'a' * 10}\n\n# T\n\n{'b' * 20}"), to_markdown, len, 25)
    assert parts == ["a" * 10, f"# T\n\n{'b' * 20}"]


@pytest.mark.parametrize("grapheme", ["👩‍👩‍👧", "🇦🇹", "👍🏽", "e\u0301", "한"], ids=ascii)
def test_a_grapheme_never_breaks(grapheme):
    parts = split(plain(grapheme * 30), render, measure_in(TextUnit.UTF16), 25)
    assert all(part == grapheme * (len(part) // len(grapheme)) for part in parts)
    assert "".join(parts) == grapheme * 30


def test_a_limit_without_room_is_said():
    with pytest.raises(ValueError, match="a message limit of 1 has no room"):
        split(plain("👍👍"), render, measure_in(TextUnit.UTF16), 1)


@pytest.mark.parametrize(("unit", "length"), [("code_points", 2), ("utf16", 3), ("bytes", 6)])
def test_units_count_as_platforms_do(unit, length):
    assert measure_in(TextUnit(unit))("é👍") == length
