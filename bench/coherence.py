"""What a chat still knows of long ago: `python -m bench.coherence [--long] [--json]`.

A seeded talk of several people; now and then one of them says a code that must be remembered. The prompts are the
project's own; only their summaries are made by the real model, the embedded one on vLLM, and each is taken at the
next cut. Thirty, a hundred and three hundred turns later it is looked up whether the code is still in the prompt
(`known_at_30`, ...), and whether it stands there with who said it and when (`told_at_30`, ...).

These figures are the model's and have no aim: `tests/bot/chat/test_coherence.py` shows that nothing is lost on our
side. Without `--long` it is one talk in a window of 4,096 tokens; with it three, at 8,192.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.long_chat import LongChat
from bench.long_talk import Talk, is_known, is_told
from bench.overhead import ROOT, real_engine
from bench.report import Report, conclude
from bot.chat.budget import Limits, likely_tokens
from bot.chat.summary import SummaryPrompt
from engine.base import ChatRequest, Delta, Engine

DISTANCES = (30, 100, 300)
TURNS = 330
FACTS = 6
#: Estimates are higher than what the embedded model's tokenizer makes of such words, by about this factor.
HIGH_BY = 1.5
PATIENCE_S = 300.0

#: Returns what is said to a request for a summary.
Summarise = Callable[[SummaryPrompt], Awaitable[str]]


@dataclass(slots=True)
class Recall:
    """How much was looked for at each distance, and how much of that was there."""

    looked: Counter[int] = field(default_factory=Counter)
    known: Counter[int] = field(default_factory=Counter)
    told: Counter[int] = field(default_factory=Counter)
    summaries: int = 0

    def look(self, talk: Talk, turn: int, prompt: str) -> None:
        """Look for what was said so many turns before."""
        for distance in DISTANCES:
            if (fact := talk.facts.get(turn - distance)) is not None:
                self.looked[distance] += 1
                self.known[distance] += is_known(prompt, fact)
                self.told[distance] += is_told(prompt, fact)


async def live(
    talk: Talk,
    chat: LongChat,
    summarise: Summarise,
    recall: Recall,
    is_busy: Callable[[], bool] = lambda: False,
) -> None:
    """Have the whole talk; a summary that is asked for comes one turn later, and none is while the engine is busy."""
    pending: tuple[SummaryPrompt, int] | None = None
    for turn in range(talk.turns):
        made = chat.ask(talk.said(turn), reply=talk.reply())
        recall.look(talk, turn, "\n".join(message.content for message in made.messages))
        if pending is not None:
            request, seen_from = pending
            chat.summarised(request, await summarise(request), seen_from=seen_from)
            recall.summaries += 1
            pending = None
        elif chat.wanted is not None and not is_busy():
            wish = chat.summary_request()
            pending = (wish, chat.context.context_from) if wish else None


def by_engine(engine: Engine) -> Summarise:
    """Have an engine make the summaries, as the worker asks for them."""

    async def summarise(prompt: SummaryPrompt) -> str:
        request = ChatRequest(
            request_id=f"summary-{prompt.up_to}",
            messages=prompt.messages,
            max_tokens=prompt.most_tokens,
            first_token_s=PATIENCE_S,
            stall_s=PATIENCE_S,
            total_s=PATIENCE_S,
            temperature=0.0,
        )
        async with engine.stream(request) as events:
            return "".join([event.text async for event in events if isinstance(event, Delta)])

    return summarise


async def measure(engine: Engine, *, window: int, talks: int, turns: int = TURNS) -> Report:
    """Have talks with an engine's summaries and report what is left of what was said."""
    recall = Recall()
    for seed in range(talks):
        chat = LongChat(
            limits=Limits(max_model_len=window), tokens=lambda text: round(likely_tokens(text) / HIGH_BY)
        )
        await live(Talk(seed, turns=turns, facts=FACTS), chat, by_engine(engine), recall)
    figures = {
        f"{name}_at_{distance}": counter[distance] / looked
        for name, counter in (("known", recall.known), ("told", recall.told))
        for distance, looked in sorted(recall.looked.items())
    }
    looked = ", ".join(f"{many} at {distance}" for distance, many in sorted(recall.looked.items()))
    notes = (
        f"window {window} tokens, {talks} talks of {turns} turns, {recall.summaries} summaries",
        f"looked up: {looked} turns",
    )
    return Report(name="coherence", figures=figures, aims={}, notes=notes)


async def _measure_real(data_dir: Path, *, window: int, talks: int) -> Report:
    async with real_engine(data_dir) as engine:
        return await measure(engine, window=window, talks=talks)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--long", action="store_true", help="three talks in the window of 8,192 tokens")
    parser.add_argument(
        "--data-dir", type=Path, default=ROOT / "var", help="where the engine's environment is"
    )
    args = parser.parse_args()
    window, talks = (8192, 3) if args.long else (4096, 1)
    report = asyncio.run(_measure_real(args.data_dir.absolute(), window=window, talks=talks))
    conclude(report, as_json=args.json)


if __name__ == "__main__":
    main()
