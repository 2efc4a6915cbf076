"""Entities stand where they say, in UTF-16, and nest as the documents allow; plain text links by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.telegram_bot.autolinks import found_in
from tests.adapters.telegram_bot.entities import checked_entities
from tests.adapters.telegram_bot.parse_modes import parsed
from tests.adapters.telegram_bot.refusals import Refused
from tests.adapters.telegram_bot.texts import shown
from tests.adapters.telegram_bot.utf16 import piece, units


def entity(kind: str, offset: int, length: int, **more) -> dict:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("😀 bold", [entity("bold", 3, 4)]),
        ("abcdef", [entity("bold", 0, 6), entity("italic", 2, 2)]),
        ("abcdef", [entity("italic", 2, 2), entity("bold", 0, 6)]),
        ("abcdef", [entity("text_link", 0, 6, url="https://x.test"), entity("bold", 0, 3)]),
        ("abcdef", [entity("bold", 0, 6), entity("text_link", 0, 3, url="https://x.test")]),
        ("abcdef", [entity("blockquote", 0, 6), entity("code", 0, 3)]),
        ("abcdef", [entity("pre", 0, 3, language="python"), entity("code", 3, 3)]),
        ("abcdef", [entity("bold", 0, 3), entity("italic", 0, 3)]),
    ],
)
def test_good_entities_are_taken(text: str, entities: list[dict]) -> None:
    assert len(checked_entities(text, entities)) == len(entities)


@pytest.mark.parametrize(
    ("text", "entities", "why"),
    [
        ("😀", [entity("bold", 1, 1)], "splits a surrogate pair"),
        ("a😀", [entity("bold", 0, 2)], "splits a surrogate pair"),
        ("abc", [entity("bold", 1, 3)], "leaves the text"),
        ("abc", [entity("bold", -1, 2)], "leaves the text"),
        ("abc", [entity("bold", 0, 0)], "leaves the text"),
        ("a b", [entity("bold", 1, 1)], "nothing that can be seen"),
        ("abc", [entity("mention", 0, 3)], "cannot pass"),
        ("abc", [entity("heading", 0, 3)], "cannot pass"),
        ("abc", [entity("text_link", 0, 3)], "lacks url"),
        ("abc", [entity("text_link", 0, 3, url="javascript:alert(1)")], "scheme"),
        ("abc", [entity("bold", 0, 3, url="https://x.test")], "has no url"),
        ("abcdef", [entity("bold", 0, 4), entity("italic", 2, 4)], "overlap in part"),
        ("abcdef", [entity("code", 0, 6), entity("bold", 0, 3)], "cannot be part of"),
        ("abcdef", [entity("bold", 0, 6), entity("code", 0, 3)], "cannot be part of"),
        ("abcdef", [entity("blockquote", 0, 6), entity("blockquote", 0, 3)], "cannot be part of"),
        ("abcdef", [entity("pre", 0, 6), entity("blockquote", 0, 3)], "cannot be part of"),
        (
            "abcdef",
            [
                entity("text_link", 0, 6, url="https://x.test"),
                entity("text_link", 0, 3, url="https://y.test"),
            ],
            "cannot be part of",
        ),
        ("abc", [entity("bold", 0, 3), entity("bold", 0, 3)], "twice"),
        ("a" * 101, [entity("bold", n, 1) for n in range(101)], "101 entities"),
    ],
)
def test_wrong_entities_are_blamed(text: str, entities: list[dict], why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        checked_entities(text, entities)
    assert caught.value.blame


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask @ann_lee now", [("mention", "@ann_lee")]),
        ("mail ann@lee.com", [("email", "ann@lee.com")]),
        ("x@ann_lee", []),
        ("see https://a.test/x?y=(1). ok", [("url", "https://a.test/x?y=(1")]),
        ("see example.com/x, ok", [("url", "example.com/x")]),
        ("run file.py and e.g. this", [("url", "file.py")]),
        ("version 1.2.3", []),
        ("module.function()", []),
        ("/start now", [("bot_command", "/start")]),
        ("/ask@aside_bot now", [("bot_command", "/ask@aside_bot")]),
        ("and/or", []),
        ("#topic and #1", [("hashtag", "#topic")]),
        ("$TICKER", [("cashtag", "$TICKER")]),
        ("😀 @ann_lee", [("mention", "@ann_lee")]),
        ("http://127.0.0.1:8000/x", [("url", "http://127.0.0.1:8000/x")]),
        ("пример.com", [("url", "пример.com")]),
    ],
)
def test_what_links_by_itself(text: str, expected: list[tuple[str, str]]) -> None:
    found = [(e["type"], piece(text, e["offset"], e["length"])) for e in found_in(text)]
    assert found == expected


def test_nothing_links_within_code() -> None:
    assert found_in("@ann_lee a.com", [entity("code", 0, 14)]) == []


@given(st.text())
def test_what_is_found_stands_in_the_text(text: str) -> None:
    for found in found_in(text):
        assert piece(text, found["offset"], found["length"])


@given(st.text(), st.integers(0, 60), st.integers(0, 60))
def test_a_piece_is_what_utf16_says(text: str, offset: int, length: int) -> None:
    encoded = text.encode("utf-16-le", "surrogatepass")
    cut = piece(text, offset, length)
    if cut is not None:
        assert cut.encode("utf-16-le", "surrogatepass") == encoded[offset * 2 : (offset + length) * 2]
    assert units(text) == len(encoded) // 2


@pytest.mark.parametrize(
    ("text", "entities", "expected"),
    [
        ("  hi  ", [], ("hi", [])),
        ("\n\nhi", [entity("bold", 2, 2)], ("hi", [entity("bold", 0, 2)])),
        ("  x = 1  ", [entity("pre", 0, 9)], ("  x = 1", [entity("pre", 0, 7)])),
    ],
)
def test_blanks_around_a_text_vanish(text: str, entities: list[dict], expected) -> None:
    seen = shown({"text": text, "entities": entities}, too_long="")
    assert (seen.text, seen.entities) == expected


@pytest.mark.parametrize(
    ("mode", "source", "text", "entities"),
    [
        ("HTML", "<b>a</b> &lt;", "a <", [entity("bold", 0, 1)]),
        ("HTML", '<a href="https://x.test">a</a>', "a", [entity("text_link", 0, 1, url="https://x.test")]),
        (
            "HTML",
            '<pre><code class="language-python">x</code></pre>',
            "x",
            [entity("pre", 0, 1, language="python")],
        ),
        ("HTML", "<blockquote expandable>q</blockquote>", "q", [entity("expandable_blockquote", 0, 1)]),
        ("HTML", "😀<i>a<b>b</b></i>", "😀ab", [entity("italic", 2, 2), entity("bold", 3, 1)]),
        ("MarkdownV2", "*a* _b_\\.", "a b.", [entity("bold", 0, 1), entity("italic", 2, 1)]),
        ("MarkdownV2", "[a](https://x.test)", "a", [entity("text_link", 0, 1, url="https://x.test")]),
        ("MarkdownV2", "```python\nx```", "x", [entity("pre", 0, 1, language="python")]),
        ("MarkdownV2", "`a\\`b`", "a`b", [entity("code", 0, 3)]),
        ("MarkdownV2", ">a\n>b\nc", "a\nb\nc", [entity("blockquote", 0, 3)]),
        ("MarkdownV2", "||s|| __u__ ~d~", "s u d", [entity("spoiler", 0, 1), entity("underline", 2, 1)]),
    ],
)
def test_markup_is_read(mode: str, source: str, text: str, entities: list[dict]) -> None:
    plain, found = parsed(source, mode)
    assert plain == text
    assert all(one in found for one in entities)


@pytest.mark.parametrize(
    ("mode", "source", "why"),
    [
        ("HTML", "<b>a", "can't find end tag"),
        ("HTML", "a</b>", "unexpected end tag"),
        ("HTML", "<b><i>a</b></i>", "unmatched end tag"),
        ("HTML", "<h1>a</h1>", 'unsupported start tag "h1" at byte offset 0'),
        ("HTML", "a < b", "unsupported start tag"),
        ("MarkdownV2", "a.", "character '.' is reserved and must be escaped"),
        ("MarkdownV2", "*a", "can't find end of Bold entity"),
        ("MarkdownV2", "`a", "can't find end of Code entity"),
        ("MarkdownV2", "[a](x", "can't find end of a URL"),
        ("Markdown", "*a*", "legacy"),
    ],
)
def test_wrong_markup_is_refused_in_telegrams_words(mode: str, source: str, why: str) -> None:
    with pytest.raises(Refused) as caught:
        parsed(source, mode)
    assert caught.value.description.startswith("Bad Request: can't parse entities: ")
    assert why in caught.value.description


@given(st.text(alphabet=">*_~|`[]()\\\nab😀.<&", max_size=30), st.sampled_from(["HTML", "MarkdownV2"]))
def test_any_markup_is_read_or_refused(source: str, mode: str) -> None:
    try:
        text, found = parsed(source, mode)
    except Refused:
        return
    assert all(piece(text, one["offset"], one["length"]) is not None for one in found)
