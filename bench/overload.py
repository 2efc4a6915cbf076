"""What becomes of people when three times as many ask as can be answered.

    python -m bench.overload [--json] [--long] [--seed N]

An engine of a fixed capacity is asked at half of it, at three times it, and at a third of it, each for a while. Every
mention is one person's in a chat of its own, on a platform that edits. What is measured is what those people see:

* `sign_p99_s`: from a mention to the first thing they see (a sign, an answer, a notice), during the overload;
* `goodput_ratio`: answers delivered, in tokens a second, to what the engine alone says when it is kept full;
* `expired_share`: tokens the engine said for nobody, of all it said;
* `recovery_s`: from the end of the overload to the last mention that had to wait longer than people do otherwise;
* `stop_max_s`: from somebody's "stop" to the end of what waits or runs for them, with the line at its longest;
* `told_true_share`: waits that were told ("about a minute") and came true within a factor of two.
"""

import argparse
import asyncio
import random
import time
from dataclasses import dataclass
from itertools import pairwise

from bench.overload_platform import Mention
from bench.overload_world import CAPACITY, LENGTHS, TOKEN_S, Engine, World, open_world
from bench.report import Aim, Report, conclude
from bot.turns.tasks import end
from engine.base import ChatMessage, ChatRequest, Delta, Role

#: Answers a second with nothing shortened.
ANSWERS_PER_S = CAPACITY / TOKEN_S / (sum(LENGTHS) / 2)
#: A mention that sees words of its answer within this time was not kept waiting.
NORMAL_S = 4.0
#: The overload's first seconds, in which the line only begins.
BEGINNING_S = 5.0
#: What the words of a sign mean, in seconds.
TOLD_S = {
    "about half a minute": 30.0,
    "about a minute": 60.0,
    "about two minutes": 120.0,
    "about three minutes": 180.0,
}
AIMS = {
    "sign_p99_s": Aim(3.0, at_most=True),
    "goodput_ratio": Aim(0.9),
    "expired_share": Aim(0.01, at_most=True),
    "recovery_s": Aim(60.0, at_most=True),
    "stop_max_s": Aim(1.0, at_most=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """How long each load lasts, in seconds."""

    before: float = 8.0
    over: float = 24.0
    #: Longer than the recovery may take, or nobody would see that it took longer.
    after: float = 65.0


async def peak_per_s(engine: Engine, seconds: float) -> float:
    """Measure the tokens a second that an engine says when it is kept full."""
    said = 0
    ends_s = time.monotonic() + seconds

    async def keep_one() -> None:
        nonlocal said
        while time.monotonic() < ends_s:
            async with engine.real.stream(_request()) as events:
                async for event in events:
                    said += isinstance(event, Delta) and time.monotonic() < ends_s

    await asyncio.gather(*(keep_one() for _ in range(CAPACITY)))
    return said / seconds


def _request() -> ChatRequest:
    return ChatRequest(
        request_id="peak-0",
        messages=(ChatMessage(role=Role.USER, content="x"),),
        max_tokens=LENGTHS[1],
        first_token_s=60,
        stall_s=60,
        total_s=60,
    )


async def run(phases: Phases, seed: int) -> Report:
    """Put the loads on, one after the other, and read what was seen."""
    chance = random.Random(seed)
    peak = await peak_per_s(Engine(seed), 5.0)
    async with open_world(seed) as world:
        await world.say_for(phases.before, ANSWERS_PER_S / 2, chance)
        began_s = time.monotonic()
        stopping = asyncio.create_task(world.stop_some(chance))
        await world.say_for(phases.over, 3 * ANSWERS_PER_S, chance)
        await end({stopping})
        ended_s = time.monotonic()
        await world.say_for(phases.after, ANSWERS_PER_S / 3, chance)
        await _settled(world)
        return _report(world, peak, began_s, ended_s)


async def _settled(world: World) -> None:
    """Wait until every mention has its answer or its notice."""
    async with asyncio.timeout(120):
        while any(not (each.answered_s or each.noticed_s) for each in world.platform.mentions.values()):  # noqa: ASYNC110 - it can only be looked at
            await asyncio.sleep(0.1)


def _report(world: World, peak: float, began_s: float, ended_s: float) -> Report:
    stopped = [each for each in world.platform.mentions.values() if each.stopped_s is not None]
    mentions = [each for each in world.platform.mentions.values() if each.stopped_s is None]
    over = [each for each in mentions if began_s <= each.said_s < ended_s]
    after = [each for each in mentions if each.said_s >= ended_s]
    signs = sorted((each.sign_s or float("inf")) - each.said_s for each in over)
    steady_s = began_s + BEGINNING_S, ended_s
    everybody = world.platform.mentions.values()
    words = sum(each.words for each in everybody if _within(each.answered_s, steady_s))
    goodput = words / (steady_s[1] - steady_s[0])
    told = [each for each in mentions if each.told_s is not None]
    figures = {
        "sign_p99_s": signs[int(len(signs) * 0.99)],
        "goodput_ratio": goodput / peak,
        "expired_share": _expired_share(world),
        "recovery_s": max([each.said_s - ended_s for each in after if _waited_long(each)], default=0.0),
        "stop_max_s": max([each.ended_s - (each.stopped_s or 0.0) for each in stopped], default=0.0),
        "told_true_share": _share_true(world, told),
        "sign_p50_s": signs[len(signs) // 2],
        "longest_line_s": max(_waited_s(world, each) for each in mentions),
        "mentions_over": float(len(over)),
        "answered": float(sum(each.answered_s is not None for each in over)),
        "refused": float(sum(each.answered_s is None for each in over)),
        "told": float(len(told)),
        "stopped": float(len(stopped)),
        "peak_tokens_per_s": peak,
    }
    return Report(name="overload", figures=figures, aims=AIMS, notes=_notes(mentions))


def _within(instant_s: float | None, bounds_s: tuple[float, float]) -> bool:
    return instant_s is not None and bounds_s[0] <= instant_s < bounds_s[1]


def _waited_long(mention: Mention) -> bool:
    return mention.words_s is None or mention.words_s - mention.said_s > NORMAL_S


def _waited_s(world: World, mention: Mention) -> float:
    taken_s = world.taken_s.get(world.turn_of[f"m{mention.number}"])
    return 0.0 if taken_s is None else taken_s - mention.said_s


def _expired_share(world: World) -> float:
    """Compare what was said for turns that nobody stopped and that were never answered to all that was said."""
    answered = {
        world.turn_of[ref]
        for ref, each in world.platform.mentions.items()
        if each.answered_s is not None or each.stopped_s is not None
    }
    tokens = world.engine.tokens
    return sum(count for turn, count in tokens.items() if turn not in answered) / tokens.total()


def _share_true(world: World, told: list[Mention]) -> float:
    """Compare the waits that were told to those that came, from the telling to the take."""
    came = [
        (_told_s(each.told), _waited_s(world, each) - ((each.told_s or 0.0) - each.said_s)) for each in told
    ]
    return sum(said / 2 <= wait <= said * 2 for said, wait in came) / len(came) if came else 1.0


def _told_s(text: str) -> float:
    return next(seconds for words, seconds in TOLD_S.items() if words in text)


def _notes(mentions: list[Mention]) -> list[str]:
    """Draw how long people waited for their answer's first words, by when they asked."""
    began_s, width_s = mentions[0].said_s, 5.0
    edges = [began_s + width_s * n for n in range(int((mentions[-1].said_s - began_s) / width_s) + 2)]
    lines = ["  asked at   answered   refused   longest wait for words"]
    for low_s, high_s in pairwise(edges):
        some = [each for each in mentions if low_s <= each.said_s < high_s]
        waits = [each.words_s - each.said_s for each in some if each.words_s is not None]
        row = f"  {low_s - began_s:>7.0f} s {len(waits):>9} {len(some) - len(waits):>9}"
        lines.append(f"{row} {max(waits, default=0.0):>12.1f} s")
    return lines


def main() -> None:
    """Run the bench from the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--long", action="store_true", help="three minutes of overload")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    phases = Phases(before=20.0, over=180.0, after=90.0) if options.long else Phases()
    conclude(asyncio.run(run(phases, options.seed)), as_json=options.json)


if __name__ == "__main__":
    main()
