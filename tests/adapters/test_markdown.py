"""Reading a model's Markdown: what becomes what, never failing, never slow."""

import re
import time

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
    Rule,
    Strike,
    Table,
    Text,
)
from adapters.markdown import parse
from adapters.markdown_source import to_markdown


def paragraph(text: str) -> Paragraph:
    return Paragraph((Text(text),))


def row(*cells: str):
    return tuple((Text(cell),) if cell else () for cell in cells)


NO_ALIGNS = (Align.NONE, Align.NONE)


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
        pytest.param(
            "    - a\n    - b",
            (ListBlock(((paragraph("a"),), (paragraph("b"),))),),
            id="bullets far to the right",
        ),
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
        pytest.param("a\n\n---\n\nb", (paragraph("a"), Rule(), paragraph("b")), id="rule"),
        pytest.param("Costs:\n---", (paragraph("Costs:"), Rule()), id="no title by underlining"),
        pytest.param("    a poem\n    of two", (paragraph("a poem\nof two"),), id="no code by indentation"),
        pytest.param("[a]: https://x.example", (paragraph("[a]: https://x.example"),), id="no definitions"),
        pytest.param("a  \nb\\\nc", (paragraph("a\nb\nc"),), id="hard breaks"),
        pytest.param("| a | b |\n|---|---|", (Table(NO_ALIGNS, row("a", "b"), ()),), id="table of a header"),
        pytest.param(
            "a|b|c\n:--|:-:|--:\n1|`x\\|y`|3",
            (
                Table(
                    (Align.LEFT, Align.CENTER, Align.RIGHT),
                    row("a", "b", "c"),
                    (((Text("1"),), (Code("x|y"),), (Text("3"),)),),
                ),
            ),
            id="table",
        ),
        pytest.param(
            "|a|b|\n|-|-|\n|1|\n|1|2|3|4|",
            (Table(NO_ALIGNS, row("a", "b"), (row("1", ""), row("1", "2 | 3 | 4"))),),
            id="rows too short and too long",
        ),
        pytest.param(
            "> |a|b|\n> |-|-|\n> |1|2|3|",
            (Quote((Table(NO_ALIGNS, row("a", "b"), (row("1", "2 | 3"),)),)),),
            id="too long a row in a quote",
        ),
        pytest.param(
            "|a|b|\n|-|-|\n|1<br>2|3|",
            (Table(NO_ALIGNS, row("a", "b"), (row("1\n2", "3"),)),),
            id="a new line in a cell",
        ),
        pytest.param("a<br>b", (paragraph("a<br>b"),), id="a new line elsewhere is text"),
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
        pytest.param("***a***", (Italic((Bold((Text("a"),)),)),), id="both"),
        pytest.param("**a *b* c**", (Bold((Text("a "), Italic((Text("b"),)), Text(" c"))),), id="nested"),
        pytest.param("**half", (Text("**half"),), id="half bold"),
        pytest.param("2*3*4 and 2 * 3", (Text("2*3*4 and 2 * 3"),), id="arithmetic"),
        pytest.param("f(*args, **kwargs)", (Text("f(*args, **kwargs)"),), id="python"),
        pytest.param("snake_case_name", (Text("snake_case_name"),), id="snake case"),
        pytest.param(
            "中**文**字", (Text("中"), Bold((Text("文"),)), Text("字")), id="no spaces between words"
        ),
        pytest.param(
            "中**「文」。**字", (Text("中"), Bold((Text("「文」。"),)), Text("字")), id="quoted words"
        ),
        pytest.param("~~a~~ ~5 to ~6", (Strike((Text("a"),)), Text(" ~5 to ~6")), id="struck out"),
        pytest.param("&lt;b&gt; &amp; x", (Text("<b> & x"),), id="entities are characters"),
        pytest.param("https://a.example", (Text("https://a.example"),), id="a bare address is text"),
        pytest.param("<https://a.example>", (Link(*["https://a.example"] * 2),), id="address in brackets"),
        pytest.param(
            "[**a** `b`](https://x.example)", (Link("a b", "https://x.example"),), id="marks in a link"
        ),
        pytest.param(
            "[ ](https://x.example)", (Link(*["https://x.example"] * 2),), id="a link without words"
        ),
        pytest.param(
            "[a](<https://x.example/ä b>)", (Link("a", "https://x.example/ä%20b"),), id="space in a link"
        ),
        pytest.param("[a](data:text/html,x)", (Text("[a](data:text/html,x)"),), id="data is text"),
        pytest.param(
            "![a](data:image/png,x)", (Text("![a](data:image/png,x)"),), id="data pictures are text"
        ),
        pytest.param("[a](//x.example)", (Text("[a](//x.example)"),), id="relative addresses are text"),
        pytest.param(
            "[![a](https://x.example/p.png)](https://y.example)",
            (Link("a (https://x.example/p.png)", "https://y.example"),),
            id="a picture in a link",
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
    alphabet=st.one_of(st.sampled_from("*_`[]()!\\#>-+1.~|<& \n\tab:/"), st.characters(codec="utf-8")),
    max_size=300,
)


@settings(deadline=None)
@given(MARKS.filter(lambda source: not re.search(r"```|~~~|&#?\w+;|<br", source)))
def test_it_never_raises_and_loses_no_letter(source):
    """Only a fence's second word, a link's title and a character's name are dropped; they are left out here."""
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


@pytest.mark.parametrize("unit", ["> ", "- ", "1. ", "> - ", "- > "])
def test_lists_and_quotes_without_end_lose_nothing(unit):
    assert "deep" in to_markdown(parse(unit * 500 + "deep"))


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("![", "](https://x)"), ("[", "](https://x)"), ("[![", "](https://x)](https://x)"), ("[", "]"), ("**a ", "b**"),
        ("*a **b ", "c** d*"), ("~~a ", "b~~"), ("**~~*", "*~~**"), ("_*", "*_"), ("> - ", ""), ("`", " `"),
    ],
)  # fmt: skip
def test_marks_in_marks_neither_exhaust_the_stack_nor_lose_text(opening, closing):
    count = 30_000 // len(opening + closing)
    written = to_markdown(parse(opening * count + "middle" + closing * count))
    assert "middle" in written


@pytest.mark.parametrize(
    "unit",
    ["*", "_", "*_", "**a", "a**", "[", "](", "[a](", "![", "`", "`` ` ", "> ", "- ", "1. ", "#", "\\", "[a](b(",
     "~~~\n", "*a_b ", "***a ", "- a\n", "> a\n\n", " ", "\n", "\t", "[a](https://x", "*a [", "![a](", "~~a ", "a~~",
     "<", "<a", "<https://a", "&", "&#1;", "|", "|a", "|a\n", "|a|\n|-|\n", "- > a\n", "**a**", "[a](b)",
     '[a](https://x "'],
)  # fmt: skip
def test_no_text_is_slow(unit):
    """Eight times the text may take at most a small multiple of eight times as long: no square, no backtracking."""

    def seconds(size: int) -> float:
        source = (unit * size)[:size]
        began = time.process_time()
        parse(source)
        return time.process_time() - began

    small = max(min(seconds(4_000) for _ in range(3)), 0.002)
    assert min(seconds(32_000) for _ in range(2)) / small < 40


def test_a_hundred_thousand_characters_are_read():
    source = (
        "A **word** of `code`, [one](https://x.example).\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    )
    blocks = parse((source * 2000)[:100_000]).blocks
    assert sum(isinstance(block, Table) for block in blocks) > 900


LEAF = st.text(alphabet="abc .,!#>-+12*_`[]()\\~|&;<:", min_size=1, max_size=20).map(str.strip).filter(bool)
INLINES = st.lists(
    st.one_of(
        LEAF.map(Text),
        st.text(alphabet="abc", min_size=1).map(lambda t: Bold((Text(t),))),
        st.text(alphabet="abc", min_size=1).map(lambda t: Strike((Text(t),))),
        st.text(alphabet="abc`|", min_size=1).map(Code),
        st.text(alphabet="abc", min_size=1).map(lambda t: Link(t, "https://x.example/a_b(c)?d=1&amp;=2")),
    ),
    min_size=1,
    max_size=4,
).map(lambda parts: tuple(piece for part in parts for piece in (part, Text(" ")))[:-1])
TABLE = st.integers(1, 3).flatmap(
    lambda columns: st.builds(
        Table,
        st.tuples(*[st.sampled_from(Align)] * columns),
        st.tuples(*[INLINES] * columns),
        st.lists(st.tuples(*[st.one_of(st.just(()), INLINES)] * columns), max_size=3).map(tuple),
    )
)
SIMPLE = st.one_of(
    TABLE,
    st.just(Rule()),
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
