"""Which requests are our own page's, and what the page may do."""

import pytest

from adapters.webchat.security import Gate, page_policy
from adapters.webchat.settings import Create, WebchatRefused, WebchatSettings, checked

LOCAL = Gate(WebchatSettings())
PUBLIC = Gate(WebchatSettings(public_url="https://chat.example.org", behind_proxy=True))


@pytest.mark.parametrize(
    ("gate", "host", "known"),
    [
        (LOCAL, "127.0.0.1:8471", True),
        (LOCAL, "localhost:8471", True),
        (LOCAL, "LOCALHOST", True),
        (LOCAL, "[::1]:8471", True),
        (LOCAL, "127.0.0.2", True),
        (LOCAL, "", False),
        (LOCAL, "evil.example", False),
        (LOCAL, "127.0.0.1.evil.example", False),
        (LOCAL, "localhost.evil.example:8471", False),
        (LOCAL, "10.0.0.5", False),
        (LOCAL, "chat.example.org", False),
        (PUBLIC, "chat.example.org", True),
        (PUBLIC, "Chat.Example.org", True),
        (PUBLIC, "chat.example.org:444", False),
        (PUBLIC, "chat.example.org.evil.example", False),
        (PUBLIC, "127.0.0.1:8471", True),
    ],
)
def test_only_our_own_names_are_answered(gate, host, known):
    assert gate.knows_host(host) is known


@pytest.mark.parametrize(
    ("gate", "host", "origin", "site", "known"),
    [
        (LOCAL, "127.0.0.1:8471", "http://127.0.0.1:8471", "same-origin", True),
        (LOCAL, "127.0.0.1:8471", "http://127.0.0.1:8471", None, True),
        (LOCAL, "localhost:8471", "http://localhost:8471", None, True),
        (LOCAL, "127.0.0.1:8471", None, None, False),
        (LOCAL, "127.0.0.1:8471", "null", None, False),
        (LOCAL, "127.0.0.1:8471", "http://localhost:8471", None, False),
        (LOCAL, "127.0.0.1:8471", "http://127.0.0.1:9999", None, False),
        (LOCAL, "127.0.0.1:8471", "https://127.0.0.1:8471", None, False),
        (LOCAL, "127.0.0.1:8471", "https://evil.example", None, False),
        (LOCAL, "evil.example", "http://evil.example", None, False),
        (LOCAL, "127.0.0.1:8471", "http://127.0.0.1:8471", "cross-site", False),
        (LOCAL, "127.0.0.1:8471", "http://127.0.0.1:8471", "same-site", False),
        (PUBLIC, "chat.example.org", "https://chat.example.org", "same-origin", True),
        (PUBLIC, "chat.example.org", "http://chat.example.org", None, False),
        (PUBLIC, "chat.example.org", "https://evil.example", None, False),
        (PUBLIC, "127.0.0.1:8471", "http://127.0.0.1:8471", None, True),
    ],
)
def test_only_our_own_page_may_change_things(gate, host, origin, site, known):
    headers = {"Host": host, "Origin": origin, "Sec-Fetch-Site": site}
    sent = {name: value for name, value in headers.items() if value is not None}
    assert gate.knows_origin(sent) is known


def test_the_page_runs_nothing_but_its_own_scripts():
    policy = dict(part.split(" ", 1) for part in page_policy("n0nce").split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'nonce-n0nce' 'strict-dynamic'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert not [part for part in policy.values() if "unsafe" in part or "http" in part or "*" in part]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "0.0.0.0"}, "webchat.behind_proxy"),  # noqa: S104 - it is refused
        ({"host": "chat.example.org"}, "webchat.host"),
        ({"behind_proxy": True}, "webchat.public_url"),
        ({"sso_header": "X-User"}, "webchat.sso_header"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_unsafe_is_refused_with_what_to_set(settings, words):
    with pytest.raises(WebchatRefused, match=words):
        checked(WebchatSettings(**settings))


@pytest.mark.parametrize(
    ("settings", "anyone"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"behind_proxy": True, "public_url": "https://chat.example.org"}, False),
        ({"public_url": "https://chat.example.org"}, False),
        ({"create": Create.MEMBERS}, False),
        ({"create": Create.ANYONE, "behind_proxy": True, "public_url": "https://x.example"}, True),
    ],
    ids=str,
)
def test_anyone_comes_in_on_loopback_only_unless_it_is_set(settings, anyone):
    assert WebchatSettings(**settings).anyone_may_enter is anyone
