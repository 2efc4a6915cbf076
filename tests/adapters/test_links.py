"""A link is live only if its address stood in this chat or on the operator's list, however it is written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.content import Bold, Code, Content, Link, Paragraph, Text, plain
from adapters.links import NO_LINKS, KnownLinks, found_in, only_known, shown
from adapters.markdown import parse
from adapters.urls import canonical
from tests.adapters.test_split import CONTENT, walk

KNOWN = "https://docs.example.org/guide?a=1"

#: Other ways of writing the same address, and whether they are live where `https://docs.example.org/guide?a=1` stood.
VECTORS = [
    (KNOWN, True),
    ("HTTPS://docs.example.org/guide?a=1", True),
    ("https://DOCS.Example.ORG/guide?a=1", True),
    ("https://docs.example.org./guide?a=1", True),
    ("https://docs.example.org:443/guide?a=1", True),
    ("https://docs.example.org:0443/guide?a=1", True),
    ("https://docs.example.org:/guide?a=1", True),
    ("https://docs.example.org/guide/?a=1", True),
    ("https://docs.example.org/./guide?a=1", True),
    ("https://docs.example.org/x/../guide?a=1", True),
    ("https://docs.example.org/x/%2e%2e/guide?a=1", True),
    ("https://docs.example.org/g%75ide?a=1", True),
    ("https://docs.example.org/guide?%61=1", True),
    ("https://docs.example.org/guide?a=1#", True),
    ("//docs.example.org/guide?a=1", True),
    ("docs.example.org/guide?a=1", True),
    (" https://docs.example.org/guide?a=1 ", True),
    ("http://docs.example.org/guide?a=1", False),
    ("https://docs.example.org/guide?a=1#secret", False),
    ("https://docs.example.org/guide?a=2", False),
    ("https://docs.example.org/guide?a=1&b=secret", False),
    ("https://docs.example.org/guide", False),
    ("https://docs.example.org/Guide?a=1", False),
    ("https://docs.example.org/guide%2f?a=1", False),
    ("https://docs.example.org/guide;x?a=1", False),
    ("https://docs.example.org/other/guide?a=1", False),
    ("https://docs.example.org/guide%3fa=1", False),
    ("https://docs.example.org:8443/guide?a=1", False),
    ("https://docs.example.org:99999/guide?a=1", False),
    ("https://docs.example.org:443x/guide?a=1", False),
    ("https://docs.example.org.evil.example/guide?a=1", False),
    ("https://evil.example/docs.example.org/guide?a=1", False),
    ("https://evil.example?docs.example.org/guide?a=1", False),
    ("https://evil.example#docs.example.org/guide?a=1", False),
    ("https://xdocs.example.org/guide?a=1", False),
    ("https://example.org/guide?a=1", False),
    ("https://sub.docs.example.org/guide?a=1", False),
    ("https://docs.example.org@evil.example/guide?a=1", False),
    ("https://docs.example.org%40evil.example/guide?a=1", False),
    ("https://user@docs.example.org/guide?a=1", False),
    ("https://user:pw@docs.example.org/guide?a=1", False),
    ("https://@docs.example.org/guide?a=1", False),
    ("https:/docs.example.org/guide?a=1", False),
    ("https:docs.example.org/guide?a=1", False),
    ("https:///docs.example.org/guide?a=1", False),
    ("https:\\\\docs.example.org\\guide?a=1", False),
    ("https://evil.example\\@docs.example.org/guide?a=1", False),
    ("https://docs.example.org\\.evil.example/guide?a=1", False),
    ("https://d\u043ecs.example.org/guide?a=1", False),
    ("https://docs.ex\u0430mple.org/guide?a=1", False),
    ("https://docs.e\uff58ample.org/guide?a=1", False),
    ("https://\uff44\uff4f\uff43\uff53.example.org/guide?a=1", False),
    ("https://docs\u3002example.org/guide?a=1", False),
    ("https://docs\uff0eexample.org/guide?a=1", False),
    ("https://docs\u2024example.org/guide?a=1", False),
    ("https://docs.example.org\u2044guide?a=1", False),
    ("https://docs.example.org/gui\u200bde?a=1", False),
    ("https://docs.exam\u200dple.org/guide?a=1", False),
    ("https://docs.exam\u00adple.org/guide?a=1", False),
    ("https://\u202egro.elpmaxe.scod/guide?a=1", False),
    ("https://docs.example.org/\u202eediug?a=1", False),
    ("https://docs.example.org/guide\t?a=1", False),
    ("https://docs.example.org/guide\n?a=1", False),
    ("https://docs.example.org/gu ide?a=1", False),
    ("https://docs..example.org/guide?a=1", False),
    ("https://-docs.example.org/guide?a=1", False),
    ("https://xn--docs-.example.org/guide?a=1", False),
    ("https://[docs.example.org]/guide?a=1", False),
    ("ftp://docs.example.org/guide?a=1", False),
    ("javascript://docs.example.org/guide?a=1", False),
    ("tg://docs.example.org/guide?a=1", False),
    ("data:text/html,https://docs.example.org/guide?a=1", False),
    ("https://", False),
    ("", False),
]


@pytest.mark.parametrize(("url", "live"), VECTORS)
def test_only_the_address_that_stood_here_is_live(url, live):
    assert KnownLinks.of([KNOWN]).allow(url) is live


@pytest.mark.parametrize(
    ("known", "url", "live"),
    [
        pytest.param("http://a.example/x", "https://a.example/x", True, id="made safer"),
        pytest.param("a.example/x", "https://a.example/x", True, id="written without a scheme"),
        pytest.param("a.example", "http://a.example/", True, id="a bare host"),
        pytest.param("https://a.example/x#part", "https://a.example/x", True, id="fragment left out"),
        pytest.param("https://a.example/x#part", "https://a.example/x#part", True, id="fragment kept"),
        pytest.param("https://a.example/x#part", "https://a.example/x#other", False, id="another fragment"),
        pytest.param("https://bücher.example", "https://xn--bcher-kva.example", True, id="punycode"),
        pytest.param("https://BÜCHER.example", "https://bücher.example/", True, id="umlaut's case"),
        pytest.param("https://bu\u0308cher.example", "https://bücher.example/", True, id="composed"),
        pytest.param("https://straße.example", "https://strasse.example", False, id="sharp s is its own"),
        pytest.param("https://a.example/ä", "https://a.example/%C3%A4", True, id="path in UTF-8"),
        pytest.param("https://a.example/%c3%a4", "https://a.example/%C3%A4", True, id="small hex digits"),
        pytest.param("https://[::1]:443/x", "https://[::1]/x", True, id="IPv6"),
        pytest.param("https://127.0.0.1/x", "https://2130706433/x", False, id="a number for an address"),
        pytest.param("https://127.0.0.1/x", "https://0x7f.1/x", False, id="a hexadecimal address"),
        pytest.param("ann@a.example", "mailto:ann@a.example", True, id="mail"),
        pytest.param("ann@A.example", "mailto:ann@a.EXAMPLE", True, id="mail host's case"),
        pytest.param("ann@a.example", "mailto:bob@a.example", False, id="somebody else's mail"),
        pytest.param("ann@a.example", "mailto:ann@a.example?body=secret", False, id="mail with a body"),
        pytest.param("ann@a.example", "https://ann@a.example", False, id="mail is no login"),
    ],
)
def test_what_stood_here_and_what_is_written_now(known, url, live):
    assert KnownLinks.of([known]).allow(url) is live


@pytest.mark.parametrize(
    ("host", "url", "live"),
    [
        ("wiki.example.org", "https://wiki.example.org/any?thing#at-all", True),
        ("wiki.example.org", "http://WIKI.example.org:8080/x", True),
        ("wiki.example.org", "https://sub.wiki.example.org/", False),
        ("wiki.example.org", "https://wiki.example.org@evil.example/", False),
        ("wiki.example.org", "https://wiki.example.org.evil.example/", False),
        (".example.org", "https://a.b.example.org/", True),
        (".example.org", "https://example.org/", True),
        ("*.example.org", "https://a.example.org/", True),
        (".example.org", "https://badexample.org/", False),
        ("", "https:///", False),
    ],
)
def test_the_operators_hosts(host, url, live):
    assert KnownLinks.of(hosts=[host]).allow(url) is live


KEPT = KnownLinks.of([KNOWN, "ann@a.example"])


@pytest.mark.parametrize(
    ("markdown", "inlines"),
    [
        pytest.param(f"[the guide]({KNOWN})", (Link("the guide", KNOWN),), id="known"),
        pytest.param(f"<{KNOWN}>", (Link(KNOWN, KNOWN),), id="known address alone"),
        pytest.param(f"see {KNOWN}.", (Text("see "), Link(KNOWN, KNOWN), Text(".")), id="known in a text"),
        pytest.param("[x](https://evil.example/y)", (Text("x (https://evil.example/y)"),), id="unknown"),
        pytest.param("<https://evil.example/y>", (Text("https://evil.example/y"),), id="unknown alone"),
        pytest.param(
            f"**[x](https://evil.example) {KNOWN}**",
            (Bold((Text("x (https://evil.example)"), Text(" "), Link(KNOWN, KNOWN))),),
            id="within bold",
        ),
        pytest.param(
            f"[evil.example]({KNOWN})",
            (Text("evil.example ("), Link(KNOWN, KNOWN), Text(")")),
            id="a label that names another place",
        ),
        pytest.param(
            f"[docs.example.org/guide?a=1]({KNOWN})",
            (Link("docs.example.org/guide?a=1", KNOWN),),
            id="a label that names the same place",
        ),
        pytest.param(f"`{KNOWN}`", (Code(KNOWN),), id="code stays code"),
        pytest.param(
            "write to ann@a.example",
            (Text("write to "), Link("ann@a.example", "mailto:ann@a.example")),
            id="known mail",
        ),
        pytest.param("write to bob@a.example", (Text("write to bob@a.example"),), id="unknown mail"),
        pytest.param(
            "![x](https://evil.example/p.png)", (Text("x (https://evil.example/p.png)"),), id="picture"
        ),
    ],
)
def test_what_becomes_of_a_link(markdown, inlines):
    assert only_known(parse(markdown), KEPT) == Content((Paragraph(inlines),))


def links_of(content):
    return repr(content).count("Link(")


@settings(max_examples=150, deadline=None)
@given(CONTENT)
def test_without_known_addresses_nothing_is_live_and_nothing_is_lost(content):
    dead = only_known(content, NO_LINKS)
    assert links_of(dead) == 0
    before, after = "".join(walk(content.blocks)), "".join(walk(dead.blocks))
    letters = iter(after)
    assert all(letter in letters for letter in before if not letter.isspace())


@settings(max_examples=150, deadline=None)
@given(CONTENT, st.booleans())
def test_doing_it_twice_changes_nothing(content, known):
    kept = KnownLinks.of(["https://x.example"]) if known else NO_LINKS
    once = only_known(content, kept)
    assert only_known(once, kept) == once


@settings(max_examples=400, deadline=None)
@given(st.text() | st.from_regex(r"https?://[a-z.%:@\\/?#\u043e]{0,20}", fullmatch=True))
def test_any_text_has_one_form_or_none(url):
    """Never an exception, and the form is its own form."""
    address = canonical(url)
    assert address is None or canonical(address) == address
    only_known(plain(url), KnownLinks.of([url]))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab/.?#=&%41é", max_size=20))
def test_what_stood_here_may_be_written_again(rest):
    url = f"https://a.example/{rest}"
    assert KnownLinks.of([url]).allow(url) is (canonical(url) is not None)


def test_what_a_person_wrote_is_found():
    assert found_in("@ann see https://a.example/x, b.example or c@d.example!") == {
        "https://a.example/x",
        "b.example",
        "c@d.example",
    }


def test_a_host_that_looks_like_another_is_shown_in_punycode():
    assert shown("https://p\u0430ypal.example/x") == "https://xn--pypal-4ve.example/x/"
    assert shown("https://b\u00fccher.example/x") == "https://b\u00fccher.example/x"
    assert shown("https://日本語ドメイン.example") == "https://日本語ドメイン.example"
