"""Does the web chat keep up with a large group, and how much does a reader cost: `python -m bench.webchat [--json]`.

One gateway process with 500 open streams; 50 messages a second are said, once all in one room of 500 and once spread
over rooms of 10. A message is timed from the moment a page sends it to the moment each page has it, through the store
(SQLite, synced), the core's decision and the fan-out. `stream_kb` is the memory that the gateway gains for each open
stream. `paint_ms` is the time from the gateway having a reply's first words to a real Chromium having painted them.
"""

import argparse
import asyncio
from collections.abc import Callable, Sequence

import psutil

from bench.report import Aim, Report, conclude
from bench.webchat_clients import Arrivals, Page, opened
from bench.webchat_paint import paint_ms
from bench.webchat_world import World, gateway

STREAMS = 500
SMALL = 10
RATE_PER_S = 50
_SETTLE_S = 2.0


def percentile(values: Sequence[float], share: float) -> float:
    """Read a percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def cpu_s(world: World) -> float:
    """Read how long the gateway has computed."""
    times = psutil.Process(world.process.pid).cpu_times()
    return float(times.user + times.system)


def memory_kb(world: World) -> float:
    """Read what the gateway holds for itself (USS: what would be free without it)."""
    return float(psutil.Process(world.process.pid).memory_full_info().uss) / 1024


async def talk(
    pages: Sequence[Page], arrivals: Arrivals, room: Callable[[Page], str], seconds: float
) -> None:
    """Have one page after the other say something, at a steady rate; the first second does not count."""
    loop = asyncio.get_running_loop()
    arrivals.delays_ms.clear()
    began_s = loop.time()
    for number in range(round((seconds + 1) * RATE_PER_S)):
        await asyncio.sleep(max(0.0, began_s + number / RATE_PER_S - loop.time()))
        page = pages[number % len(pages)]
        page.say(room(page), counts=number >= RATE_PER_S)
    await asyncio.sleep(_SETTLE_S)


async def fan_out(*, seconds: float) -> dict[str, float]:
    """Measure the gateway."""
    arrivals = Arrivals()
    async with gateway(people=STREAMS, small=SMALL) as world:
        # The first streams make the process load what it needs once.
        warm = await opened(world.seats[:20], world.port, arrivals)
        await asyncio.sleep(_SETTLE_S)
        before_kb = memory_kb(world)
        pages = warm + await opened(world.seats[20:], world.port, arrivals)
        await asyncio.sleep(_SETTLE_S)
        stream_kb = (memory_kb(world) - before_kb) / (STREAMS - len(warm))
        idle_s = cpu_s(world)
        await talk(pages, arrivals, lambda page: page.seat.large, seconds)
        busy_s = cpu_s(world) - idle_s
        large = list(arrivals.delays_ms)
        await talk(pages, arrivals, lambda page: page.seat.small, seconds)
        small = list(arrivals.delays_ms)
        talked_kb = (memory_kb(world) - before_kb) / (STREAMS - len(warm))
        for page in pages:
            page.close()
    messages = round(seconds * RATE_PER_S)
    return {
        "fanout_p50_ms": percentile(large, 0.5),
        "fanout_p99_ms": percentile(large, 0.99),
        "fanout_small_p99_ms": percentile(small, 0.99),
        "fanout_cpu_share": busy_s / (seconds + 1),
        "lost": float(messages * (STREAMS + SMALL) - len(large) - len(small)),
        "stream_kb": stream_kb,
        "stream_talked_kb": talked_kb,
    }


async def measure(*, long: bool) -> Report:
    """Run all of it."""
    painted = await paint_ms(40 if long else 12)
    figures = await fan_out(seconds=60.0 if long else 8.0) | {
        "paint_p50_ms": percentile(painted, 0.5),
        "paint_ms": percentile(painted, 0.9),
    }
    return Report(
        name="webchat",
        figures=figures,
        aims={
            "fanout_p99_ms": Aim(100.0, at_most=True),
            "fanout_small_p99_ms": Aim(100.0, at_most=True),
            "lost": Aim(0.0, at_most=True),
            "stream_kb": Aim(60.0, at_most=True),
            "paint_ms": Aim(50.0, at_most=True),
        },
        notes=(
            f"{STREAMS} open streams in one gateway process, {RATE_PER_S} messages a second",
            f"fanout: everybody in one room of {STREAMS}; fanout_small: {STREAMS // SMALL} rooms of {SMALL}",
            "stream: what the gateway gains for one more stream; stream_talked: the same after all that was said",
            "paint: from the gateway having the first words to Chromium having painted them, nine of ten within it",
        ),
    )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--long", action="store_true", help="talk for longer")
    args = parser.parse_args()
    conclude(asyncio.run(measure(long=args.long)), as_json=args.json)


if __name__ == "__main__":
    main()
