"""What was said long ago is still in the prompt: in the log, in the summary or on the card (who, what, when).

A seeded chat of several people over the pure parts, with a summariser that keeps what it is told to keep. What a real
model keeps is its own matter; what reaches it, and what becomes of what it writes, is ours.
"""

import random
import re
from dataclasses import replace

import pytest

from adapters.base import ConversationKind
from bench.coherence import Recall, live, measure
from bench.long_chat import LongChat
from bench.long_talk import NOTE, Fact, Talk
from bot.chat.budget import Limits, likely_tokens
from bot.chat.card import card_of
from bot.chat.summary import SummaryPrompt
from bot.turns.model import Background, Memory
from engine.base import ChatMessage
from engine.scripted import ScriptedEngine

TURNS = 330
CARD = "- Eve: I am allergic to nuts"
#: A note as the log has it, and as a summary keeps it: who, when, what.
SAID = re.compile(rf"‹from (\w+), \w+ (\S+ \S+) UTC› {NOTE} (.*)")
KEPT = re.compile(rf"(\w+) (\S+ \S+) {NOTE} (.*)")


def a_chat(max_model_len: int) -> LongChat:
    chat = LongChat(
        limits=Limits(max_model_len=max_model_len), tokens=lambda text: len(text.encode()) // 4 + 1
    )
    chat.context = replace(chat.context, background=Background(card=CARD))
    return chat


def notes_in(messages: tuple[ChatMessage, ...]) -> str:
    """Write down every note that stands in a prompt, with who said it and when, as a good summariser would."""
    notes: dict[str, str] = {}
    for line in "\n".join(message.content for message in messages[1:-1]).split("\n"):
        if found := SAID.match(line) or KEPT.match(line):
            who, when, what = found.groups()
            notes.setdefault(what, f"{who} {when} {NOTE} {what}")
    return "\n".join(notes.values())


async def keep_notes(prompt: SummaryPrompt) -> str:
    return notes_in(prompt.messages)


async def forget_all(_prompt: SummaryPrompt) -> str:
    return ""


@pytest.mark.parametrize(
    ("max_model_len", "facts", "busy"),
    [(2048, 4, 0.0), (4096, 6, 0.3), (8192, 8, 0.3)],
    ids=["small", "middle", "embedded"],
)
@pytest.mark.parametrize("seed", range(5))
async def test_what_was_said_long_ago_is_still_known(seed: int, max_model_len: int, facts: int, busy: float):
    """Also where the engine is too busy for a summary every third time it is wanted."""
    recall, chat, chance = Recall(), a_chat(max_model_len), random.Random(seed)
    talk = Talk(seed, turns=TURNS, facts=facts)
    await live(talk, chat, keep_notes, recall, lambda: chance.random() < busy)
    assert recall.told == recall.looked
    assert recall.looked[30] == recall.looked[100] == facts
    assert recall.looked[300] >= 1
    assert recall.summaries >= 3


@pytest.mark.parametrize("max_model_len", [2048, 4096, 8192])
@pytest.mark.parametrize("seed", range(3))
async def test_what_is_remembered_needs_neither_the_log_nor_a_summary(seed: int, max_model_len: int):
    """The third way: what somebody has remembered is in every prompt from then on, who asked and what, word for word.

    Of facts that are asked to be remembered none is lost, though nobody ever makes a summary.
    """
    chat, talk = a_chat(max_model_len), Talk(seed, turns=TURNS, facts=6)
    asked, lines = [], 0
    for turn in range(TURNS):
        if (fact := talk.facts.get(turn)) is not None:
            asked.append(a_memory(len(asked) + 1, fact))
            card = card_of(asked, ConversationKind.GROUP)
            assert likely_tokens(card) <= chat.limits.background_tokens
            chat.context = replace(chat.context, background=Background(card=card))
        made = chat.ask(talk.said(turn), reply=talk.reply())
        shown = made.messages[1].content.split("\n")
        for one in asked:
            assert f"- {one.sender_name}: {one.text}" in shown
            lines += 1
    assert lines >= 6 * 100


def a_memory(number: int, fact: Fact) -> Memory:
    return Memory(
        id=f"turn-{fact.turn}", number=number, text=fact.what, sender_id=fact.who, sender_name=fact.who
    )


async def test_the_card_is_never_lost():
    chat = a_chat(2048)
    talk = Talk(1, turns=TURNS, facts=1)
    for turn in range(TURNS):
        made = chat.ask(talk.said(turn), reply=talk.reply())
        assert CARD in made.messages[1].content


async def test_a_summariser_that_forgets_is_found_out():
    """The same chat without summaries knows nothing of a hundred turns ago: the tests above can fail."""
    recall = Recall()
    await live(Talk(0, turns=TURNS, facts=4), a_chat(2048), forget_all, recall)
    assert (recall.known[100], recall.looked[100]) == (0, 4)


async def test_the_bench_reports_what_an_engines_summaries_keep():
    """With an engine that keeps every note it finds nothing missing; what it was asked is the wish for a summary."""
    engine = ScriptedEngine(lambda request: notes_in(request.messages), max_model_len=4096)
    report = await measure(engine, window=4096, talks=1)
    assert engine.requests
    assert all(request.messages[-1].content.startswith("‹summary wanted›") for request in engine.requests)
    assert set(report.figures.values()) == {1.0}
    assert report.met
