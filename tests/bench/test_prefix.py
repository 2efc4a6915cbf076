"""The arithmetic of `bench.prefix`: what counts, what is compared with what, and that the trace is fair to all."""

from dataclasses import replace
from itertools import groupby
from statistics import mean

import pytest

from bench.prefix import LONG, QUICK, TIMED_TURN, Plan, compared, measure
from bench.prefix_baselines import Append, Asking, Naive, isolation_tokens, newest, user
from bench.prefix_meter import Asked, Metered, cached_share, computed_per_reply, first_token_s
from bench.prefix_ours import our_path
from bench.prefix_trace import UPSETS, Step, Upset, make_trace
from bot.chat.budget import Limits
from engine.base import ChatRequest
from engine.scripted import ScriptedEngine

REPLY = "considerable information regarding everything discussed"
LIMITS = Limits(max_model_len=8192, wanted_reply_tokens=16, wanted_prompt_tokens=1024)


def asked(
    prompt: int, cached: int = 0, *, turn: int = 1, chat: int = 0, s: float = 1.0, **more: bool
) -> Asked:
    return Asked(chat=chat, turn=turn, prompt_tokens=prompt, cached_tokens=cached, first_token_s=s, **more)


def engine() -> ScriptedEngine:
    return ScriptedEngine(lambda request: REPLY)


def trace(*, chats: int = 1, turns: int = 60) -> list[Step]:
    return make_trace(chats=chats, turns=turns, words=20, reply_words=8, talking=2)


def test_the_share_is_weighted_by_tokens() -> None:
    assert cached_share([asked(100, 0), asked(900, 900)]) == 0.9


def test_summaries_are_paid_for_by_the_replies() -> None:
    assert computed_per_reply([asked(100, 60), asked(100, 80), asked(500, 440, is_summary=True)]) == 60


def test_a_probe_counts_for_its_time_alone() -> None:
    both = [asked(100, 50, s=1), asked(7000, turn=50, s=9, is_probe=True)]
    assert (cached_share(both), computed_per_reply(both), first_token_s(both, 50)) == (0.5, 50, 9)


def test_times_are_the_median_of_the_chats_replies_at_that_turn() -> None:
    times = [asked(9, turn=50, chat=chat, s=s) for chat, s in enumerate((1.0, 2.0, 30.0))]
    others = [asked(9, turn=49, s=99), asked(9, turn=50, s=99, is_summary=True)]
    assert first_token_s([*times, *others], 50) == 2.0


def test_the_ways_are_compared() -> None:
    ours = [asked(1000, 900, turn=TIMED_TURN, s=1), asked(1000, 980, is_summary=True)]
    naive = [asked(1200, turn=TIMED_TURN, s=4)]
    append = [asked(1000, 900), asked(60, is_summary=True)]
    figures = compared(ours, naive, append, short=[asked(1000, 880)])
    assert figures["cached_share"] == 0.94
    assert figures["computed_per_reply"] == 120
    assert figures["computed_over_naive"] == 0.1
    assert figures["computed_over_append"] == 0.75
    assert figures["computed_over_append_short"] == 1
    assert figures["ttft_turn50_over_naive"] == 0.25


@pytest.mark.parametrize("plan", [pytest.param(QUICK, id="quick"), pytest.param(LONG, id="long")])
def test_what_is_aimed_at_is_measured(plan: Plan) -> None:
    measured = compared([asked(9, turn=TIMED_TURN)], [asked(9, turn=TIMED_TURN)], [asked(9)])
    assert set(plan.aims) - {"layout_breaks"} <= set(measured)
    assert plan.turns > TIMED_TURN


def test_the_same_seed_makes_the_same_trace() -> None:
    assert trace(chats=3) == trace(chats=3)
    assert make_trace(chats=3, turns=60, words=20, reply_words=8, talking=2, seed=8) != trace(chats=3)


def test_every_chat_says_all_its_messages_in_order() -> None:
    steps = trace(chats=4)
    for chat in range(4):
        assert [step.turn for step in steps if step.chat == chat] == list(range(1, 61))


def test_only_so_many_chats_talk_at_a_time_and_pauses_are_long() -> None:
    steps = trace(chats=6)
    paused = [sum(1 for _ in run) for chat, run in groupby(step.chat == 0 for step in steps) if not chat]
    assert max(paused) > 60
    assert all(len({step.chat for step in steps[n : n + 10]}) <= 4 for n in range(0, len(steps), 10))


def test_a_trace_quotes_and_is_upset_in_every_way() -> None:
    steps = trace(chats=2)
    assert 0.1 < mean(step.quoted is not None for step in steps) < 0.3
    assert [step.upset for step in steps if step.upset] == list(Upset) * UPSETS
    assert len({step.speaker for step in steps}) > 2


async def test_the_meter_tells_what_the_engine_counted() -> None:
    meter = Metered(engine())
    noted, asking = meter.begin(), Asking(meter, name="x", reply_tokens=4)
    meter.chat, meter.turn = 3, 7
    first = await asking.ask([user("word " * 100)], scope="a")
    await asking.ask([user("word " * 100)], scope="a", ids="summary-")
    await asking.ask([user("word " * 100)], scope="b")
    await meter.quiet()
    assert [(one.chat, one.turn, one.is_summary) for one in noted] == [
        (3, 7, False),
        (3, 7, True),
        (3, 7, False),
    ]
    assert [one.cached_tokens > 0 for one in noted] == [False, True, False]
    assert first.tokens == noted[0].prompt_tokens + 4


@pytest.mark.parametrize("every", [1, 5, 6, 10])
async def test_naive_is_asked_evenly_and_at_the_timed_turn(every: int) -> None:
    meter = Metered(engine())
    naive = Naive(Asking(meter, name="n", reply_tokens=8), meter, window=1024, every=every, probed=TIMED_TURN)
    noted = await said(meter, naive, trace())
    counted = [one.turn for one in noted if not one.is_probe]
    assert len(counted) == 60 // every
    assert abs(mean(counted) - 30.5) <= 0.5
    assert sum(one.turn == TIMED_TURN for one in noted) == 1


async def test_nothing_of_naives_prompts_is_found_again() -> None:
    meter = Metered(engine())
    naive = Naive(Asking(meter, name="n", reply_tokens=8), meter, window=1024, every=1, probed=TIMED_TURN)
    noted = await said(meter, naive, trace())
    assert cached_share(noted) == 0
    assert max(one.prompt_tokens for one in noted) <= 1100


async def test_append_compacts_when_full_and_finds_everything_else_again() -> None:
    meter = Metered(engine())
    append = Append(Asking(meter, name="a", reply_tokens=16), LIMITS, keeps=0.5)
    noted = await said(meter, append, trace())
    summaries = [one for one in noted if one.is_summary]
    assert len(summaries) >= 2
    assert cached_share(summaries) < 0.2, "its own prompt shares only its instruction with the last one"
    assert max(one.prompt_tokens for one in noted) <= 1100
    assert cached_share([one for one in noted if not one.is_summary]) > 0.7


async def test_two_baselines_share_no_cache() -> None:
    meter = Metered(engine())
    for keeps in (0.5, 0.1):
        append = Append(Asking(meter, name=f"append {keeps}", reply_tokens=16), LIMITS, keeps=keeps)
        noted = await said(meter, append, trace(turns=2))
        assert noted[0].cached_tokens == 0


async def test_a_window_holds_the_newest_messages_and_always_the_last() -> None:
    asking = Asking(Metered(engine()), name="x", reply_tokens=1)
    messages = [user(f"{n} " + "word " * 20) for n in range(10)]
    room = asking.tokens(messages[7:])
    assert newest(messages, room, asking) == messages[7:]
    assert newest(messages, 0, asking) == messages[9:]


async def test_what_isolation_costs_is_the_rules_once_a_chat() -> None:
    meter = Metered(engine())
    own, shared = await isolation_tokens(meter, chats=20, asking=Asking(meter, name="s", reply_tokens=1))
    assert own > 2 * shared


async def test_the_whole_bench_runs_on_the_assistants_own_path() -> None:
    plan = replace(QUICK, chats=1, turns=TIMED_TURN + 1, salts=2)
    report = await measure(engine(), plan)
    assert report.figures["layout_breaks"] == 0
    assert report.figures["cached_share"] > 0.8
    assert report.figures["computed_over_naive"] < 0.2
    assert report.figures["computed_over_append"] < 1


@pytest.mark.parametrize("way", ["ours", "naive", "append"])
async def test_every_way_is_shown_what_is_quoted(way: str) -> None:
    shown: list[str] = []

    def answer(request: ChatRequest) -> str:
        shown.extend(message.content for message in request.messages)
        return REPLY

    steps = [step for step in trace() if step.quoted][:4]
    meter = Metered(ScriptedEngine(answer))
    asking = Asking(meter, name=way, reply_tokens=4)
    if way == "ours":
        async with our_path(meter, window=LIMITS.prompt_tokens, reply_tokens=4) as path:
            for step in steps:
                await path.say(step)
    elif way == "naive":
        await said(meter, Naive(asking, meter, window=LIMITS.prompt_tokens, every=1, probed=50), steps)
    else:
        await said(meter, Append(asking, LIMITS, keeps=0.5), steps)
    assert all(any(step.quoted[1] in text for text in shown) for step in steps if step.quoted)


async def said(meter: Metered, way: Naive | Append, steps: list[Step]) -> list[Asked]:
    noted = meter.begin()
    for step in steps:
        meter.chat, meter.turn = step.chat, step.turn
        await way.say(step)
    return list(noted)
