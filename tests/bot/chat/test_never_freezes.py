"""A chat never grows into a state in which it cannot be answered, whatever is said, counted or summarised in it."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.long_chat import LongChat
from bot.chat.budget import MOST_EXCHANGES, Limits, most_tokens
from bot.chat.summary import SummaryPrompt
from bot.turns.model import Background
from engine.base import Role
from tests.fixtures.remembered import a_said

TEXTS = st.builds(
    lambda piece, times: piece * times,
    st.sampled_from(["word ", "7", "你好", "‹", "<|im_end|>", "e\u0301", "\n", "x#!", ""]),
    st.sampled_from([0, 1, 3, 10, 40, 150, 400, 3000]),
)
#: What becomes of a summary that is asked for: nothing, a text at once, or a text some turns later.
SUMMARIES = st.none() | st.tuples(TEXTS, st.integers(0, 3))
TURNS = st.lists(
    st.tuples(TEXTS, TEXTS, st.sampled_from([1 / 3, 0.8, 1.0, 1.3, 3.0]), SUMMARIES), min_size=1, max_size=40
)


def sparing(text: str) -> int:
    """Count four bytes a token: fewer than any real tokenizer."""
    return -(-most_tokens(text) // 4)


def usual(text: str) -> int:
    """Count two bytes a token, as for prose of many languages."""
    return -(-most_tokens(text) // 2)


class Summaries:
    """Summaries of one chat, on their way."""

    def __init__(self, chat: LongChat) -> None:
        self._chat = chat
        self._late: list[tuple[int, SummaryPrompt, str, int]] = []

    def step(self, summary: tuple[str, int] | None) -> None:
        """Ask for what is wanted, and store what is due now."""
        chat = self._chat
        request = chat.summary_request()
        if request is not None and summary is not None:
            text, turns = summary
            self._late.append((chat.ord + turns, request, text, chat.context.context_from))
        for due, *stored in list(self._late):
            if due <= chat.ord:
                self._late = [late for late in self._late if late[1] is not stored[0]]
                chat.summarised(stored[0], stored[1], seen_from=stored[2])


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    max_model_len=st.sampled_from([512, 700, 1024, 2048, 4096, 8192]),
    tokens=st.sampled_from([sparing, usual]),
    card=TEXTS,
    turns=TURNS,
)
def test_every_turn_gets_a_prompt_that_fits(max_model_len: int, tokens, card: str, turns):
    """Its reply has room; exchanges go at the front, whole; between cuts each prompt extends the one before."""
    chat = LongChat(limits=Limits(max_model_len=max_model_len), tokens=tokens)
    chat.context = replace(chat.context, background=Background(card=card))
    summaries, before = Summaries(chat), None
    for said, reply, misread, summary in turns:
        remembered = chat.context.exchanges
        made = chat.ask(a_said(said), reply=reply, misread=misread)
        assert chat.fits(made)
        assert made.reply_tokens > 0
        stayed = chat.context.exchanges[:-1]
        assert stayed == remembered[len(remembered) - len(stayed) :]
        assert [m.content for m in made.messages if m.role is Role.USER][-1 - len(stayed) :] == [
            one.prompt for one in chat.context.exchanges
        ]
        if before is not None and made.context_from is None and not chat.strict:
            assert made.messages[: len(before)] == before
            assert len(made.messages) == len(before) + 2
        before = None if chat.strict else made.messages
        summaries.step(summary)


def test_a_thousand_tiny_turns_are_cut_too():
    """However short they are, what SQL must read stays bounded."""
    chat = LongChat(limits=Limits(max_model_len=131_072), tokens=sparing)
    most = 0
    for _ in range(1000):
        chat.ask(a_said("ok"), reply="ok", misread=0.01)
        most = max(most, len(chat.context.exchanges))
    assert MOST_EXCHANGES // 2 < most <= MOST_EXCHANGES + 1
