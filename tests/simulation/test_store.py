"""The record in memory does what the real one does, and its faults are those of a real one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from adapters.base import Idempotency, LiveOutput
from bot.errors import StoreUnavailable
from tests.simulation.schedule import Harm, Schedule, Seam, Spoil
from tests.simulation.store import MemoryDatabase
from tests.simulation.virtual_loop import Process, VirtualLoop
from tests.simulation.wire import Wire

_ADD = text("INSERT INTO adapter_keys (adapter, data_key) VALUES ('one', X'00')")
_COUNT = text("SELECT count(*) FROM adapter_keys")

Run = Callable[[Any], Any]


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.end()


def _database(loop: VirtualLoop, *spoils: Spoil) -> MemoryDatabase:
    schedule = Schedule(
        seed=1,
        idempotency=Idempotency.KEYED,
        live=LiveOutput.NONE,
        gateways=1,
        workers=1,
        events=spoils,
    )
    return MemoryDatabase(Wire(loop, schedule, lambda _: None))


def _run(loop: VirtualLoop, work: Any) -> Any:
    return loop.run_until_complete(Process(loop, "gateway 1").spawn(work))


async def _add(database: MemoryDatabase) -> None:
    async with database.write() as connection:
        await connection.execute(_ADD)


async def _count(database: MemoryDatabase) -> int:
    async with database.read() as connection:
        return (await connection.execute(_COUNT)).scalar_one()


def test_what_was_written_stays(loop: VirtualLoop):
    database = _database(loop)
    _run(loop, _add(database))
    assert _run(loop, _count(database)) == 1


def test_a_new_record_is_empty(loop: VirtualLoop):
    _run(loop, _add(_database(loop)))
    assert _run(loop, _count(_database(loop))) == 0


def test_an_error_undoes_the_transaction(loop: VirtualLoop):
    database = _database(loop)

    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(_ADD)
            raise KeyError

    with pytest.raises(KeyError):
        _run(loop, fail())
    assert _run(loop, _count(database)) == 0


@pytest.mark.parametrize(("harm", "stored"), [(Harm.REFUSED, 0), (Harm.ANSWER_LOST, 1)])
def test_a_fault_is_told_whether_or_not_it_was_stored(loop: VirtualLoop, harm: Harm, stored: int):
    database = _database(loop, Spoil(seam=Seam.STORE, call=1, harm=harm))
    with pytest.raises(StoreUnavailable):
        _run(loop, _add(database))
    assert _run(loop, _count(database)) == stored
