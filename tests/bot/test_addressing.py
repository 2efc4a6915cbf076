"""Whether a message speaks to the assistant: a table of what people type, and properties of any text."""

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Addressed, Conversation, ConversationKind, Inbound, Person, Quoted
from bot.ingress.addressing import NOT_ADDRESSED, STOP, address
from bot.ingress.names import Names
from bot.turns.model import Skill

NAMES = Names(("assistant", "Zoé", "助手", "Meta AI", "a-b"))


def said(text, *, kind=ConversationKind.GROUP, addressed=Addressed.NOT, quoted=None, mentions_known=False):
    return Inbound(
        adapter="terminal",
        account="main",
        event_key="1",
        conversation=Conversation(ref="room", kind=kind),
        message="m1",
        sender=Person(id="p1", name="Ann"),
        text=text,
        addressed=addressed,
        sent_at=datetime(2026, 1, 1, tzinfo=UTC),
        quoted=quoted,
        mentions_known=mentions_known,
    )


def quote(*, by_assistant):
    return Quoted(ref="m0", author="Bob", text="The train leaves at nine.", by_assistant=by_assistant)


IGNORED_IN_A_GROUP = [
    "",
    "hello",
    "assistant, help",
    "the assistant",
    "@",
    "@ assistant",
    "@assistants are great",
    "@assistant2",
    "@assistant_bot hi",
    "@assistant__x",
    "@my_assistant",
    "mail ann@assistant",
    "mail ann@assistant.com",
    "mail ann.lee@assistant.example.org please",
    "ann+tag@assistant",
    "ann+@assistant",
    "ann_@assistant",
    "ann-@assistant",
    "ünal@assistant",
    "é@assistant",
    unicodedata.normalize("NFD", "é@assistant"),
    "привет@assistant",
    "@assistant.com",
    "@assistant.example.org",
    "@assistant-two hi",
    "@assistant@example.social",
    "@assistant:matrix.example.org",
    "@assistant/core",
    "https://example.org/@assistant",
    "https://example.org/@assistant/posts",
    "@assistanté",
    "@assistant\u0301",
    "@assistant\u200c\u0647\u0627",
    "@ассистент",
    "@Zo",
    "@Zoe",
    "@助手席",
    "@Meta",
    "@MetaAIs",
    "@a-bc",
    "/helpful",
    "/remembered",
    "remember that Eve hates tea",
    "/help@somebody",
    "/help/me",
    "see /help",
    "//help",
    "/unknown",
    "/stop, please",
    "# /reset",
]

ADDRESSED_IN_A_GROUP = [
    ("@assistant translate this", Skill.ANSWER, "translate this"),
    ("@ASSISTANT translate this", Skill.ANSWER, "translate this"),
    ("  @Assistant,\ttranslate this \n", Skill.ANSWER, "translate this"),
    ("@assistant: translate this", Skill.ANSWER, "translate this"),
    ("@assistant! wake up", Skill.ANSWER, "wake up"),
    ("@assistant - translate this", Skill.ANSWER, "translate this"),
    ("@assistant -5 + 3?", Skill.ANSWER, "-5 + 3?"),
    ("@assistant .env files?", Skill.ANSWER, ".env files?"),
    ("@assistant...help", Skill.ANSWER, "help"),
    ("@assistant\ntranslate this", Skill.ANSWER, "translate this"),
    ("@assistant @assistant twice", Skill.ANSWER, "twice"),
    ("\u2068@assistant\u2069 isolated", Skill.ANSWER, "isolated"),
    ("\uff20assistant full width", Skill.ANSWER, "full width"),
    ("translate this, @assistant", Skill.ANSWER, "translate this"),
    ("what is this, @assistant?", Skill.ANSWER, "what is this?"),
    ("Look at this. @assistant", Skill.ANSWER, "Look at this."),
    ("Look at this\n@assistant", Skill.ANSWER, "Look at this"),
    ("who made @assistant?", Skill.ANSWER, "who made @assistant?"),
    ("hey @assistant, hello", Skill.ANSWER, "hey @assistant, hello"),
    ("(@assistant) hello", Skill.ANSWER, "(@assistant) hello"),
    ("_@assistant_ hello", Skill.ANSWER, "_@assistant_ hello"),
    ("**@assistant** hello", Skill.ANSWER, "**@assistant** hello"),
    ("thanks.@assistant is nice", Skill.ANSWER, "thanks.@assistant is nice"),
    ("hey,@assistant what", Skill.ANSWER, "hey,@assistant what"),
    ("@assistant's answer was wrong", Skill.ANSWER, "@assistant's answer was wrong"),
    ("mail ann@assistant.com, @assistant", Skill.ANSWER, "mail ann@assistant.com"),
    ("@assistant mail ann@assistant.com", Skill.ANSWER, "mail ann@assistant.com"),
    ("@assistant翻译这个", Skill.ANSWER, "翻译这个"),
    ("请@assistant翻译", Skill.ANSWER, "请@assistant翻译"),
    ("@assistant야 번역해줘", Skill.ANSWER, "야 번역해줘"),
    ("@助手 翻译", Skill.ANSWER, "翻译"),
    ("@助手\uff0c翻译", Skill.ANSWER, "翻译"),
    ("请@助手 翻译", Skill.ANSWER, "请@助手 翻译"),
    ("@zoé bonjour", Skill.ANSWER, "bonjour"),
    ("@ZOÉ bonjour", Skill.ANSWER, "bonjour"),
    (unicodedata.normalize("NFD", "@Zoé bonjour"), Skill.ANSWER, "bonjour"),
    ("@meta  ai hello", Skill.ANSWER, "hello"),
    ("@a-b hello", Skill.ANSWER, "hello"),
    ("@assistant 👍", Skill.ANSWER, "👍"),
    ("@assistant ???", Skill.ANSWER, "???"),
    ("@assistant /unknown thing", Skill.ANSWER, "/unknown thing"),
    ("@assistant what does /help do", Skill.ANSWER, "what does /help do"),
    ("@assistant", Skill.GREET, ""),
    ("  @assistant \n", Skill.GREET, ""),
    ("@assistant?", Skill.GREET, ""),
    ("@assistant!!!", Skill.GREET, ""),
    ("**@assistant**", Skill.GREET, ""),
    ("(@assistant)", Skill.GREET, ""),
    ("@assistant, @assistant!", Skill.GREET, ""),
    ("\u200b@assistant\u200b", Skill.GREET, ""),
    ("/help", Skill.HELP, "/help"),
    ("  /HELP  ", Skill.HELP, "/HELP"),
    ("/help me", Skill.HELP, "/help me"),
    ("/help@assistant", Skill.HELP, "/help@assistant"),
    ("/reset@Assistant!", Skill.RESET, "/reset@Assistant!"),
    ("@assistant /reset", Skill.RESET, "/reset"),
    ("@assistant, /help", Skill.HELP, "/help"),
    ("/reset", Skill.RESET, "/reset"),
    ("/privacy", Skill.PRIVACY, "/privacy"),
    ("@assistant /privacy recent 5 2", Skill.PRIVACY, "/privacy recent 5 2"),
    ("/privacy@assistant off", Skill.PRIVACY, "/privacy@assistant off"),
    ("/remember tea", Skill.REMEMBER, "/remember tea"),
    ("@assistant /remember", Skill.REMEMBER, "/remember"),
    ("/remember@assistant tea", Skill.REMEMBER, "/remember@assistant tea"),
    ("@assistant remember that Eve hates tea", Skill.REMEMBER, "remember that Eve hates tea"),
    ("remember that Eve hates tea, @assistant", Skill.REMEMBER, "remember that Eve hates tea"),
    ("@assistant, please remember: tea", Skill.REMEMBER, "please remember: tea"),
    ("@assistant remember that film", Skill.ANSWER, "remember that film"),
    ("@assistant do you remember that Eve hates tea?", Skill.ANSWER, "do you remember that Eve hates tea?"),
    ("remember that Eve hates tea @assistant?", Skill.ANSWER, "remember that Eve hates tea @assistant?"),
    ("/memories", Skill.MEMORIES, "/memories"),
    ("/memories delete 3", Skill.MEMORIES, "/memories delete 3"),
    ("/stop", STOP, "/stop"),
    ("/stop!", STOP, "/stop!"),
    ("@assistant /stop", STOP, "/stop"),
]


@pytest.mark.parametrize("text", IGNORED_IN_A_GROUP, ids=ascii)
def test_a_group_message_that_names_nobody_here_is_ignored(text):
    assert address(said(text), NAMES) is NOT_ADDRESSED


@pytest.mark.parametrize(
    ("text", "skill", "rest"), ADDRESSED_IN_A_GROUP, ids=[ascii(t) for t, _, _ in ADDRESSED_IN_A_GROUP]
)
def test_a_group_message_that_calls_the_assistant_is_read(text, skill, rest):
    addressing = address(said(text), NAMES)
    assert (addressing.addressed, addressing.skill, addressing.prompt_text) == (True, skill, rest)


@pytest.mark.parametrize(
    ("text", "skill", "rest"),
    [
        ("hello", Skill.ANSWER, "hello"),
        ("?", Skill.ANSWER, "?"),
        ("mail ann@assistant.com", Skill.ANSWER, "mail ann@assistant.com"),
        ("@assistant hello", Skill.ANSWER, "hello"),
        ("", Skill.GREET, ""),
        (" \n ", Skill.GREET, ""),
        ("@assistant", Skill.GREET, ""),
        ("/help", Skill.HELP, "/help"),
        ("/stop", STOP, "/stop"),
        ("/help@somebody", Skill.ANSWER, "/help@somebody"),
    ],
    ids=ascii,
)
def test_everything_in_a_direct_chat_is_addressed(text, skill, rest):
    addressing = address(said(text, kind=ConversationKind.DIRECT), NAMES)
    assert (addressing.addressed, addressing.skill, addressing.prompt_text) == (True, skill, rest)


def test_a_reply_to_the_assistant_needs_no_name():
    event = said("and tomorrow?", addressed=Addressed.REPLY_TO_ASSISTANT, quoted=quote(by_assistant=True))
    addressing = address(event, NAMES)
    assert (addressing.addressed, addressing.prompt_text) == (True, "and tomorrow?")


def test_a_bare_mention_in_reply_to_somebody_asks_about_what_they_said():
    addressing = address(said("@assistant", quoted=quote(by_assistant=False)), NAMES)
    assert (addressing.skill, addressing.prompt_text) == (Skill.ANSWER, "@assistant")


def test_a_bare_mention_in_reply_to_the_assistant_is_a_greeting():
    event = said("@assistant", addressed=Addressed.REPLY_TO_ASSISTANT, quoted=quote(by_assistant=True))
    assert address(event, NAMES).skill is Skill.GREET


@pytest.mark.parametrize("text", ["@assistant hello", "/help", "/stop"])
def test_where_the_platform_tells_mentions_no_name_or_bare_command_is_read(text):
    assert address(said(text, mentions_known=True), NAMES) is NOT_ADDRESSED


def test_where_the_platform_tells_mentions_its_word_covers_a_command_for_its_own_name_of_us():
    event = said("/help@aside_bot", mentions_known=True, addressed=Addressed.MENTION)
    assert address(event, NAMES).skill is Skill.HELP


def test_without_names_only_the_platforms_facts_address():
    assert address(said("@assistant @ hello"), Names(())) is NOT_ADDRESSED


def test_a_configured_name_may_carry_its_sign():
    assert address(said("@helper hi"), Names((" @helper ",))).prompt_text == "hi"


def test_the_longer_of_two_names_wins():
    assert address(said("@ann-two hi"), Names(("ann", "ann-two"))).prompt_text == "hi"


ascii_word = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789", min_size=1, max_size=8)
around = st.text('., !?;:()[]"\n\t—…', max_size=6)
cased = st.sampled_from(["assistant", "Assistant", "ASSISTANT", "aSsIsTaNt"])


@given(
    before=st.text("abc ,.!?\n", max_size=20),
    lead=st.sampled_from([" ", "\n", "(", '"', ", ", "! ", "*"]),
    name=cased,
    tail=st.sampled_from(["", " ", ",", "?", "!", ")", "\n", ": ", "\u2026", "'s"]),
    after=st.text("abc ,.!?\n", max_size=20),
)
def test_a_mention_between_punctuation_is_always_found(before, lead, name, tail, after):
    assert address(said(f"{before}{lead}@{name}{tail} {after}"), NAMES).addressed


@given(
    local=st.builds(str.__add__, ascii_word, st.sampled_from(["", ".x", "+x", "_", "-", "%x"])),
    domain=st.builds(str.__add__, cased, st.sampled_from(["", ".com", ".example.org", ".co.uk"])),
    before=around,
    after=around,
)
def test_an_e_mail_address_is_never_a_mention(local, domain, before, after):
    assert not address(said(f"{before}{local}@{domain}{after} "), NAMES).addressed


@given(before=ascii_word, after=ascii_word, name=cased)
def test_a_longer_word_is_never_a_mention(before, after, name):
    assert not address(said(f"@{before}{name}"), NAMES).addressed
    assert not address(said(f"@{name}{after}"), NAMES).addressed
    assert not address(said(f"{before}@{name}"), NAMES).addressed


@given(st.text(max_size=200))
def test_any_text_is_read_without_failing_and_nothing_is_invented(text):
    addressing = address(said(text, kind=ConversationKind.DIRECT), NAMES)
    assert addressing.addressed
    assert len(addressing.prompt_text) <= len(text)


@given(st.text(st.characters(exclude_characters="@\uff20/"), max_size=200))
def test_without_a_sign_or_a_slash_a_group_message_is_never_addressed(text):
    assert address(said(text), NAMES) is NOT_ADDRESSED


calls = st.sampled_from(
    ["@assistant", "@Zoé", "\uff20助手", "@meta  ai", "@a-b", "@other", "assistant", "a@b"]
)
between = st.sampled_from(
    ["x", "翻译", " ", ",", ".", "!", "\n", "\u200b", "\u00a0", "\u200d", "-", "'s", ")", ":", "_"]
)


@given(st.lists(calls | between, max_size=8).map("".join))
def test_what_is_found_by_taking_a_call_off_is_what_a_search_of_the_whole_text_finds(text):
    assert address(said(text), NAMES).addressed == NAMES.named_in(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "@" * 200_000,
        "@assistant" * 20_000,
        "@assistant, " * 16_000,
        "x, @assistant" + " " * 180_000 + "y",
        " " * 199_000 + ", @assistant",
        "@assistant" + "," * 199_000 + "y",
        "@assistant" + "_" * 199_000 + "y",
        "+" * 199_000 + "@assistant",
        "@assistant:" + "a" * 199_000,
        "_@assistant" * 18_000,
        ("a" + "_" * 50 + "@assistant") * 3_000,
        "@meta" + " " * 199_000,
        ("@meta" + " " * 100) * 1_900,
    ],
    ids=lambda text: ascii(text[:24]),
)
def test_a_hostile_text_costs_time_in_proportion_to_its_length(text):
    """Quadratic behaviour would take minutes at these lengths, and meet the timeout."""
    address(said(text), NAMES)
