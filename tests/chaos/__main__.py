"""Breaks everything at random and looks at what people see.

    python -m tests.chaos --turns 2000 --seed 7 --database sqlite

ends with a verdict from the platforms' own records, and with status 1 where a promise was broken.
"""

import argparse
import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import ALL, FEW, NAMES, Kind, Plan
from tests.chaos.run import carry_out
from tests.chaos.verdict import Verdict

_SEEDS = 1_000_000
#: What a shell reports for a process ended by Ctrl-C.
_INTERRUPTED = 130


def _plan() -> tuple[Plan, argparse.Namespace]:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--turns", type=int, default=2000, help="how many mentions are said")
    parser.add_argument("--seed", type=int, help="everything that is drawn is drawn from it; any without it")
    kinds = [kind.value for kind in Kind]
    parser.add_argument("--database", choices=kinds, default=Kind.POSTGRESQL.value)
    parser.add_argument("--minutes", type=float, help="say nothing more after so many minutes")
    parser.add_argument(
        "--platforms",
        type=_platforms,
        default=(ALL,),
        help=f"{ALL}, {FEW} (one of every class, drawn, with Telegram and Twilio), or some of {','.join(NAMES)}",
    )
    parser.add_argument("--calm", action="store_true", help="break nothing")
    parser.add_argument("--keep", type=Path, help="keep logs and records in this folder")
    args = parser.parse_args()
    plan = Plan(
        turns=args.turns,
        seed=secrets.randbelow(_SEEDS) if args.seed is None else args.seed,
        database=Kind(args.database),
        minutes=args.minutes,
        platforms=args.platforms,
        calm=args.calm,
    )
    return plan, args


def _platforms(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if names not in ((ALL,), (FEW,)) and (unknown := [name for name in names if name not in NAMES]):
        raise argparse.ArgumentTypeError(f"there is no platform {unknown[0]}")
    return names


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _carried_out(plan: Plan, folder: Path) -> Verdict:
    """Carry the plan out; a polite end takes down all that was started."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await carry_out(plan, folder, _tell)


def main() -> int:
    """Run, tell the verdict, and keep what was left behind where something broke."""
    plan, args = _plan()
    folder = args.keep or Path(tempfile.mkdtemp(prefix="aside-chaos-run-"))
    folder.mkdir(parents=True, exist_ok=True)
    _tell(f"{plan.turns} turns from seed {plan.seed} on {plan.database}")
    try:
        verdict = asyncio.run(_carried_out(plan, folder))
    except (KeyboardInterrupt, asyncio.CancelledError):
        _tell(f"stopped without a verdict; logs and records are in {folder}")
        return _INTERRUPTED
    _tell(f"seed={plan.seed} database={plan.database} {verdict.counts.line()}")
    if not verdict.holds:
        _tell(f"a promise was broken; logs and records are in {folder}")
        return 1
    if not args.keep:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
