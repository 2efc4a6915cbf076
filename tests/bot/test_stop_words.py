"""A word for "stop" alone stops; anything more is a question."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Addressed, Conversation, ConversationKind, Inbound, Person
from bot.ingress.addressing import STOP, address
from bot.ingress.names import Names
from bot.ingress.stop_words import is_stop
from bot.turns.model import Skill

NAMES = Names(("assistant",))


def said(text: str, kind: ConversationKind, addressed: Addressed = Addressed.NOT) -> Inbound:
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
    )


@pytest.mark.parametrize(
    "text",
    [
        *("stop", "Stop", "STOP!", " stop. ", "*stop*", "Stopp", "Arrête !", "para", "fermati"),
        *("стоп", "停止。", "ストップ", "그만", "توقف", "रुको"),
    ],
)
def test_a_word_for_stop_alone_in_a_direct_chat_stops(text: str) -> None:
    assert address(said(text, ConversationKind.DIRECT), NAMES).skill is STOP


@pytest.mark.parametrize(
    "text",
    ["stop that noise", "how do I stop a process?", "stopping", "don't stop", "full stop", "", "stop stop"],
)
def test_a_sentence_with_the_word_in_it_is_a_question(text: str) -> None:
    assert not is_stop(text)


@pytest.mark.parametrize("text", ["@assistant stop", "@assistant, stop!", "stop @assistant"])
def test_in_a_group_it_stops_when_it_calls_the_assistant(text: str) -> None:
    assert address(said(text, ConversationKind.GROUP), NAMES).skill is STOP


def test_in_a_group_it_stops_as_a_reply_to_the_assistant() -> None:
    event = said("stop", ConversationKind.GROUP, Addressed.REPLY_TO_ASSISTANT)
    assert address(event, NAMES).skill is STOP


def test_in_a_group_it_is_nothing_to_the_assistant_when_people_say_it_to_each_other() -> None:
    addressing = address(said("stop", ConversationKind.GROUP), NAMES)
    assert (addressing.addressed, addressing.skill) == (False, Skill.ANSWER)


@given(st.text())
def test_no_text_is_too_strange_to_look_at(text: str) -> None:
    assert is_stop(text) in (True, False)
