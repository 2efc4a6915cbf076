"""What a client might make a link or a mention of: found in any text, and quickly."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.addresses import AddressKind, addresses


def found(text):
    return [(text[address.start : address.end], address.kind.value) for address in addresses(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://a.example/x. Then", [("https://a.example/x", "web")]),
        ("HTTPS://A.EXAMPLE", [("HTTPS://A.EXAMPLE", "web")]),
        ("(http://a.b/c_(d))", [("http://a.b/c_(d)", "web")]),
        ("[x](https://a.b)", [("https://a.b", "web")]),
        ("xhttps://a.b", [("xhttps://a.b", "web")]),
        ("http://localhost:8080/x", [("http://localhost:8080/x", "web")]),
        ("example.com", [("example.com", "web")]),
        ("example.com/path?q=1).", [("example.com/path?q=1", "web")]),
        ("example.com:8080, so", [("example.com:8080", "web")]),
        ("www.example.co.uk!", [("www.example.co.uk", "web")]),
        ("run main.py now", [("main.py", "web")]),
        ("1.2.3.4:80/x", [("1.2.3.4:80/x", "web")]),
        ("tg://resolve?domain=x", [("tg://resolve?domain=x", "web")]),
        ("tel:+155512345", [("tel:+155512345", "web")]),
        ("javascript:alert(1)", [("javascript:alert(1)", "web")]),
        ("例え.テスト です", [("例え.テスト", "web")]),
        ("भ.भारत", [("भ.भारत", "web")]),
        ("xn--e1afmkfd.xn--p1ai", [("xn--e1afmkfd.xn--p1ai", "web")]),
        ("https://a.example/x。请看", [("https://a.example/x", "web")]),
        ("a@b.com", [("a@b.com", "mail")]),
        ("mailto:a@b.com", [("mailto:a@b.com", "web")]),
        ("first.last+tag@sub.b.org;", [("first.last+tag@sub.b.org", "mail")]),
        ("@alice hi", [("@alice", "mention")]),
        ("hi (@alice, @bob)", [("@alice", "mention"), ("@bob", "mention")]),
        ("-@alice", [("@alice", "mention")]),
        ("@evil.com", [("@evil.com", "mail")]),
        ("see a.ac🇦", [("a.ac🇦", "web")]),
        ("x@y", []),
        ("3.11, e.g. this, U.S. that", []),
        ("Node.js and index.html", []),
        ("wait...what", []),
        ("10.5kg at 9.30am?", []),
        ("one / two // three", []),
        ("你好。世界", []),
        ("a.", []),
        ("", []),
    ],
)
def test_what_is_found(text, expected):
    assert found(text) == expected


@settings(max_examples=400, deadline=None)
@given(st.text() | st.text(alphabet="ab.@:/-+_ \n()x1。é\u200d'", max_size=80))
def test_any_text_is_looked_through(text):
    """Never an exception; spans are in order, apart, not empty, and hold no white space."""
    end = 0
    for address in addresses(text):
        assert end <= address.start < address.end <= len(text)
        assert not any(sign.isspace() for sign in text[address.start : address.end])
        end = address.end


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abc de.,()\n", max_size=40), st.text(alphabet="abc de.,()\n", max_size=40))
def test_a_url_is_found_wherever_it_stands(before, behind):
    text = f"{before} https://evil.example/x {behind}"
    assert ("https://evil.example/x", "web") in found(text)


@pytest.mark.parametrize(
    "piece", ["a", "a.", "@", "a@", "http", "://", "a-", "(", ")", "a.b/)", "+.", "http://("]
)
def test_a_long_text_takes_time_in_proportion(piece):
    """Ten times the text takes nowhere near a hundred times as long."""

    def took_s(count):
        text = piece * count
        started = time.perf_counter()
        for _ in addresses(text):
            pass
        return time.perf_counter() - started

    took_s(1_000)
    short, long = min(took_s(2_000) for _ in range(3)), min(took_s(20_000) for _ in range(3))
    assert long < 40 * short + 0.02


def test_kinds_are_told_apart():
    assert {address.kind for address in addresses("@a https://b.c d@e.fr")} == set(AddressKind)
