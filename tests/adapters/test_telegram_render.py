"""Telegram: what a message reads like, which entities it has, and that nothing in it is live that should not be."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.addresses import addresses
from adapters.content import CodeBlock, Content, Paragraph, Quote, Text, plain
from adapters.doubt import limit_beside_label
from adapters.links import NO_LINKS, KnownLinks, only_known
from adapters.markdown import parse
from adapters.markdown_growing import GrowingMarkdown, parse_growing
from adapters.telegram.entities import MOST_ENTITIES, Entity, EntityKind, utf16_length
from adapters.telegram.render import longest, render, render_plain, split
from tests.adapters.telegram_bot.autolinks import found_in
from tests.adapters.telegram_bot.entities import checked_entities
from tests.adapters.test_split import CONTENT, only_text

MARKS = {EntityKind.BOLD, EntityKind.ITALIC, EntityKind.STRIKETHROUGH}


def slices(rendered):
    """What each entity covers, by its kind."""
    units = rendered.text.encode("utf-16-le")
    return [
        (
            entity.kind.value,
            units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le"),
        )
        for entity in rendered.entities
    ]


def shown(markdown):
    rendered = render(parse(markdown))
    return rendered.text, slices(rendered)


@pytest.mark.parametrize(
    ("markdown", "text", "entities"),
    [
        pytest.param("hello", "hello", [], id="plain"),
        pytest.param(
            "**bold** *it* ~~no~~",
            "bold it no",
            [("bold", "bold"), ("italic", "it"), ("strikethrough", "no")],
            id="marks",
        ),
        pytest.param("👍🏽 **é👩‍👩‍👧** x", "👍🏽 é👩‍👩‍👧 x", [("bold", "é👩‍👩‍👧")], id="behind emoji"),
        pytest.param("**a *b* c**", "a b c", [("bold", "a b c"), ("italic", "b")], id="nested"),
        pytest.param(
            "*a **b***", "a b", [("italic", "a"), ("bold", "b"), ("italic", "b")], id="the outer one is cut"
        ),
        pytest.param(
            "**a `b` c**", "a b c", [("bold", "a"), ("code", "b"), ("bold", "c")], id="code in bold"
        ),
        pytest.param("# T *i*", "T i", [("bold", "T i"), ("italic", "i")], id="heading"),
        pytest.param("a\n\nb", "a\n\nb", [], id="paragraphs"),
        pytest.param(
            "```py\n  x = 1\n```", "  x = 1", [("pre", "  x = 1")], id="code block keeps its indent"
        ),
        pytest.param(
            "```\na\n```\n\n```\nb\n```", "a\n\nb", [("pre", "a"), ("pre", "b")], id="two code blocks"
        ),
        pytest.param("`a``b`", "`a``b`"[1:-1], [("code", "a``b")], id="ticks in code"),
        pytest.param("- a\n- b", "• a\n• b", [], id="list"),
        pytest.param("3. a\n4. b", "3. a\n4. b", [], id="numbered"),
        pytest.param("- a\n  - b\n    - c", "• a\n  ◦ b\n    ▪ c", [], id="nested list"),
        pytest.param("- a\n  b", "• a\n  b", [], id="two lines in an item"),
        pytest.param("- a\n\n  ```\n  x\n  ```\n- b", "• a\nx\n• b", [("pre", "x")], id="code in a list"),
        pytest.param("> a\n> b", "a\nb", [("blockquote", "a\nb")], id="quote"),
        pytest.param("> a\n> > b", "a\n\n> b", [("blockquote", "a\n\n> b")], id="quotes do not nest"),
        pytest.param(
            "> a\n\nb\n\n> c", "a\n\nb\n\nc", [("blockquote", "a"), ("blockquote", "c")], id="two quotes"
        ),
        pytest.param("> ```\n> x\n> ```", "x", [("blockquote", "x"), ("pre", "x")], id="code in a quote"),
        pytest.param(
            "> ```\n>  x\n> ```", " x", [("blockquote", " x"), ("pre", " x")], id="indented code in a quote"
        ),
        pytest.param("a\n\n---\n\nb", "a\n\n———\n\nb", [], id="rule"),
        pytest.param(
            "| a | b |\n|---|--:|\n| 1 | 22 |",
            "a   |   b\n----+----\n1   |  22",
            [("pre", "a   |   b\n----+----\n1   |  22")],
            id="table",
        ),
        pytest.param(
            f"| n | m |\n|---|---|\n| {'x' * 40} | y |",
            f"• n: {'x' * 40}\n  m: y",
            [("bold", "n"), ("bold", "m")],
            id="a wide table is told",
        ),
        pytest.param("[a](https://b.example/c)", "a", [("text_link", "a")], id="link"),
        pytest.param(
            "**[a](https://b.example)**", "a", [("bold", "a"), ("text_link", "a")], id="link in bold"
        ),
        pytest.param("[a](mailto:b@c.example)", "a (b@c.example)", [("code", "b@c.example")], id="mail"),
        pytest.param("hi @alice!", "hi @alice!", [("code", "@alice")], id="a mention is none"),
        pytest.param("@al**ice**", "@alice", [("code", "@alice")], id="nor one in two pieces"),
        pytest.param("see main.py", "see main.py", [("code", "main.py")], id="a file like a host"),
        pytest.param(
            "**ev**il.*com*/x y", "evil.com/x y", [("code", "evil.com/x")], id="an address in pieces"
        ),
        pytest.param(
            "**see a.example now**",
            "see a.example now",
            [("bold", "see"), ("code", "a.example"), ("bold", "now")],
            id="an address in bold",
        ),
        pytest.param("`x.com`", "x.com", [("code", "x.com")], id="an address in code"),
        pytest.param("> @bob", "@bob", [("blockquote", "@bob"), ("code", "@bob")], id="a mention in a quote"),
        pytest.param("/stop #tag 3.5", "/stop #tag 3.5", [], id="commands and tags are left alone"),
    ],
)
def test_what_it_looks_like(markdown, text, entities):
    assert shown(markdown) == (text, entities)


def test_entities_as_the_api_takes_them():
    rendered = render(parse("[a](https://b.example/c)\n\n```py\nx\n```"))
    assert [entity.to_api() for entity in rendered.entities] == [
        {"type": "text_link", "offset": 0, "length": 1, "url": "https://b.example/c"},
        {"type": "pre", "offset": 3, "length": 1, "language": "py"},
    ]


def test_what_reorders_a_line_or_is_half_a_character_is_taken_out():
    rendered = render(plain("x\u202ey\x00z\ud800b\r\nc"))
    assert rendered.text == "xyz\N{REPLACEMENT CHARACTER}b\nc"


def live_addresses(rendered):
    """What Telegram makes live: it looks through the whole text, and what touches code or a link of ours it leaves."""
    units = unlike_code(rendered).encode("utf-16-le")
    places = [
        (utf16_length(rendered.text[: a.start]), utf16_length(rendered.text[: a.end]))
        for a in addresses(rendered.text)
    ]
    return [
        shown for start, end in places if (shown := units[2 * start : 2 * end].decode("utf-16-le").strip())
    ]


def unlike_code(rendered):
    """The text, what is settled in it blanked."""
    units = rendered.text.encode("utf-16-le")
    for entity in rendered.entities:
        if entity.kind in (EntityKind.CODE, EntityKind.PRE, EntityKind.TEXT_LINK):
            start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
            units = units[:start] + " ".encode("utf-16-le") * entity.length + units[end:]
    return units.decode("utf-16-le")


def check(rendered):
    """The rules of the Bot API for entities, and that nothing is live by accident."""
    length = utf16_length(rendered.text)
    assert rendered.text == rendered.text.rstrip()
    assert len(rendered.entities) <= MOST_ENTITIES
    borders = {0}
    at = 0
    for sign in rendered.text:
        at += 2 if ord(sign) > 0xFFFF else 1
        borders.add(at)
    open_entities: list[Entity] = []
    last = (0, -length)
    for entity in rendered.entities:
        end = entity.offset + entity.length
        assert entity.length > 0
        assert end <= length
        assert {entity.offset, end} <= borders
        assert (entity.offset, -end) >= last
        last = (entity.offset, -end)
        open_entities = [held for held in open_entities if held.offset + held.length > entity.offset]
        for held in open_entities:
            assert end <= held.offset + held.length
            assert held.kind not in (EntityKind.CODE, EntityKind.PRE, EntityKind.TEXT_LINK, entity.kind)
            if entity.kind in (EntityKind.CODE, EntityKind.PRE):
                assert held.kind is EntityKind.BLOCKQUOTE
            if entity.kind is EntityKind.BLOCKQUOTE:
                raise AssertionError("a quote within something")
        open_entities.append(entity)
    assert live_addresses(rendered) == []
    # And as the fake Telegram sees it, whose rules are written down apart from ours.
    given = checked_entities(rendered.text, [entity.to_api() for entity in rendered.entities])
    live = {found["type"] for found in found_in(rendered.text, given)}
    assert live <= {"bot_command", "hashtag", "cashtag", "phone_number"}


MARKDOWN = st.text(alphabet=st.sampled_from("ab.c@/:#*_~`[]()|-> \n1👍é"), max_size=150)


@settings(max_examples=300, deadline=None)
@given(MARKDOWN)
@example("@1@1")
def test_every_markdown_keeps_the_rules(markdown):
    check(render(parse(markdown)))


@settings(max_examples=200, deadline=None)
@given(CONTENT)
@example(Content((Quote((CodeBlock(lang="", text=" "),)), Paragraph((Text("a"),)))))
def test_every_content_keeps_the_rules_and_loses_nothing(content):
    rendered = render(content)
    check(rendered)
    letters = iter(rendered.text)
    assert all(letter in letters for letter in only_text(content)) or "Table(" in repr(content)


@settings(max_examples=150, deadline=None)
@given(MARKDOWN)
def test_a_growing_reply_keeps_the_rules_at_every_length(markdown):
    growing = GrowingMarkdown()
    for end in range(0, len(markdown) + 1, 7):
        check(render(growing.read(markdown[:end])))
    check(render(parse_growing(markdown)))


@settings(max_examples=150, deadline=None)
@given(MARKDOWN)
def test_without_entities_nothing_is_live_and_nothing_is_longer(markdown):
    content = parse(markdown)
    written = render_plain(content)
    assert written.entities == ()
    assert not list(addresses(written.text))
    assert utf16_length(written.text) <= utf16_length(longest(content))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["**a** ", "`b` ", "@carol ", "https://x.example/y ", "text. ", "\n\n"]), max_size=400
    )
)
def test_beyond_what_telegram_keeps_marks_go_first_and_nothing_is_live(words):
    check(render(parse("".join(words))))


def test_of_too_many_entities_the_code_stays():
    rendered = render(parse("**a** " * 150 + "`b` " * 60))
    kinds = [entity.kind for entity in rendered.entities]
    assert len(kinds) == MOST_ENTITIES
    assert kinds.count(EntityKind.CODE) == 60


@settings(max_examples=100, deadline=None)
@given(CONTENT, st.integers(60, 400), st.booleans())
def test_every_part_fits_whatever_is_live(content, limit, live):
    from adapters.markdown_source import to_markdown  # noqa: PLC0415 - only here

    known = KnownLinks.of(["https://x.example"]) if live else NO_LINKS
    for part in split(to_markdown(content), limit):
        read = only_known(parse(part), known)
        assert utf16_length(render(read).text) <= limit
        assert utf16_length(render_plain(read).text) <= limit


def test_a_fence_at_the_limit_is_opened_again():
    source = "```py\n" + "\n".join(f"line {number} 👍" for number in range(600)) + "\n```"
    parts = split(source, 4096)
    assert len(parts) == 2
    assert all(slices(render(parse(part)))[0][0] == "pre" for part in parts)
    lines = [line for part in parts for line in render(parse(part)).text.split("\n")]
    assert lines == [f"line {number} 👍" for number in range(600)]


def test_there_is_room_for_the_label_of_a_possible_duplicate():
    assert limit_beside_label(longest, utf16_length, 4096) == 4096 - len("(may be a duplicate)\n\n")


def test_a_label_with_an_unknown_address_shows_it():
    content = only_known(parse("[click](https://evil.example/x)"), NO_LINKS)
    rendered = render(content)
    assert rendered.text == "click (https://evil.example/x)"
    assert slices(rendered) == [("code", "https://evil.example/x")]


def test_lookalikes_keep_the_length():
    text = "https://evil.example/x @ann a@b.example"
    written = render_plain(parse(text)).text
    assert len(written) == len(text)
    assert not re.search(r"[@.]|://", written)
