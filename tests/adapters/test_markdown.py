"""Reading a model's Markdown: what becomes what, never failing, never slow."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.content import (
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
    Text,
)
from adapters.markdown import parse
from adapters.markdown_source import to_markdown


def paragraph(text: str) -> Paragraph:
    return Paragraph((Text(text),))


@pytest.mark.parametrize(
    ("source", "blocks"),
    [
        pytest.param("", (), id="nothing"),
        pytest.param("one\ntwo\n\nthree", (paragraph("one\ntwo"), paragraph("three")), id="paragraphs"),
        pytest.param("## Title ##", (Heading(2, (Text("Title"),)),), id="heading"),
        pytest.param("#hashtag", (paragraph("#hashtag"),), id="hashtag is text"),
        pytest.param(
            "```py\nx = 1\n\ny\n```\nz", (CodeBlock("py", "x = 1\n\ny"), paragraph("z")), id="fence"
        ),
        pytest.param("```py\nx = 1", (CodeBlock("py", "x = 1"),), id="open fence runs to the end"),
        pytest.param("````\n```\n````", (CodeBlock("", "```"),), id="longer fence holds a shorter one"),
        pytest.param("```\n\tx\n```", (CodeBlock("", "\tx"),), id="tabs in code stay"),
        pytest.param("- a\n- b", (ListBlock(((paragraph("a"),), (paragraph("b"),))),), id="bullets"),
        pytest.param("3. a\n4. b", (ListBlock(((paragraph("a"),), (paragraph("b"),)), 3),), id="numbers"),
        pytest.param(
            "- a\n  - b",
            (ListBlock(((paragraph("a"), ListBlock(((paragraph("b"),),))),)),),
            id="nested list",
        ),
        pytest.param(
            "1. a\n   ```\n   c\n   ```",
            (ListBlock(((paragraph("a"), CodeBlock("", "c")),), 1),),
            id="code in an item",
        ),
        pytest.param("It was\n2024. A year", (paragraph("It was\n2024. A year"),), id="a year is no list"),
        pytest.param("> a\n> > b", (Quote((paragraph("a"), Quote((paragraph("b"),)))),), id="quotes"),
        pytest.param("---", (paragraph("---"),), id="a rule is text"),
        pytest.param("| a | b |\n|---|---|", (paragraph("| a | b |\n|---|---|"),), id="a table is text"),
        pytest.param("<b>x</b><img src=x>", (paragraph("<b>x</b><img src=x>"),), id="html is text"),
    ],
)
def test_blocks(source, blocks):
    assert parse(source) == Content(blocks)


@pytest.mark.parametrize(
    ("source", "inlines"),
    [
        pytest.param("**a** b", (Bold((Text("a"),)), Text(" b")), id="bold"),
        pytest.param("*a* _b_", (Italic((Text("a"),)), Text(" "), Italic((Text("b"),))), id="italic"),
        pytest.param("***a***", (Bold((Italic((Text("a"),)),)),), id="both"),
        pytest.param("**a *b* c**", (Bold((Text("a "), Italic((Text("b"),)), Text(" c"))),), id="nested"),
        pytest.param("**half", (Text("**half"),), id="half bold"),
        pytest.param("2*3*4 and 2 * 3", (Text("2*3*4 and 2 * 3"),), id="arithmetic"),
        pytest.param("f(*args, **kwargs)", (Text("f(*args, **kwargs)"),), id="python"),
        pytest.param("snake_case_name", (Text("snake_case_name"),), id="snake case"),
        pytest.param(
            "中**文**字", (Text("中"), Bold((Text("文"),)), Text("字")), id="no spaces between words"
        ),
        pytest.param("`a*b*`", (Code("a*b*"),), id="code"),
        pytest.param("`` a`b ``", (Code("a`b"),), id="code with a backtick"),
        pytest.param("`half", (Text("`half"),), id="half code"),
        pytest.param(r"\*a\*", (Text("*a*"),), id="escapes"),
        pytest.param("[a](https://b.example/c_(d))", (Link("a", "https://b.example/c_(d)"),), id="link"),
        pytest.param('[a](https://b.example "t")', (Link("a", "https://b.example"),), id="link with a title"),
        pytest.param("[a](javascript:x)", (Text("[a](javascript:x)"),), id="other schemes are text"),
        pytest.param("[a](htt", (Text("[a](htt"),), id="half link"),
        pytest.param("![a](https://b/c.png)", (Text("a (https://b/c.png)"),), id="images are text"),
        pytest.param("<@U1> @everyone", (Text("<@U1> @everyone"),), id="mentions are text"),
    ],
)
def test_inlines(source, inlines):
    assert parse(source) == Content((Paragraph(inlines),))


MARKS = st.text(
    alphabet=st.one_of(st.sampled_from("*_`[]()!\\#>-+1.~ \n\tab:/"), st.characters(codec="utf-8")),
    max_size=300,
)


@settings(deadline=None)
@given(MARKS.filter(lambda source: not re.search("```|~~~", source)))
def test_it_never_raises_and_loses_no_letter(source):
    """Only a fence's second word and a link's title are dropped; both are left out here."""
    written = to_markdown(parse(source))
    assert sorted(filter(str.isalpha, written)) == sorted(filter(str.isalpha, source))


@settings(deadline=None)
@given(MARKS)
def test_fences_do_not_raise_either(source):
    assert isinstance(parse("```" + source), Content)


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab \n", min_size=1), max_size=5), st.integers(0, 60))
def test_every_prefix_of_a_stream_reads(texts, cut):
    source = "# T\n\n" + "\n".join(
        f"- **{text}** [l](https://x.example) `c`\n```py\nx\n```" for text in texts
    )
    assert isinstance(parse(source[:cut]), Content)


@pytest.mark.parametrize(
    "unit",
    ["*", "_", "*_", "**a", "a**", "[", "](", "[a](", "![", "`", "`` ` ", "> ", "- ", "1. ", "#", "\\", "[a](b(",
     "~~~\n", "*a_b ", "***a ", "- a\n", "> a\n\n", " ", "\n", "\t", "[a](https://x"],
)  # fmt: skip
def test_no_text_is_slow(unit):
    """Eight times the text may take at most a small multiple of eight times as long: no square, no backtracking."""

    def seconds(size: int) -> float:
        source = (unit * size)[:size]
        began = time.perf_counter()
        parse(source)
        return time.perf_counter() - began

    small = max(min(seconds(8_000) for _ in range(3)), 0.002)
    assert min(seconds(64_000) for _ in range(2)) / small < 40


LEAF = st.text(alphabet="abc .,!#>-+12*_`[]()\\~", min_size=1, max_size=20).map(str.strip).filter(bool)
INLINES = st.lists(
    st.one_of(
        LEAF.map(Text),
        st.text(alphabet="abc", min_size=1).map(lambda t: Bold((Text(t),))),
        st.text(alphabet="abc`", min_size=1).map(Code),
        st.text(alphabet="abc", min_size=1).map(lambda t: Link(t, "https://x.example/a_b")),
    ),
    min_size=1,
    max_size=4,
).map(lambda parts: tuple(piece for part in parts for piece in (part, Text(" ")))[:-1])
SIMPLE = st.one_of(
    INLINES.map(Paragraph),
    st.builds(Heading, st.integers(1, 6), INLINES),
    st.builds(CodeBlock, st.sampled_from(["", "py"]), st.text(alphabet="ab `\n~#", max_size=30)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(SIMPLE, max_size=4))
def test_what_is_written_reads_back(blocks):
    """Markdown written from a content reads as the same content."""
    written = to_markdown(Content(tuple(blocks)))
    assert to_markdown(parse(written)) == written
    assert [type(block) for block in parse(written).blocks] == [type(block) for block in blocks]
