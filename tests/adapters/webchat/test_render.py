"""Content as the page's nodes: known shapes only, whatever a model or a person writes."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.content import Bold, Content, Link, ListBlock, Paragraph, Quote, Text
from adapters.markdown import parse
from adapters.markdown_growing import parse_growing
from adapters.webchat.render import MAX_DEPTH, nodes


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("a\nb", [["p", "a", ["br"], "b"]], id="paragraph"),
        pytest.param("## a **b**", [["h", 2, "a ", ["b", "b"]]], id="title"),
        pytest.param("```py\nx\ny\n```", [["code", "py", "x\ny"]], id="code"),
        pytest.param("- a\n- b", [["ul", [["p", "a"]], [["p", "b"]]]], id="bullets"),
        pytest.param("3. a\n4. b", [["ol", 3, [["p", "a"]], [["p", "b"]]]], id="numbers"),
        pytest.param("> a", [["quote", ["p", "a"]]], id="quote"),
        pytest.param(
            "|a|b|\n|:-|-|\n|1|*2*|",
            [["table", ["left", ""], [["a"], ["b"]], [["1"], [["i", "2"]]]]],
            id="table",
        ),
        pytest.param("---", [["hr"]], id="rule"),
        pytest.param("~~a~~ `b`", [["p", ["s", "a"], " ", ["c", "b"]]], id="struck out and code"),
        pytest.param("[a](https://x.example)", [["p", ["a", "a", "https://x.example"]]], id="link"),
        pytest.param("[a](mailto:b@x.example)", [["p", ["a", "a", "mailto:b@x.example"]]], id="mail"),
        pytest.param("[a](javascript:alert)", [["p", "[a](javascript:alert)"]], id="no script"),
        pytest.param("![a](https://x.example/p.png)", [["p", "a (https://x.example/p.png)"]], id="no picture"),
        pytest.param("<img src=x onerror=y>", [["p", "<img src=x onerror=y>"]], id="no elements"),
        pytest.param("<script>\nx\n</script>", [["p", "<script>", ["br"], "x", ["br"], "</script>"]], id="no html"),
    ],
)  # fmt: skip
def test_each_block_has_its_node(source, expected):
    assert nodes(parse(source)) == expected


def test_an_address_of_another_kind_is_no_link_even_if_the_tree_says_so():
    content = Content((Paragraph((Link("a", "javascript:alert(1)"),)),))
    assert nodes(content) == [["p", "a (javascript:alert(1))"]]


def test_halves_of_characters_can_be_sent():
    json.dumps(nodes(Content((Paragraph((Text("a\ud800b"),)),))), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "wrap", [lambda b: Quote((b,)), lambda b: ListBlock(((b,),))], ids=["quotes", "lists"]
)
def test_blocks_of_any_depth_make_a_bounded_tree(wrap):
    block = Paragraph((Text("deep"),))
    for _ in range(5000):
        block = wrap(block)
    written = nodes(Content((block,)))
    assert depth(written) <= 2 * MAX_DEPTH + 6
    assert "deep" in texts(written)


def test_marks_of_any_depth_make_a_bounded_tree():
    inline = Text("deep")
    for _ in range(5000):
        inline = Bold((inline,))
    written = nodes(Content((Paragraph((inline,)),)))
    assert depth(written) <= MAX_DEPTH + 4
    assert "deep" in texts(written)


def depth(node) -> int:
    return 1 + max(map(depth, node), default=0) if isinstance(node, list) else 0


def texts(blocks) -> str:
    """All the text of nodes, as a reader sees it, without checking anything."""
    gathered = []
    for node in blocks:
        match node:
            case str():
                gathered.append(node)
            case ["code", _, text] | ["c", text]:
                gathered.append(text)
            case ["br"] | ["hr"]:
                gathered.append("\n")
            case ["a", text, url]:
                gathered.append(f"{text} {url}")
            case ["h" | "ol" | "table", _, *inner] | [("p" | "ul" | "quote" | "b" | "i" | "s"), *inner]:
                gathered.append(texts(inner))
            case list():
                gathered.append(texts(node))
    return "".join(gathered)


def check_block(node) -> None:
    match node:
        case ["p", *inlines]:
            check_inlines(inlines)
        case ["h", int(level), *inlines] if 1 <= level <= 6:
            check_inlines(inlines)
        case ["code", str(), str()] | ["hr"]:
            pass
        case ["ul", *items] | ["ol", int(), *items]:
            for item in items:
                check_blocks(item)
        case ["quote", *blocks]:
            check_blocks(blocks)
        case ["table", list(aligns), *rows] if rows:
            assert set(aligns) <= {"", "left", "center", "right"}
            for row in rows:
                assert len(row) == len(aligns)
                for cell in row:
                    check_inlines(cell)
        case _:
            pytest.fail(f"an unknown block: {node!r}")


def check_blocks(blocks) -> None:
    for block in blocks:
        check_block(block)


def check_inlines(inlines) -> None:
    for inline in inlines:
        match inline:
            case str():
                assert "\n" not in inline
            case [("b" | "i" | "s"), *inner] if inner:
                check_inlines(inner)
            case ["c", str()] | ["br"]:
                pass
            case ["a", str(text), str(url)]:
                assert text
                assert re.match(r"(?i)(?:https?://|mailto:)[^\s<>\"]+\Z", url)
            case _:
                pytest.fail(f"an unknown inline: {inline!r}")


ANYTHING = st.one_of(
    st.text(st.characters(), max_size=300),
    st.text(st.sampled_from("*_`[]()!\\~|-:<>&#1. \n\tab\r\x00\u202e👍"), max_size=300),
    st.lists(
        st.sampled_from(
            ["[a](", "javascript:x", "JaVaScRiPt:", "https://x.example", "data:text/html,", ")", "![", "](",
             "<a href=", "<!--", "<script>", "&#106;",
             "&colon;", "**", "*", "`", "```\n", "| a | b |\n", "|---|---|\n", "> ", "- ", "\n",
             "@everyone", "<@U1>", "\\", "\ud800", "vbscript:", "//x.example", " "]
        ),
        max_size=40,
    ).map("".join),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(ANYTHING, st.sampled_from([parse, parse_growing]))
def test_any_text_makes_json_of_the_known_shapes_only(source, read):
    written = nodes(read(source))
    assert json.loads(json.dumps(written)) == written
    json.dumps(written, ensure_ascii=False).encode()
    check_blocks(written)
    assert depth(written) <= 2 * MAX_DEPTH


ADDRESSES = st.from_regex(r"https?://[a-z]{1,9}\.example(/[a-z0-9_.~%=?&-]{0,20}[a-z0-9])?", fullmatch=True)


@settings(deadline=None)
@given(
    st.lists(ADDRESSES, min_size=1, max_size=5),
    st.sampled_from(["- {}", "{}", "> {}", "| {} |\n|-|", "**{}**", "# {}"]),
)
def test_every_link_survives(addresses, around):
    """As a link where it was written as one, in whatever it stands."""
    source = "\n\n".join(around.format(f"[words]({address})") for address in addresses)
    found = re.findall(r'\["a", "words", "([^"]+)"\]', json.dumps(nodes(parse(source))))
    assert found == addresses


@settings(deadline=None)
@given(st.lists(ADDRESSES, min_size=1, max_size=5))
def test_every_bare_address_stays_to_be_read(addresses):
    shown = texts(nodes(parse("\n\n".join(f"See {address} there." for address in addresses))))
    assert all(address in shown for address in addresses)


@settings(deadline=None)
@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="*_`[]()!\\~|-+:<>&#")
    )
)
def test_text_without_marks_is_never_lost(source):
    assert texts(nodes(parse(source))) == source


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("*_[]()!\\~|-:<> #1.\n\tabcü👍"), max_size=300))
def test_no_word_is_lost_among_marks(source):
    """Whatever the marks mean, every run of letters is still there, in its order."""
    shown = texts(nodes(parse(source)))
    at = 0
    for word in re.findall(r"[a-zü👍]+", re.sub(r"\]\([^\n]*", "", source)):
        at = shown.index(word, at) + len(word)
