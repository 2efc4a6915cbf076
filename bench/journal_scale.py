"""What a long history costs: `python -m bench.journal_scale [--turns N | --long] [--json]`.

Everything the journal does for a turn, and everything that is asked of it meanwhile, on a record of 200 thousand
finished turns (`--long`: ten million, for which there must be about 12 GB of disk and a quarter of an hour) and on one
with the same chats and no history, call by call in turns. A slowdown is the ratio of the two medians; counting, which
goes up to ten thousand of each kind and no further, is judged by its time. Commits do not wait for the disk here, which
would hide what the statements cost; and every chat's newest turn is looked at once before, as chats that people use
are in memory.

The record is SQLite's; `tests/bot/store/test_journal_plans.py` asks both databases how they find the rows.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from adapters.base import Conversation, SendsFrom
from bench.finished_turns import add_finished, finished_id
from bench.report import Aim, Report, conclude
from bench.waiting import acceptance, make_waiting
from bench.whole_path import NAME
from bot.chat.memory_vault import EphemeralVault
from bot.clock import SystemClock
from bot.store.database import Database
from bot.store.schema import migrate
from bot.store.transaction import Transaction
from bot.turns.acceptance import Caps
from bot.turns.journal import Journal
from bot.turns.model import NoticeKind, Reply, TurnState

#: Chats that wait all the time, and replies that an owner has yet to send.
_STANDING = 300
_OWED = 50
#: Messages of a round; intake commits them together.
_ROUND = 32
#: How often a round asks what it asks but once, so that there is a median of many.
_LOOKS = 4
_MS = 1000.0


class HastyDatabase(Database):
    """Commits without waiting for the disk."""

    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[Transaction]:
        """Open a transaction that survives a crash of ours."""
        async with super().write(durable=False) as transaction:
            yield transaction


class Record:
    """One record, how long its calls took, and what a worker holds meanwhile."""

    def __init__(self, database: Database, chats: int) -> None:
        """Keep the database; its chats share a key of a vault that lives as long as this."""
        vault = EphemeralVault()
        self._database = database
        self._chats = chats
        self._key = vault.new_key()
        self._clock = SystemClock()
        self._journal = Journal(database, vault, self._clock, Caps(per_chat=10**6, total=10**9))
        self._random = random.Random(7)
        self._token = 10**15
        self._number = 10**6
        self.took_ms: dict[str, list[float]] = defaultdict(list)

    async def prepare(self, turns: int) -> None:
        """Write the history, and what waits and is owed in front of it."""
        await add_finished(self._database, turns, chats=self._chats, adapter=NAME, key=self._key)
        await make_waiting(self._journal, 0, _STANDING)
        await make_waiting(self._journal, _STANDING, _STANDING + _OWED, sends_from=SendsFrom.OWNER)
        for number in range(_STANDING, _STANDING + _OWED):
            chat = await self._journal.chat_by_conversation(NAME, "main", f"room-{number}")
            assert chat is not None
            turn = await self._journal.claim(chat.id, self._next_token(), "e")
            assert turn is not None
            await self._journal.store_reply(turn, _REPLY)
        await self._look_at_chats()

    async def _look_at_chats(self) -> None:
        async with self._database.read() as connection:
            for number in range(self._chats):
                await connection.execute(_NEWEST_OF_CHAT, {"chat": finished_id(number)})

    async def round(self) -> None:
        """Accept messages in old chats, answer all but one, and ask everything there is to ask."""
        for _ in range(_LOOKS):
            await self._look()
        for index, chat_id in enumerate(await self._accept()):
            turn = await self._timed("claim", self._journal.claim(chat_id, self._next_token(), "e"))
            if index == 0:
                sorry = (TurnState.DEAD, NoticeKind.FAILED, "Sorry.")
                await self._timed("give_up", self._journal.give_up(turn, *sorry))
                notice = await self._timed(
                    "claim_notice", self._journal.claim_notice(self._clock.now(), 60.0)
                )
                await self._timed("notice_sent", self._journal.notice_sent(notice.notice_id, "message"))
                continue
            turn = await self._timed("store_reply", self._journal.store_reply(turn, _REPLY))
            await self._timed("start_part", self._journal.start_part(turn, 0))
            await self._timed("part_sent", self._journal.part_sent(turn, 0, "message"))
            await self._timed("finish", self._journal.finish(turn))

    async def _accept(self) -> list[str]:
        batch = [self._acceptance() for _ in range(_ROUND)]
        receipts = await self._timed("accept", self._journal.accept(batch))
        return list(dict.fromkeys(str(receipt.chat_id) for receipt in receipts))

    def _acceptance(self) -> Any:
        self._number += 1
        made = acceptance(self._number)
        room = f"old-room-{self._random.randrange(self._chats)}"
        conversation = Conversation(ref=room, kind=made.inbound.conversation.kind)
        return replace(made, inbound=replace(made.inbound, conversation=conversation))

    async def _look(self) -> None:
        journal, now = self._journal, self._clock.now()
        await self._timed("unfinished", journal.unfinished())
        await self._timed("unclaimed", journal.unfinished(min_age_s=0.001, only_unclaimed=True))
        await self._timed("owed", journal.owed(NAME, 100))
        await self._timed("unsigned", journal.unsigned(now - timedelta(milliseconds=1), 100, adapters=[NAME]))
        await self._timed("counts", journal.counts())
        await self._timed("held_chats", journal.held_chats())

    async def _timed(self, name: str, call: Awaitable[Any]) -> Any:
        began_s = time.perf_counter()
        answer = await call
        self.took_ms[name].append((time.perf_counter() - began_s) * _MS)
        return answer

    def _next_token(self) -> int:
        self._token += 1
        return self._token


_NEWEST_OF_CHAT = text("SELECT max(ord) FROM turns WHERE chat_id = :chat")
_AIMS = {"worst_slowdown": Aim(2.0, at_most=True), "counts_ms": Aim(50.0, at_most=True)}
_REPLY = Reply(text="noon", parts=("noon",), prompt=None)


async def measure(turns: int, chats: int, rounds: int, folder: Path) -> Report:
    """Make both records and let them do the same."""
    async with AsyncExitStack() as stack:
        records: dict[str, Record] = {}
        for name, history in (("empty", 0), ("full", turns)):
            url = f"sqlite:///{folder / name}.db"
            await migrate(url)
            records[name] = Record(await stack.enter_async_context(HastyDatabase(url)), chats)
            began_s = time.perf_counter()
            await records[name].prepare(history)
            made_s = time.perf_counter() - began_s
        for number in range(rounds):
            # Neither goes first more often than the other.
            for name in sorted(records, reverse=bool(number % 2)):
                await records[name].round()
    return _report(records["empty"], records["full"], turns, made_s)


def _report(empty: Record, full: Record, turns: int, made_s: float) -> Report:
    figures: dict[str, float] = {}
    for name in full.took_ms:
        few, many = statistics.median(empty.took_ms[name]), statistics.median(full.took_ms[name])
        figures |= {f"{name}_ms": many, f"{name}_slowdown": many / few}
    flat = {name: figure for name, figure in figures.items() if name.endswith("_slowdown")}
    flat.pop("counts_slowdown")
    figures["worst_slowdown"] = max(flat.values())
    notes = (
        f"{turns:,} finished turns, made in {made_s:.0f} s",
        f"{_STANDING} turns waited and {_OWED} replies were owed meanwhile; {_ROUND} messages a batch",
    )
    return Report(name="journal_scale", figures=figures, aims=_AIMS, notes=notes)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.journal_scale", description=__doc__)
    parser.add_argument("--turns", type=int, default=200_000, help="finished turns in the long record")
    parser.add_argument("--chats", type=int, default=2_000, help="chats that both records have")
    parser.add_argument("--rounds", type=int, default=25, help="rounds on each record")
    parser.add_argument("--long", action="store_true", help="ten million finished turns")
    parser.add_argument(
        "--folder", type=Path, help="where the records may be made, if not among temporary files"
    )
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    asked = parser.parse_args()
    turns = 10_000_000 if asked.long else asked.turns
    with tempfile.TemporaryDirectory(prefix="aside-", dir=asked.folder) as folder:
        report = asyncio.run(measure(turns, asked.chats, asked.rounds, Path(folder)))
    conclude(report, as_json=asked.json)


if __name__ == "__main__":
    main()
