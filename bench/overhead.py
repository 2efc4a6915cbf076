"""What the path costs a person who waits: `python -m bench.overhead [--long] [--json]`.

On real vLLM with the embedded model: time to the first words through the whole path, over that of the same prompt with
other words sent straight to the same vLLM, alone and eight at a time. Every prompt is new to every cache, of at least
512 tokens; the order alternates. Words are what a person is shown: a mark of ours that the small model imitates at the
start of a reply is taken out by the path, and counts on neither way.

With the scripted engine at 50 mentions a second: from a mention's acceptance, which is its commit, to the engine's
request; and, without an aim, from handing it to intake. vLLM alone takes most of a minute to start.
"""

import argparse
import asyncio
import os
import random
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from adapters.base import Inbound
from bench.report import Aim, Report, conclude
from bench.whole_path import Stopwatch, mention, whole_path
from bot.chat.marks import without_marks
from bot.ingress.intake import Intake
from engine.base import ChatRequest, Delta, Engine, EngineLoad, EngineState, EngineStatus, Finish
from engine.client import EngineClient
from engine.launch import Launch
from engine.listen import Listen
from engine.probe import EngineProbe
from engine.processor import cpu_flags
from engine.profile import Profile
from engine.scripted import ScriptedEngine
from engine.supervisor import EngineSupervisor

ROOT = Path(__file__).parents[1]
REPLY_TOKENS = 12
WORDS = ("river", "stone", "paper", "light", "winter", "garden", "letter", "market", "window", "morning")
#: With the system message and our marks about 530 tokens of the embedded model's vocabulary.
PROMPT_WORDS = 405
RATE_PER_S = 50
START_S = 300.0

_numbers = count(1)


def fresh_prompt(chance: random.Random) -> str:
    """Write a prompt that no cache holds: its first words are its own."""
    return " ".join(chance.choice(WORDS) for _ in range(PROMPT_WORDS)) + ". Say something about this."


@asynccontextmanager
async def real_engine(data_dir: Path) -> AsyncIterator[EngineClient]:
    """Start vLLM with the embedded model from the checkout's own data directory."""
    launch = Launch(
        profile=Profile.bundled("embedded").on_processor(cpu_flags()),
        python=data_dir / "env" / "engine" / "bin" / "python",
        model_dir=data_dir / "models" / "embedded",
        listen=Listen.on_port(),
        data_dir=data_dir,
    )
    async with EngineClient(launch.listen.url) as client:
        supervisor = EngineSupervisor(
            prepare=lambda: launch.command(os.environ),
            engine=client,
            probe=EngineProbe(client, launch.listen),
            usual_start_s=launch.profile.usual_start_s,
        )
        async with supervisor:
            async with asyncio.timeout(START_S):
                await supervisor.until(EngineState.READY)
            yield client


class Overhearing:
    """An engine that passes everything on, and keeps the last request it was asked."""

    def __init__(self, engine: Engine) -> None:
        self.real = engine
        self.asked: ChatRequest | None = None

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[Delta | Finish]]:
        """Keep the request and pass it on."""
        self.asked = request
        return self.real.stream(request)

    async def status(self) -> EngineStatus:
        """Ask the engine."""
        return await self.real.status()

    async def load(self) -> EngineLoad:
        """Ask the engine."""
        return await self.real.load()


def with_another_text(asked: ChatRequest, said: str, text: str) -> ChatRequest:
    """Write what the path would ask for `text`, given what it asked for `said`; no cache holds it."""
    *before, last = asked.messages
    number = next(_numbers)
    return replace(
        asked,
        request_id=f"straight-{number}",
        messages=(*before, replace(last, content=last.content.replace(said, text))),
        cache_salt=f"{number:032x}",
    )


async def straight_s(engine: Engine, request: ChatRequest) -> float:
    """Time the first words of a prompt sent straight to the engine."""
    began_s, first_s, text = time.perf_counter(), 0.0, ""
    async with engine.stream(request) as events:
        async for event in events:
            if isinstance(event, Delta) and not first_s:
                text += event.text
                first_s = (time.perf_counter() - began_s) if without_marks(text) else 0.0
    return first_s or time.perf_counter() - began_s


async def through_s(intake: Intake, stopwatch: Stopwatch, text: str) -> float:
    """Time the first words of a mention's reply, as the platform's owner gets them."""
    event = mention(text, next(_numbers))
    stopwatch.expect(event.message)
    began_s = time.perf_counter()
    await intake.accept(event)
    first_s = await stopwatch.first_words[event.message] - began_s
    await stopwatch.replies[event.message]
    return first_s


async def ttft_ratio(
    engine: Overhearing, path: tuple[Intake, Stopwatch], *, together: int, rounds: int, chance: random.Random
) -> float:
    """Compare medians over rounds that alternate which way goes first; both ways send the same prompts' like."""
    said = fresh_prompt(chance)
    await through_s(*path, said)
    assert engine.asked is not None
    sample = engine.asked
    straight: list[float] = []
    through: list[float] = []
    for round_ in range(rounds):
        for way in (straight, through) if round_ % 2 else (through, straight):
            texts = [fresh_prompt(chance) for _ in range(together)]
            times = [
                straight_s(engine.real, with_another_text(sample, said, text))
                if way is straight
                else through_s(*path, text)
                for text in texts
            ]
            way.extend(await asyncio.gather(*times))
    return statistics.median(through) / statistics.median(straight)


@dataclass(slots=True)
class Moments:
    """When each mention was handed to intake, accepted (its row committed), and asked of the engine."""

    handed_s: dict[str, float] = field(default_factory=dict)
    accepted_s: dict[str, float] = field(default_factory=dict)
    asked_s: dict[str, float] = field(default_factory=dict)

    def ms_from(self, began_s: dict[str, float]) -> list[float]:
        """List the milliseconds from a moment of each mention to its engine request, in order."""
        return sorted((self.asked_s[key] - at_s) * 1000 for key, at_s in began_s.items())


async def steady_load(*, seconds: float) -> Moments:
    """Hand in mentions at a steady rate, on the scripted engine, after a warm-up that does not count."""
    moments = Moments()

    def script(request: ChatRequest) -> str:
        moments.asked_s[request.messages[-1].content.split("mention-")[1].split()[0]] = time.perf_counter()
        return "noted"

    async with whole_path(ScriptedEngine(script), max_reply_tokens=16) as path:
        await _at_a_steady_rate(path, Moments(), 2.0)
        await _at_a_steady_rate(path, moments, seconds)
    return moments


async def _at_a_steady_rate(path: tuple[Intake, Stopwatch], moments: Moments, seconds: float) -> None:
    intake, stopwatch = path
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    waits: list[asyncio.Future[float]] = []

    async def hand_in(key: str, event: Inbound) -> None:
        moments.handed_s[key] = time.perf_counter()
        await intake.accept(event)
        moments.accepted_s[key] = time.perf_counter()

    async with asyncio.TaskGroup() as tasks:
        for number in range(round(seconds * RATE_PER_S)):
            await asyncio.sleep(max(0.0, began_s + number / RATE_PER_S - loop.time()))
            key = str(next(_numbers))
            event = mention(f"mention-{key} please", int(key))
            stopwatch.expect(event.message)
            waits.append(stopwatch.replies[event.message])
            tasks.create_task(hand_in(key, event))
    await asyncio.gather(*waits)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Read a percentile of sorted values."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def measure(data_dir: Path, *, long: bool) -> Report:
    """Run both halves."""
    chance = random.Random(7)
    moments = await steady_load(seconds=60.0 if long else 15.0)
    times, handed = moments.ms_from(moments.accepted_s), moments.ms_from(moments.handed_s)
    async with (
        real_engine(data_dir) as real,
        whole_path(engine := Overhearing(real), max_reply_tokens=REPLY_TOKENS) as path,
    ):
        alone = await ttft_ratio(engine, path, together=1, rounds=30 if long else 10, chance=chance)
        eight = await ttft_ratio(engine, path, together=8, rounds=8 if long else 2, chance=chance)
    return Report(
        name="overhead",
        figures={
            "ttft_ratio_1": alone,
            "ttft_ratio_8": eight,
            "accept_p50_ms": percentile(times, 0.5),
            "accept_p99_ms": percentile(times, 0.99),
            "handed_p50_ms": percentile(handed, 0.5),
            "handed_p99_ms": percentile(handed, 0.99),
        },
        aims={
            "ttft_ratio_1": Aim(1.05, at_most=True),
            "ttft_ratio_8": Aim(1.05, at_most=True),
            "accept_p50_ms": Aim(5.0, at_most=True),
            "accept_p99_ms": Aim(20.0, at_most=True),
        },
    )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--long", action="store_true", help="more rounds")
    parser.add_argument(
        "--data-dir", type=Path, default=ROOT / "var", help="where the engine's environment is"
    )
    args = parser.parse_args()
    report = asyncio.run(measure(args.data_dir, long=args.long))
    conclude(report, as_json=args.json)


if __name__ == "__main__":
    main()
