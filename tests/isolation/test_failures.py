"""What goes wrong is told without anybody's words: in dead letters, trails, logs, and in the errors themselves."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing
from bot.chat.vault import Place, SealedField
from bot.commands.dead_view import page, table
from bot.errors import SealBroken, StoreUnavailable
from bot.store.database import Database
from bot.store.tables import Base
from bot.telemetry.events import AttemptFailed
from bot.telemetry.logs import logging_to
from bot.telemetry.tracebacks import wordless_traceback
from bot.turns.dead_letters import Which
from bot.turns.journal.dead import DeadLetters
from engine.base import ChatRequest
from engine.errors import EngineFailed
from tests.fixtures.valkey import RealServer
from tests.isolation.canaries import canaries_in, canary, chats_in
from tests.isolation.cast import cast
from tests.isolation.judge import crossings
from tests.isolation.play import Play, telltale, telltale_engine
from tests.isolation.stage import Stage, open_stage

CHATS = 30
PLATFORMS = ("loopback", "edited", "owned")
#: Chats whose every prompt the engine chokes on; whose second question's prompt it chokes on once; whose blobs change.
POISON, STUMBLE, DAMAGED = 4, 9, (13, 19)
WORD = canary(7, "t")
turns, chats = Base.metadata.tables["turns"], Base.metadata.tables["chats"]


def choking() -> Callable[[ChatRequest], str]:
    """Make a script that fails as careless libraries do: with the whole prompt in the error."""
    stumbled = set[str]()

    def script(request: ChatRequest) -> str:
        prompt = " ".join(message.content for message in request.messages)
        if POISON in chats_in(prompt):
            raise ValueError(f"cannot make sense of {prompt!r}")
        if STUMBLE in chats_in(prompt) and request.request_id.split("-")[0] not in stumbled:
            stumbled.add(request.request_id.split("-")[0])
            raise KeyError(prompt)
        return telltale(request)

    return script


async def damage(stage: Stage) -> None:
    """Swap the prompts of two chats in the record, flip a bit of a reply, and spoil every cached context."""
    async with stage.rig.core.database.write() as connection:
        found = {}
        for number in DAMAGED:
            of = select(turns.c.id, turns.c.prompt_sealed, turns.c.reply_sealed).where(
                turns.c.chat_id == chats.c.id,
                chats.c.conversation == f"room-{number}",
                turns.c.prompt_sealed.is_not(None),
            )
            found[number] = (await connection.execute(of)).first()
        one, other = (found[number] for number in DAMAGED)
        flipped = bytes([*one.reply_sealed[:-1], one.reply_sealed[-1] ^ 1])
        change = update(turns).where(turns.c.id == one.id)
        await connection.execute(change, {"prompt_sealed": other.prompt_sealed, "reply_sealed": flipped})
        change = update(turns).where(turns.c.id == other.id)
        await connection.execute(change, {"prompt_sealed": one.prompt_sealed})
    async for key in stage.redis.scan_iter("chat:*:log"):
        kind = await stage.redis.type(key)
        await stage.redis.delete(key)
        assert kind != b"none"
        await stage.redis.set(key, b"no log at all")


class Spoiled(Play):
    """A play in which the record and the cache are damaged between the questions."""

    async def _settled(self) -> None:
        await super()._settled()
        counts = await self._stage.rig.journal.counts()
        if counts.done >= CHATS and not self.is_damaged:
            self.is_damaged = True
            await damage(self._stage)

    is_damaged = False


async def test_nothing_that_goes_wrong_tells_anybodys_words(own_valkey: RealServer, tmp_path: Path) -> None:
    """Errors full of content, blobs of another chat, flipped bits, a cache full of rubbish: no word gets out."""
    async with open_stage(own_valkey, tmp_path) as stage:
        engine = telltale_engine(choking())
        stage.rig.start_worker(engine)
        play = Spoiled(stage, cast(CHATS, PLATFORMS))
        await play.run()
        evidence = await play.gather(engine)
        letters = DeadLetters(stage.rig.core.database, stage.rig.core.clock)
        listed = await letters.listed(Which())
        evidence.keep("dead letters", table(listed, stage.rig.core.clock.now()))
        for letter in listed:
            details = await letters.details(letter.turn_id)
            assert details is not None
            evidence.keep("dead letters", page(details), repr(details))
        assert {evidence.turn_of[letter.turn_id] for letter in listed} == {POISON}
        assert play.is_damaged
        assert {"ValueError", "KeyError"} <= {event.error for event in stage.rig.told(AttemptFailed)}
        for told in (b"the cached context of chat", b"is answered without memory"):
            assert told in b"".join(evidence.wordless["logs"])
        assert crossings(evidence) == []


@pytest.mark.parametrize("how", ["cut", "flipped", "moved", "another chat's"])
def test_a_broken_seal_names_the_place_and_nothing_else(how: str) -> None:
    vault = AesVault(KeyRing.fresh(), organisation="test")
    key, place = vault.new_key(), Place(chat="c1", item="t1", field=SealedField.PROMPT)
    blob = vault.seal(key, WORD, place)
    found = {
        "cut": (key, blob[:-3], place),
        "flipped": (key, bytes([*blob[:-1], blob[-1] ^ 1]), place),
        "moved": (key, blob, Place(chat="c1", item="t2", field=SealedField.PROMPT)),
        "another chat's": (vault.new_key(), blob, place),
    }[how]
    with pytest.raises(SealBroken, match=r"prompt of item t[12] in chat c1") as raised:
        vault.open(*found)
    assert WORD not in "".join(map(str, (raised.value, raised.value.__cause__, raised.value.args)))


async def test_a_refused_statement_does_not_quote_its_values(database: Database) -> None:
    """What a driver says of a constraint may reach a log: neither names the values."""
    row = {"digest": WORD, "ends_at": None}
    with pytest.raises((SQLAlchemyError, sqlite3.Error, StoreUnavailable)) as raised:
        async with database.write() as connection:
            await connection.execute(insert(Base.metadata.tables["tombstones"]), row)
    assert WORD not in wordless_traceback(raised.value)
    assert "parameters: " not in str(raised.value)


async def test_a_failed_question_does_not_quote_its_values(database: Database) -> None:
    with pytest.raises((SQLAlchemyError, sqlite3.Error, StoreUnavailable)) as raised:
        async with database.survey() as connection:
            await connection.execute(text("SELECT * FROM nowhere WHERE word = :word"), {"word": WORD})
    assert WORD not in str(raised.value)


def _fail() -> None:
    try:
        {}[WORD]
    except KeyError as exc:
        raise ExceptionGroup(WORD, [ValueError(WORD), EngineFailed("it broke off")]) from exc


def test_a_traceback_in_the_log_tells_where_and_not_what(tmp_path: Path) -> None:
    with logging_to(tmp_path, "worker", level="debug", stderr_level="critical"):
        try:
            _fail()
        except ExceptionGroup:
            logging.getLogger("bot.test").exception("something broke")
    written = (tmp_path / "worker.log").read_text()
    assert not canaries_in(written)
    for told in (
        "in _fail",
        "builtins.KeyError",
        "builtins.ValueError",
        "EngineFailed: it broke off",
        "direct cause",
    ):
        assert told in written


def test_libraries_that_log_what_they_parse_are_quiet_at_every_level(tmp_path: Path) -> None:
    with logging_to(tmp_path, "worker", level="debug", stderr_level="critical"):
        for name in ("markdown_it", "markdown_it.rules_block.fence", "sqlalchemy.engine.Engine", "aiosqlite"):
            logging.getLogger(name).debug("entering %s", WORD)
    assert not canaries_in((tmp_path / "worker.log").read_text())
