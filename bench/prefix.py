"""How much of each prompt the engine must compute again: `python -m bench.prefix [--long] [--json]`.

One seeded trace of group chats, 60 messages each, with several speakers, quotes, pauses, Redis erased, workers
restarted and cuts, is said three times to real vLLM with the embedded model, all in the same window:

* ours: the project's own path, through intake, journal, Redis, worker and summariser;
* naive: the clock in the first line and a window that slides message by message, as most bots do. Nothing of its
  prompts is found again, so it is asked at every so many turns alone, evenly spread;
* append: what the best assistants do. Appended to until full, then a separate request compacts what goes; as much
  stays word for word as in ours, half of the window.

Replies come at temperature 0. Without `--long` they are a few tokens, the window is small and it is one chat, so that
it ends in a few minutes; aims of its own tell whether something broke. The aims at 8,192 tokens are those of `--long`,
in which replies are as long as messages, with more chats than the embedded model's cache holds; it also prices 1,000
salts. How far ours is ahead of append depends on how often chats are cut, for nothing else differs: by 0.81 where
replies were of 8 tokens and messages half as long again, each chat being cut once and late. With `--short`
append also compacts down to a tenth of the window (`computed_over_append_short`), which computes less and remembers
less word for word.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.overhead import ROOT, real_engine
from bench.prefix_baselines import Append, Asking, Naive, isolation_tokens
from bench.prefix_meter import Asked, Metered, cached_share, computed_per_reply, first_token_s
from bench.prefix_ours import our_path
from bench.prefix_trace import Step, make_trace
from bench.report import Aim, Report, conclude
from bot.chat.budget import Limits
from bot.telemetry.events import BreakCause, Details, PrefixBroken
from engine.base import Engine

#: The turn of which times are compared.
TIMED_TURN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How large a run is."""

    #: The longest prompt, in tokens.
    window: int
    chats: int
    #: How many chats talk at a time; the others pause.
    talking: int
    #: Words of a message, in the mean.
    words: int
    turns: int = 60
    reply_tokens: int = 8
    #: Naive is asked at every so many turns.
    every: int = 10
    #: Chats whose first message is asked with a salt for each and with one for all.
    salts: int
    #: Whether append is also run with a tenth of the window kept.
    short: bool = False
    aims: Mapping[str, Aim]


QUICK = Plan(
    window=1536,
    chats=1,
    talking=1,
    words=20,
    reply_tokens=4,
    every=20,
    salts=8,
    aims={
        "cached_share": Aim(0.85),
        "computed_over_naive": Aim(0.15, at_most=True),
        "computed_over_append": Aim(0.8, at_most=True),
        "ttft_turn50_over_naive": Aim(0.5, at_most=True),
        "layout_breaks": Aim(0, at_most=True),
    },
)
LONG = Plan(
    window=8192,
    chats=4,
    talking=2,
    words=60,
    reply_tokens=64,
    every=20,
    salts=1000,
    aims={
        "cached_share": Aim(0.92),
        "computed_over_naive": Aim(0.1, at_most=True),
        "computed_over_append": Aim(0.8, at_most=True),
        "ttft_turn50_over_naive": Aim(1 / 3, at_most=True),
        "layout_breaks": Aim(0, at_most=True),
    },
)


async def measure(engine: Engine, plan: Plan) -> Report:
    """Say the trace in every way, and compare."""
    trace = make_trace(
        chats=plan.chats,
        turns=plan.turns,
        words=plan.words,
        reply_words=plan.reply_tokens,
        talking=plan.talking,
    )
    meter, limits = Metered(engine), await _limits(engine, plan)
    told: list[Details] = []
    async with our_path(
        meter, window=limits.prompt_tokens, reply_tokens=plan.reply_tokens, hooks=(told.append,)
    ) as path:
        ours = await _said(meter, trace, path.say)
    naive = await _said(meter, trace, _naive(meter, limits, plan).say)
    append = await _said(meter, trace, _append(meter, limits, plan, keeps=0.5).say)
    short = await _said(meter, trace, _append(meter, limits, plan, keeps=0.1).say) if plan.short else ()
    asking = Asking(meter, name="salts", reply_tokens=1)
    own, shared = await isolation_tokens(meter, chats=plan.salts, asking=asking)
    figures = compared(ours, naive, append, short)
    figures |= {"first_message_own_salt": own, "first_message_one_salt": shared}
    breaks = Counter(event.cause for event in told if isinstance(event, PrefixBroken))
    figures["layout_breaks"] = breaks[BreakCause.LAYOUT]
    return Report(name="prefix", figures=figures, aims=plan.aims, notes=_notes(plan, limits, breaks, ours))


def compared(
    ours: Sequence[Asked], naive: Sequence[Asked], append: Sequence[Asked], short: Sequence[Asked] = ()
) -> dict[str, float]:
    """Work out the figures from what each way cost."""
    computed = computed_per_reply(ours)
    figures = {
        "cached_share": cached_share(ours),
        "computed_over_naive": computed / computed_per_reply(naive),
        "computed_over_append": computed / computed_per_reply(append),
        "ttft_turn50_over_naive": first_token_s(ours, TIMED_TURN) / first_token_s(naive, TIMED_TURN),
        "computed_per_reply": computed,
        "naive_computed_per_reply": computed_per_reply(naive),
        "append_computed_per_reply": computed_per_reply(append),
        "naive_cached_share": cached_share(naive),
        "append_cached_share": cached_share(append),
        "ttft_turn50_s": first_token_s(ours, TIMED_TURN),
        "naive_ttft_turn50_s": first_token_s(naive, TIMED_TURN),
    }
    if short:
        figures["computed_over_append_short"] = computed / computed_per_reply(short)
    return figures


async def _limits(engine: Engine, plan: Plan) -> Limits:
    status = await engine.status()
    assert status.max_model_len is not None, "the engine does not say how long prompts may be"
    return Limits(
        max_model_len=status.max_model_len,
        wanted_reply_tokens=plan.reply_tokens,
        wanted_prompt_tokens=plan.window,
    )


async def _said(
    meter: Metered, trace: Iterable[Step], say: Callable[[Step], Awaitable[None]]
) -> Sequence[Asked]:
    asked = meter.begin()
    for step in trace:
        meter.chat, meter.turn = step.chat, step.turn
        await say(step)
    return asked


def _naive(meter: Metered, limits: Limits, plan: Plan) -> Naive:
    asking = Asking(meter, name="naive", reply_tokens=plan.reply_tokens)
    return Naive(asking, meter, window=limits.prompt_tokens, every=plan.every, probed=TIMED_TURN)


def _append(meter: Metered, limits: Limits, plan: Plan, *, keeps: float) -> Append:
    asking = Asking(meter, name=f"append {keeps}", reply_tokens=plan.reply_tokens)
    return Append(asking, limits, keeps=keeps)


def _notes(plan: Plan, limits: Limits, breaks: Counter[BreakCause], ours: Sequence[Asked]) -> tuple[str, ...]:
    causes = ", ".join(f"{cause.value} {number}" for cause, number in sorted(breaks.items())) or "none"
    summaries = sum(one.is_summary for one in ours)
    return (
        f"window {limits.prompt_tokens} tokens, {plan.chats} chats of {plan.turns} turns, {plan.talking} at a time",
        f"naive asked at every {plan.every}th turn; {summaries} summaries of ours; prefix breaks: {causes}",
        f"first_message_*: tokens computed for each of {plan.salts} chats' first messages, by who has a salt",
    )


async def _measure_real(data_dir: Path, plan: Plan) -> Report:
    async with real_engine(data_dir) as engine:
        return await measure(engine, plan)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--long", action="store_true", help="the window of 8,192 tokens; most of an hour")
    parser.add_argument("--short", action="store_true", help="compare also with an append that keeps a tenth")
    parser.add_argument(
        "--data-dir", type=Path, default=ROOT / "var", help="where the engine's environment is"
    )
    args = parser.parse_args()
    plan = replace(LONG if args.long else QUICK, short=args.short)
    report = asyncio.run(_measure_real(args.data_dir.absolute(), plan))
    conclude(report, as_json=args.json)


if __name__ == "__main__":
    main()
