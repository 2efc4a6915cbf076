"""What becomes of an incoming message, whatever is in it."""

import os
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Addressed, Conversation, ConversationKind, Inbound, Person, Quoted
from bot.ingress.policy import Accept, Forget, Ignore, Refuse, Remember, Rules, Stop, as_rest, decide
from bot.turns.model import Consent, NoticeKind, Skill

RULES = Rules(names=("assistant",))


def said(text, *, kind=ConversationKind.DIRECT, **facts):
    event = Inbound(
        adapter="terminal",
        account="main",
        event_key="1",
        conversation=Conversation(ref="room", kind=kind),
        message="m1",
        sender=Person(id="p1", name="Ann"),
        text=text,
        addressed=Addressed.NOT,
        sent_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(event, **facts)


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
GARBAGE = {
    "a NUL": "hello\x00there",
    "a lone surrogate": "hello \ud83d",
    "reversed surrogates": "\ude00\ud83d",
    "controls": "\x01\x02\x03\x04\x05 abc",
    "a picture as Latin-1": PNG.decode("latin-1"),
    "a picture as UTF-8": PNG.decode("utf-8", errors="replace"),
    "a picture by surrogateescape": PNG.decode("utf-8", errors="surrogateescape"),
    "random bytes": random.Random(7).randbytes(500).replace(b"\0", b"\1").decode("utf-8", errors="replace"),
    "Cyrillic read as UTF-8": "Привет, как дела?".encode("cp1251").decode("utf-8", errors="replace"),
    "noncharacters": "\ufffe\uffff\ufdd0",
    "after a mention": "@assistant " + "\x01\x02\x03\x04\x05\x06",
}
READABLE = {
    "plain": "hello",
    "lines and tabs": "a\tb\r\nc\fd",
    "terminal colours": "\x1b[31mError\x1b[0m: no such file",
    "one undecodable letter": "caf\ufffd au lait, s'il vous pla\u00eet",
    "emoji": "\U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "Arabic": "ترجم هذا من فضلك",
    "Hindi": "इसका अनुवाद करें",
    "Zalgo": "h\u0341\u0342e\u0343l\u0344lo",
    "private use": "\uf8ff is the apple",
    "a next-line control": "one\u0085two",
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_no_text_is_refused_kindly_and_not_kept(text):
    decision = decide(said(text), RULES)
    assert isinstance(decision, Refuse)
    assert decision.kind is NoticeKind.UNREADABLE
    assert "could not read that message" in decision.text
    assert decision.event.text == ""


@pytest.mark.parametrize("text", READABLE.values(), ids=READABLE.keys())
def test_unusual_text_is_still_text(text):
    decision = decide(said(text), RULES)
    assert isinstance(decision, Accept)
    assert decision.text == text.strip()


def test_garbage_that_addresses_nobody_is_ignored_and_answered_with_nothing():
    assert isinstance(decide(said("\x00\x01", kind=ConversationKind.GROUP), RULES), Ignore)


def test_garbage_behind_a_mention_in_a_group_is_refused():
    decision = decide(said("@assistant \x00\x01", kind=ConversationKind.GROUP), RULES)
    assert isinstance(decision, Refuse)


@pytest.mark.parametrize("chars", [100_000, 200_000])
def test_a_very_long_text_is_accepted_whole(chars):
    decision = decide(said("x" * chars), RULES)
    assert isinstance(decision, Accept)
    assert len(decision.text) == chars


def test_a_text_beyond_the_cap_is_refused_with_both_lengths_named():
    decision = decide(said("x" * 200_001), RULES)
    assert isinstance(decision, Refuse)
    assert decision.kind is NoticeKind.TOO_LONG
    assert "200,001" in decision.text
    assert "200,000" in decision.text
    assert decision.event.text == ""


def test_the_cap_is_a_setting():
    rules = Rules(names=("assistant",), max_text_chars=10)
    assert isinstance(decide(said("x" * 10), rules), Accept)
    assert isinstance(decide(said("x" * 11), rules), Refuse)


def test_stop_is_a_decision_of_its_own():
    assert isinstance(decide(said("/stop"), RULES), Stop)


@pytest.mark.parametrize(
    ("text", "skill"),
    [("/help", Skill.HELP), ("/reset", Skill.RESET), ("@assistant", Skill.GREET), ("hi", Skill.ANSWER)],
)
def test_a_message_is_accepted_with_its_skill(text, skill):
    decision = decide(said(text), RULES)
    assert isinstance(decision, Accept)
    assert decision.skill is skill


def test_unstorable_characters_beside_the_text_are_replaced_and_refuse_nothing():
    event = said(
        "hello",
        sender=Person(id="p1", name="A\x00nn\ud800"),
        quoted=Quoted(ref="m0", author="B\ud800", text="x\x00y", by_assistant=False),
    )
    decision = decide(event, RULES)
    assert isinstance(decision, Accept)
    assert decision.event.sender == Person(id="p1", name="A\ufffdnn\ufffd")
    assert decision.event.quoted == Quoted(ref="m0", author="B\ufffd", text="x\ufffdy", by_assistant=False)


def test_a_clean_message_is_passed_on_as_it_came():
    event = said("hello")
    decision = decide(event, RULES)
    assert isinstance(decision, Accept)
    assert decision.event is event


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=20))
def test_whatever_is_accepted_or_refused_can_be_encoded(text, name):
    decision = decide(said(text, sender=Person(id="p1", name=name)), RULES)
    if isinstance(decision, Accept | Refuse):
        kept = decision.event.text + decision.event.sender.name + decision.text
        assert b"\x00" not in kept.encode()


@given(st.binary(min_size=64, max_size=400))
def test_random_bytes_never_break_the_decision(raw):
    for errors in ("replace", "surrogateescape"):
        decide(said(raw.decode("utf-8", errors=errors)), RULES)


def test_real_random_bytes_are_garbage():
    assert isinstance(decide(said(os.urandom(2_000).decode("utf-8", errors="replace")), RULES), Refuse)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(said(" and so on", kind=ConversationKind.GROUP), "and so on", id="addresses nobody"),
        pytest.param(said("and so on"), "and so on", id="in a direct chat"),
        pytest.param(said(""), None, id="a picture without words in a direct chat"),
        pytest.param(said("  ", kind=ConversationKind.GROUP), None, id="a picture without words"),
        pytest.param(said("\x00\x01", kind=ConversationKind.GROUP), None, id="garbage"),
        pytest.param(said("x" * 200_001, kind=ConversationKind.GROUP), None, id="too long"),
    ],
)
def test_the_rest_of_a_message_is_taken_where_there_is_anything_to_read(event, expected) -> None:
    decision = as_rest(event, decide(event, RULES), RULES)
    if expected is None:
        assert decision == Ignore()
    else:
        assert isinstance(decision, Accept)
        assert (decision.skill, decision.text) == (Skill.ANSWER, expected)


def test_a_command_stays_one_whatever_it_follows() -> None:
    event = said("/help")
    assert as_rest(event, decide(event, RULES), RULES) == decide(event, RULES)


GROUP = ConversationKind.GROUP
ANN = Person(id="p1", name="Ann")
BOBS = Quoted(ref="m0", author="Bob", text="the canary", by_assistant=False, author_id="p2")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("@assistant hi", GROUP, id="a mention"),
        pytest.param("good morning", GROUP, id="to nobody"),
        pytest.param("hi", ConversationKind.DIRECT, id="in a direct chat"),
        pytest.param("/help", GROUP, id="another command"),
        pytest.param("@assistant /privacy", GROUP, id="a look at the settings"),
        pytest.param("@assistant /privacy mentions", GROUP, id="another mode"),
        pytest.param("@assistant /stop", GROUP, id="a stop"),
        pytest.param("@assistant \x00", GROUP, id="garbage"),
        pytest.param("@assistant " + "x" * 200_001, GROUP, id="too long"),
        pytest.param("@assistant what does /privacy on mean?", GROUP, id="about the command"),
        pytest.param("@assistant /export", GROUP, id="what is answered in direct chats only"),
    ],
)
def test_a_chat_that_switched_it_off_is_ignored(text, kind):
    assert decide(said(text, kind=kind), RULES, Consent.OFF) == Ignore()


def test_what_is_kept_is_shown_where_it_is_switched_off_too():
    decision = decide(said("/export", kind=ConversationKind.DIRECT), RULES, Consent.OFF)
    assert isinstance(decision, Accept)
    assert decision.skill is Skill.EXPORT


@pytest.mark.parametrize("text", ["/privacy on", "@assistant /privacy on", "/privacy@assistant ON!"])
def test_a_chat_that_switched_it_off_can_switch_it_on(text):
    decision = decide(said(text, kind=GROUP), RULES, Consent.OFF)
    assert isinstance(decision, Accept)
    assert decision.skill is Skill.PRIVACY


@pytest.mark.parametrize("consent", [Consent.MENTIONS, Consent.QUOTED])
def test_what_addresses_nobody_is_ignored_where_nothing_else_is_allowed(consent):
    assert decide(said("good morning", kind=GROUP), RULES, consent) == Ignore()


@pytest.mark.parametrize(
    ("text", "remembered"),
    [
        pytest.param("good morning", True, id="words"),
        pytest.param("  ", False, id="no words"),
        pytest.param("\x00\x01", False, id="garbage"),
        pytest.param("x" * 200_001, False, id="too long"),
    ],
)
def test_what_addresses_nobody_is_remembered_where_the_chat_allows_it(text, remembered):
    decision = decide(said(text, kind=GROUP), RULES, Consent.RECENT)
    assert isinstance(decision, Remember) == remembered


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=20))
def test_whatever_is_remembered_can_be_encoded(text, name):
    decision = decide(said(text, kind=GROUP, sender=Person(id="p1", name=name)), RULES, Consent.RECENT)
    if isinstance(decision, Remember):
        (decision.event.sender.name + decision.event.text).encode()


@pytest.mark.parametrize(
    ("consent", "kind", "quoted", "is_seen"),
    [
        pytest.param(Consent.MENTIONS, GROUP, BOBS, False, id="somebody's"),
        pytest.param(Consent.QUOTED, GROUP, BOBS, True, id="somebody's, allowed"),
        pytest.param(Consent.RECENT, GROUP, BOBS, True, id="somebody's, with the others"),
        pytest.param(Consent.MENTIONS, ConversationKind.DIRECT, BOBS, True, id="in a direct chat"),
        pytest.param(Consent.MENTIONS, GROUP, replace(BOBS, author_id=ANN.id), True, id="the asker's own"),
        pytest.param(
            Consent.MENTIONS, GROUP, replace(BOBS, author=ANN.name), False, id="of the asker's name"
        ),
        pytest.param(Consent.MENTIONS, GROUP, replace(BOBS, by_assistant=True), True, id="the assistant's"),
    ],
)
def test_what_a_mention_replies_to_is_seen_where_the_chat_allows_it(consent, kind, quoted, is_seen):
    decision = decide(said("@assistant translate this", kind=kind, quoted=quoted), RULES, consent)
    assert isinstance(decision, Accept)
    assert ("canary" in repr(decision)) == is_seen


def test_a_bare_call_about_an_unseen_message_is_only_a_call():
    decision = decide(said("@assistant", kind=GROUP, quoted=BOBS), RULES)
    assert isinstance(decision, Accept)
    assert decision.skill is Skill.GREET


@pytest.mark.parametrize("text", ["/forget me", "@assistant /forget me"])
def test_a_wish_to_be_forgotten_counts_where_it_is_switched_off(text):
    assert isinstance(decide(said(text, kind=GROUP), RULES, Consent.OFF), Forget)


@pytest.mark.parametrize(("consent", "is_seen"), [(Consent.MENTIONS, False), (Consent.QUOTED, True)])
def test_the_rest_of_a_message_shows_no_more_than_its_beginning(consent, is_seen):
    event = said("and so on", kind=GROUP, quoted=BOBS)
    decision = as_rest(event, decide(event, RULES, consent), RULES, consent)
    assert isinstance(decision, Accept)
    assert ("canary" in repr(decision)) == is_seen
