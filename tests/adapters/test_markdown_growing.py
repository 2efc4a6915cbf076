"""Reading a reply while it is written: half-open marks look closed, and what is kept is what a whole reading gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.content import (
    Align,
    Bold,
    Code,
    CodeBlock,
    Content,
    Heading,
    Italic,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Strike,
    Table,
    Text,
)
from adapters.markdown import parse
from adapters.markdown_growing import GrowingMarkdown, parse_growing


def paragraph(*inlines) -> Paragraph:
    return Paragraph(tuple(Text(inline) if isinstance(inline, str) else inline for inline in inlines))


def header(*cells: str) -> Table:
    return Table((Align.NONE,) * len(cells), tuple((Text(cell),) for cell in cells), ())


@pytest.mark.parametrize(
    ("source", "block"),
    [
        pytest.param("a **bo", paragraph("a ", Bold((Text("bo"),))), id="bold"),
        pytest.param("a **bo*", paragraph("a ", Bold((Text("bo"),))), id="half an end"),
        pytest.param("**bo *it", paragraph(Bold((Text("bo "), Italic((Text("it"),))))), id="two open marks"),
        pytest.param("a ~~no", paragraph("a ", Strike((Text("no"),))), id="struck out"),
        pytest.param("x `co*", paragraph("x ", Code("co*")), id="code"),
        pytest.param("x `", paragraph("x "), id="a mark without its word"),
        pytest.param("**a `b", paragraph(Bold((Text("a "), Code("b")))), id="code in bold"),
        pytest.param("**a `", paragraph(Bold((Text("a"),))), id="a code mark in bold"),
        pytest.param("see [the page](https://x.ex", paragraph("see the page"), id="half a link"),
        pytest.param("![cat](https://x.ex", paragraph("cat"), id="half a picture"),
        pytest.param("see [the", paragraph("see [the"), id="a bracket"),
        pytest.param("**a** 2 * 3", paragraph(Bold((Text("a"),)), " 2 * 3"), id="arithmetic"),
        pytest.param("snake_case", paragraph("snake_case"), id="snake case"),
        pytest.param("# **T", Heading(1, (Bold((Text("T"),)),)), id="in a title"),
        pytest.param("- a\n- **b", ListBlock(((paragraph("a"),), (paragraph(Bold((Text("b"),))),))), id="in an item"),
        pytest.param("> *a", Quote((paragraph(Italic((Text("a"),))),)), id="in a quote"),
        pytest.param("```py\nx\n``", CodeBlock("py", "x"), id="half a fence's end"),
        pytest.param("````\n```\n````", CodeBlock("", "```"), id="a shorter fence within"),
        pytest.param("| a | b", header("a", "b"), id="half a header"),
        pytest.param("| a | b |\n|--", header("a", "b"), id="half a line of dashes"),
        pytest.param("x\n**", paragraph("x"), id="a mark alone"),
    ],
)  # fmt: skip
def test_what_is_half_open_reads_as_if_closed(source, block):
    assert parse_growing(source) == Content((block,))


@pytest.mark.parametrize("source", ["*", "**", "-", "--", "1", "1.", "#", "```", "> -"])
def test_a_mark_alone_waits_for_what_it_will_be(source):
    """A star may become a list, a rule or something bold: none of them flashes up first."""
    assert parse_growing(f"a\n\n{source}").blocks == (paragraph("a"),)


PIECES = st.lists(
    st.sampled_from(
        ["**a** b\n", "- x\n", "  - y\n", "\t- x\n\t* ",
         "1. z\n", "```py\n", "```\n", "    \n", "\n", "| a | b |\n", "|---|---|\n",
         "| 1 |\n", "> q\n", "# T\n", "---\n", "text", " *i* ", "`c`", "[l](https://x.example)", "\r\n", "\t",
         "\\", "~~s~~", "* ", "``", "|", "-", "1", " ", "- - "]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(PIECES, st.integers(1, 9))
def test_reading_on_gives_what_reading_anew_gives(source, step):
    growing = GrowingMarkdown()
    for end in range(step, len(source) + step, step):
        assert growing.read(source[:end]) == parse_growing(source[:end])


@settings(deadline=None)
@given(PIECES)
def test_what_has_ended_reads_as_ever(source):
    """Behind a paragraph's end nothing is half-open any more."""
    assert parse_growing(f"{source}\n```\n```\n\nend.") == parse(f"{source}\n```\n```\n\nend.")


@settings(deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from("*_`[]()!\\~|-:<& \n#>1."), st.characters()), max_size=200))
def test_it_never_raises(source):
    assert isinstance(parse_growing(source), Content)


def test_a_text_that_was_rewritten_is_read_anew():
    growing = GrowingMarkdown()
    growing.read("one\n\ntwo\n\nthree")
    assert growing.read("four").blocks == (paragraph("four"),)


def test_a_link_that_is_complete_stays_one():
    assert parse_growing("[a](https://x.example)").blocks == (paragraph(Link("a", "https://x.example")),)


@pytest.mark.parametrize("unit", ["*a ", "[a](", "`` ` ", "|a|b|\n", "- a\n", "**a **b ", "\\"])
def test_a_dear_last_block_is_read_again_only_when_it_has_grown(unit):
    """A block of thirty thousand marks would else keep a processor busy, twenty times a second."""
    growing = GrowingMarkdown()
    source = unit * (40_000 // len(unit))
    shown = growing.read(source)
    assert growing.read(source + unit * 20) is shown
    assert growing.read(source + unit * (3_000 // len(unit))) != shown


def test_a_long_reply_of_many_blocks_is_read_at_every_step():
    growing = GrowingMarkdown()
    source = "A **b** of `c`\nand [d](https://x.example).\n\n" * 1000
    assert growing.read(source + "one") == parse(source + "one")
    assert growing.read(source + "one two") == parse(source + "one two")


def test_code_of_a_thousand_lines_is_read_at_every_step():
    source = "```py\n" + "x[0] = y * z | 1\n" * 1000
    growing = GrowingMarkdown()
    growing.read(source)
    assert growing.read(source + "a").blocks == parse(source + "a").blocks
