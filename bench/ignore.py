"""How many messages a second are parsed and dropped because they address nobody: `python -m bench.ignore`.

Each message is one webhook body, as bytes: read from JSON, turned into an `Inbound`, handed to a real `Intake`.
A third of them hold an e-mail address, a link, a path or another's name, so that the cheapest test alone does
not decide everything.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence

from adapters.base import Outcome, Receipt, SendsFrom
from bench.report import Aim, Report, conclude
from bench.webhook_adapter import ADAPTER, body_of, parse
from bot.clock import SystemClock
from bot.ingress.acceptances import IntakeSettings
from bot.ingress.announcing import Announcer
from bot.ingress.intake import Intake
from bot.ingress.policy import Rules
from bot.turns.acceptance import Acceptance
from bot.turns.journal import Cancelled
from bot.turns.model import Chat
from bot.turns.scheduler.memory import MemoryScheduler

_TEXTS = (
    "Shall we meet at nine in front of the station, or is that too early for everyone?",
    "ok",
    "I wrote to ann.lee@example.org about it and she said she would be there as well.",
    "haha yes, that is exactly what I thought when I saw it",
    "@bob can you bring the tent? The assistant manager of the camp site asked for two.",
    "/etc/hosts is the file you want; look at https://example.org/@someone/posts for the rest",
    "Das Treffen fällt leider aus, weil der Zug nicht fährt. Nächste Woche wieder?",
    "明日の会議は十時からです。よろしくお願いします。",
    "x" * 2_000,
)


class NothingIsKept:
    """A journal that must not be asked: what is ignored costs no I/O."""

    async def accept(self, batch: Sequence[Acceptance]) -> Sequence[Receipt]:
        """Fail: something was not ignored."""
        raise AssertionError(f"{len(batch)} messages were not ignored")

    async def chat_by_conversation(self, adapter: str, account: str, conversation: str) -> Chat | None:
        """Fail: nobody said stop."""
        raise AssertionError(f"{adapter} {account} {conversation} was looked up")

    async def request_cancel(self, chat_id: str) -> Cancelled:
        """Fail: nobody said stop."""
        raise AssertionError(f"{chat_id} was cancelled")

    async def signal_stop(self, turn_id: str) -> None:
        """Fail: nobody said stop."""
        raise AssertionError(f"{turn_id} was stopped")


async def _no_bell(adapter: str) -> None:
    raise AssertionError(f"{adapter} was rung")


def _intake() -> Intake:
    clock, nothing = SystemClock(), NothingIsKept()
    rules = Rules(names=("assistant", "aside"))
    settings = IntakeSettings(rules=rules, sends_from={ADAPTER: SendsFrom.ANY})
    return Intake(nothing, Announcer(MemoryScheduler(clock), _no_bell, clock), nothing, settings)


async def measure(messages: int, rounds: int) -> list[float]:
    """Measure the messages per second of each round."""
    bodies = [body_of(n, _TEXTS[n % len(_TEXTS)], chats=500, people=5_000) for n in range(messages)]
    rates = []
    async with _intake() as intake:
        for _ in range(rounds):
            began = time.perf_counter()
            for body in bodies:
                receipt = await intake.accept(parse(body))
                if receipt.outcome is not Outcome.IGNORED:
                    raise AssertionError(f"a message was {receipt.outcome}")
            rates.append(messages / (time.perf_counter() - began))
    return rates


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.ignore", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="messages a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    asked = parser.parse_args()
    rates = asyncio.run(measure(asked.messages, asked.rounds))
    figures = {"per_s": statistics.median(rates), "slowest_round_per_s": min(rates)}
    report = Report(name="ignore", figures=figures, aims={"per_s": Aim(20_000)})
    conclude(report, as_json=asked.json)


if __name__ == "__main__":
    main()
