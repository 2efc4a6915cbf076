"""Splitting: nothing lost, every part within the limit, borders where people would put them."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import TextUnit
from adapters.content import (
    Align,
    Bold,
    CodeBlock,
    Content,
    Heading,
    Italic,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Table,
    Text,
    plain,
)
from adapters.markdown import parse
from adapters.markdown_source import to_markdown
from adapters.split import measure_in, split, split_content, split_markdown
from adapters.terminal.render import render


def only_text(content: Content) -> str:
    """Every letter a person reads, without marks and white space."""
    return re.sub(r"[^\w]", "", "".join(walk(content.blocks)))


def holds_all_of(content: Content, parts: list[Content]) -> bool:
    """Tell whether every letter is still there: in its order, but for tables, whose rows may be told by columns.

    Where markup had to be given up for room (an address longer than the rest), more may stand there, never less.
    """
    whole, cut = only_text(content), "".join(map(only_text, parts))
    letters = iter(cut)
    in_order = "Table(" in repr(content) or all(letter in letters for letter in whole)
    return in_order and Counter(whole) <= Counter(cut)


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
            case Table():
                for row in (block.header, *block.rows):
                    yield from (word for cell in row for word in words(cell))
            case Rule():
                pass
            case _:
                yield from (words(block.inlines))


def words(inlines):
    for inline in inlines:
        if isinstance(inline, Bold | Italic | Strike):
            yield from words(inline.children)
        else:
            yield inline.text


TEXT = st.text(alphabet=st.sampled_from("abc de. f!é👍👩‍👩‍👧🇦🇹ä\n"), min_size=1, max_size=200)
INLINE = st.one_of(
    TEXT.map(Text),
    TEXT.map(lambda t: Bold((Text(t),))),
    TEXT.map(lambda t: Strike((Text(t),))),
    TEXT.map(lambda t: Link(t.replace("\n", " "), "https://x.example")),
)
LEAF = st.one_of(
    st.lists(INLINE, min_size=1, max_size=4).map(lambda parts: Paragraph(tuple(parts))),
    st.builds(Heading, st.integers(1, 6), TEXT.map(lambda t: (Text(t.replace("\n", " ")),))),
    st.builds(CodeBlock, st.sampled_from(["", "py"]), TEXT),
    st.lists(
        st.lists(INLINE.map(lambda inline: (inline,)), min_size=2, max_size=2), min_size=1, max_size=4
    ).map(lambda rows: Table((Align.NONE, Align.RIGHT), tuple(rows[0]), tuple(map(tuple, rows[1:])))),
    st.just(Rule()),
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
    assert holds_all_of(content, parts)


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


def test_a_table_that_is_cut_repeats_its_header():
    source = "| n | m |\n|---|:-:|\n" + "\n".join(f"| {number} | x |" for number in range(10))
    parts = split(parse(source), to_markdown, len, 50)
    assert len(parts) > 1
    assert all(part.startswith("| n | m |\n|---|:-:|\n| ") for part in parts)
    assert "\n".join(part[20:] for part in parts) == source[20:]


def test_a_row_that_is_too_long_is_told_cell_by_cell():
    source = f"| n | m |\n|---|---|\n| {'a ' * 20}| b |\n| c | d |"
    parts = split(parse(source), to_markdown, len, 30)
    assert parts[0] == "**n**: " + " ".join("a" * 12)
    assert parts[-1] == "| n | m |\n|---|---|\n| c | d |"


MARKDOWN = st.lists(
    st.sampled_from(
        ["| one | two |\n|---|--:|\n" + "| three four | `five` |\n" * 5,
         "```py\nsix = 7\n\neight\n```\n", "- nine\n- ten **eleven**\n", "1. twelve\n   - thirteen\n",
         "> fourteen fifteen\n", "Sixteen. Seventeen 👩‍👩‍👧 eighteen [nineteen](https://x.example/a_(b)).\n",
         "---\n", "## Twenty\n", "2*3*4 \\* <b> &amp; ~~gone~~ ***both***\n", "[x]: https://y.example\n"]
    ).map(lambda block: block + "\n"),
    max_size=8,
).map("".join)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(MARKDOWN, st.integers(45, 300), st.sampled_from([to_markdown, render]))
def test_parts_of_markdown_read_as_what_they_were_cut_from(source, limit, write):
    """The parts are stored as Markdown and read again before they are sent: nothing is lost on that way either."""
    parts = [parse(part) for part in split_markdown(source, write, len, limit)]
    assert all(len(write(part)) <= limit for part in parts)
    assert holds_all_of(parse(source), parts)


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
