"""Replying and finishing: stored before it is sent, sent part by part, ended once."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from adapters.base import SendsFrom
from bot.errors import Fenced
from bot.store.database import Database
from bot.turns.journal import Cancelled, Journal
from bot.turns.journal.rows import reply_parts, turns
from bot.turns.model import NoticeKind, Spent, TurnState
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply


@pytest.fixture
async def turn(journal: Journal):
    """Give a claimed turn."""
    await journal.accept([acceptance("what time is it?", event="asked")])
    return await claim(journal, 1)


async def claim(journal: Journal, token: int):
    chat = await journal.chat_by_conversation("fake", "main", "room")
    return await journal.claim(chat.id, token, "e")


async def sent(journal: Journal, turn, answer):
    turn = await journal.store_reply(turn, answer)
    for part in turn.parts:
        await journal.start_part(turn, part.number)
        await journal.part_sent(turn, part.number, f"sent-{part.number}")
    await journal.finish(turn)
    return turn


async def row_of(database: Database, turn_id: str):
    async with database.read() as connection:
        return (await connection.execute(select(turns).where(turns.c.id == turn_id))).one()


async def test_a_stored_reply_survives_its_worker_word_for_word(journal: Journal, turn) -> None:
    stored = await journal.store_reply(turn, reply("long", parts=("lo", "ng")))
    again = await claim(journal, 2)
    assert (stored.state, stored.reply) == (TurnState.REPLIED, "long")
    assert (again.state, again.reply, again.parts) == (TurnState.REPLIED, "long", stored.parts)
    assert [(p.number, p.text, p.in_doubt, p.message) for p in again.parts] == [
        (0, "lo", False, None),
        (1, "ng", False, None),
    ]
    assert len({part.op_id for part in again.parts}) == 2


async def test_a_stored_reply_is_never_replaced(journal: Journal, turn) -> None:
    stored = await journal.store_reply(turn, reply("first"))
    with pytest.raises(Fenced):
        await journal.store_reply(turn, reply("second"))
    with pytest.raises(Fenced):
        await journal.store_reply(stored, reply("second"))
    assert (await claim(journal, 2)).reply == "first"


async def test_a_stored_reply_is_progress_and_its_sending_begins_with_no_attempt(
    journal: Journal, turn, clock: ManualClock
) -> None:
    await journal.fail(turn, "Broke", clock.now())
    turn = await claim(journal, 2)
    assert turn.attempts == 1
    await journal.release(await journal.store_reply(turn, reply("noon")))
    assert (await claim(journal, 3)).attempts == 0


async def test_a_reply_without_parts_is_a_fault(journal: Journal, turn) -> None:
    with pytest.raises(ValueError, match="no part"):
        await journal.store_reply(turn, reply("").__class__(text="", parts=(), prompt=None))
    assert (await claim(journal, 2)).state is TurnState.WAITING


async def test_what_it_cost_is_kept(journal: Journal, turn, database: Database, clock: ManualClock) -> None:
    spent = Spent(prompt_tokens=7, cached_tokens=3, output_tokens=2)
    answer = reply("x", stopped=True)
    await journal.store_reply(
        turn,
        answer.__class__(
            text="x", parts=("x",), prompt=None, spent=spent, stopped=True, first_token_at=clock.now()
        ),
    )
    row = await row_of(database, turn.id)
    assert (row.prompt_tokens, row.cached_tokens, row.output_tokens, row.stopped) == (7, 3, 2, True)
    assert row.first_token_at == row.replied_at == clock.now()


async def test_a_started_part_is_in_doubt_until_it_is_known(journal: Journal, turn) -> None:
    stored = await journal.store_reply(turn, reply("ab", parts=("a", "b")))
    await journal.start_part(stored, 0)
    crashed = await claim(journal, 2)
    assert (crashed.state, [p.in_doubt for p in crashed.parts]) == (TurnState.SENDING, [True, False])
    await journal.part_sent(crashed, 0, "m0")
    after = await claim(journal, 3)
    assert [(p.in_doubt, p.message) for p in after.parts] == [(False, "m0"), (False, None)]


async def test_a_send_that_did_not_happen_leaves_no_doubt(journal: Journal, turn) -> None:
    stored = await journal.store_reply(turn, reply())
    await journal.start_part(stored, 0)
    await journal.part_not_sent(stored, 0)
    after = await claim(journal, 2)
    assert (after.state, after.parts[0].in_doubt) == (TurnState.REPLIED, False)


async def test_doubtful_resends_are_counted(journal: Journal, turn, database: Database) -> None:
    stored = await journal.store_reply(turn, reply())
    await journal.part_resent_in_doubt(stored, 0)
    await journal.part_resent_in_doubt(stored, 0)
    async with database.read() as connection:
        assert (await connection.execute(select(reply_parts.c.resent_in_doubt))).scalar_one() == 2


async def test_a_part_that_is_not_there_is_a_fault(journal: Journal, turn) -> None:
    stored = await journal.store_reply(turn, reply())
    with pytest.raises(ValueError, match="no part 1"):
        await journal.start_part(stored, 1)


async def test_a_turn_is_finished_once_everything_arrived(
    journal: Journal, turn, database: Database, clock: ManualClock
) -> None:
    stored = await journal.store_reply(turn, reply("ab", parts=("a", "b")))
    await journal.start_part(stored, 0)
    await journal.part_sent(stored, 0, "m")
    with pytest.raises(ValueError, match="1 parts were not sent"):
        await journal.finish(stored)
    await journal.start_part(stored, 1)
    await journal.part_sent(stored, 1, "m")
    await journal.finish(stored)
    row = await row_of(database, turn.id)
    assert (row.state, row.finished_at, row.held) == ("sent", clock.now(), False)
    assert await claim(journal, 2) is None
    with pytest.raises(Fenced):
        await journal.finish(stored)


async def test_the_placeholder_is_kept_for_whoever_goes_on(journal: Journal, turn) -> None:
    await journal.placeholder_posted(turn, "sign-1")
    assert (await claim(journal, 2)).placeholder == "sign-1"


async def test_giving_up_stores_the_notice_with_it(journal: Journal, turn, clock: ManualClock) -> None:
    await journal.give_up(turn, TurnState.DEAD, NoticeKind.FAILED, "Sorry.")
    notice = await journal.claim_notice(clock.now(), 10)
    assert (notice.turn_id, notice.kind, notice.text) == (turn.id, NoticeKind.FAILED, "Sorry.")
    assert notice.reply_to == "message-of-asked"
    assert await claim(journal, 2) is None
    assert (await journal.counts()).dead == 1


async def test_a_stored_reply_is_never_refused(journal: Journal, turn) -> None:
    stored = await journal.store_reply(turn, reply())
    with pytest.raises(Fenced):
        await journal.give_up(stored, TurnState.REFUSED, NoticeKind.EXPIRED, "Late.")
    with pytest.raises(Fenced):
        await journal.cancel(stored, "Stopped.")


async def test_giving_up_a_stored_reply_takes_it_out_of_the_context(journal: Journal, turn) -> None:
    stored = await journal.store_reply(turn, reply())
    await journal.give_up(stored, TurnState.DEAD, NoticeKind.FAILED, "Gone.")
    assert await journal.context_state(turn.chat.id) == (2, 0)
    assert await journal.exchanges(stored.chat, 99) == []


@pytest.mark.parametrize("state", [TurnState.SENT, TurnState.CANCELLED, TurnState.WAITING])
async def test_a_turn_is_given_up_as_dead_or_refused_only(journal: Journal, turn, state: TurnState) -> None:
    with pytest.raises(ValueError, match="dead or refused"):
        await journal.give_up(turn, state, NoticeKind.FAILED, "x")


@pytest.mark.parametrize("words", ["Stopped.", None])
async def test_a_cancelled_turn_says_so_if_there_is_something_to_say(
    journal: Journal, turn, clock: ManualClock, words: str | None
) -> None:
    assert await journal.request_cancel(turn.chat.id) == Cancelled(asked=(turn.id,), ended=())
    assert await journal.cancel_requested(turn.id)
    await journal.cancel(turn, words)
    notice = await journal.claim_notice(clock.now(), 10)
    assert (notice and notice.text) == words
    assert await journal.request_cancel(turn.chat.id) == Cancelled(asked=(), ended=())
    assert (await journal.counts()).cancelled == 1


async def test_nobody_asked_to_cancel(journal: Journal, turn) -> None:
    assert not await journal.cancel_requested(turn.id)
    assert not await journal.cancel_requested("no such turn")


async def test_a_late_edit_has_the_final_text_edited_in_once_more(journal: Journal, turn) -> None:
    await sent(journal, turn, reply("final"))
    await journal.mark_restate(turn.id)
    again = await claim(journal, 2)
    assert (again.state, again.restate, again.reply) == (TurnState.SENT, True, "final")
    assert again.parts[0].message == "sent-0"
    await journal.clear_restate(again)
    assert await claim(journal, 3) is None


async def test_a_late_edit_during_the_restating_is_not_forgotten(journal: Journal, turn) -> None:
    await sent(journal, turn, reply("final"))
    await journal.mark_restate(turn.id)
    again = await claim(journal, 2)
    await journal.mark_restate(turn.id)
    with pytest.raises(Fenced):
        await journal.clear_restate(again)
    assert (await claim(journal, 3)).restate


@pytest.mark.parametrize("stored", [False, True], ids=["waiting", "replied"])
async def test_a_late_edit_leaves_an_unfinished_turn_with_whoever_holds_it(
    journal: Journal, database: Database, turn, stored: bool
) -> None:
    """Or the death of its holder would count no attempt, and a sign be posted beside its own."""
    if stored:
        await journal.store_reply(turn, reply("final"))
    await journal.mark_restate(turn.id)
    row = await row_of(database, turn.id)
    assert (row.held, row.restate) == (True, True)


async def test_a_late_edit_on_a_turn_without_final_text_changes_nothing(journal: Journal, turn) -> None:
    await journal.cancel(turn, None)
    await journal.mark_restate(turn.id)
    assert await claim(journal, 2) is None


async def test_exchanges_are_byte_for_byte_and_in_order(journal: Journal, turn) -> None:
    await sent(journal, turn, reply(" one\r\n", prompt="Ann: first "))
    await journal.accept([acceptance("b")])
    await sent(journal, await claim(journal, 2), reply("not kept", prompt=None))
    await journal.accept([acceptance("c")])
    third = await journal.store_reply(await claim(journal, 3), reply("three", prompt="third"))
    found = [(e.ord, e.prompt, e.reply) for e in await journal.exchanges(third.chat, 4)]
    assert found == [(1, "Ann: first ", " one\r\n"), (3, "third", "three")]
    assert [e.ord for e in await journal.exchanges(third.chat, 3)] == [1]
    assert [e.ord for e in await journal.exchanges(third.chat, 4, limit=1)] == [3]
    assert third.chat.context_version == 2
    assert await journal.context_state(third.chat.id) == (2, 0)


async def test_a_reset_begins_the_memory_behind_itself(journal: Journal, turn) -> None:
    await sent(journal, turn, reply())
    await journal.accept([acceptance("/reset")])
    reset = await sent(journal, await claim(journal, 2), reply("done", prompt=None, resets_context=True))
    assert (reset.chat.context_version, reset.chat.context_from) == (2, 3)
    assert await journal.context_state(turn.chat.id) == (2, 3)
    assert await journal.exchanges(reset.chat, 99) == []


async def test_a_chat_that_is_not_there_has_no_context(journal: Journal) -> None:
    with pytest.raises(LookupError):
        await journal.context_state("nobody")


async def test_one_of_two_posts_the_first_sign(journal: Journal, clock: ManualClock) -> None:
    (receipt,) = await journal.accept([acceptance(event="e1")])
    turn_id, until = receipt.turn_id, clock.now() + timedelta(seconds=5)
    assert await journal.sign_claim(turn_id, until)
    assert not await journal.sign_claim(turn_id, until)
    assert await journal.sign_posted(turn_id, "sign")
    assert await journal.sign_of(turn_id) == ("sign", until)
    turn = await claim(journal, 1)
    assert (turn.placeholder, turn.sign_until) == ("sign", until)


async def test_a_late_sign_is_not_kept(journal: Journal, clock: ManualClock) -> None:
    (receipt,) = await journal.accept([acceptance(event="e1")])
    until = clock.now() + timedelta(seconds=5)
    await journal.sign_claim(receipt.turn_id, until)
    clock.advance(6)
    turn = await claim(journal, 1)
    await journal.placeholder_posted(turn, "the worker's own")
    assert not await journal.sign_posted(receipt.turn_id, "late")
    assert (await journal.sign_of(receipt.turn_id))[0] == "the worker's own"


async def test_an_expired_sign_claim_passes_on(journal: Journal, clock: ManualClock) -> None:
    (receipt,) = await journal.accept([acceptance()])
    await journal.sign_claim(receipt.turn_id, clock.now() + timedelta(seconds=5))
    clock.advance(5)
    assert await journal.sign_claim(receipt.turn_id, clock.now() + timedelta(seconds=5))


async def test_turns_without_a_sign_are_listed_until_they_have_one(
    journal: Journal, clock: ManualClock
) -> None:
    (shown, *_) = await journal.accept(
        [
            acceptance(event="e1", conversation="a"),
            acceptance(conversation="b", sends_from=SendsFrom.OWNER),
        ]
    )
    assert await journal.unsigned(clock.now(), 10, adapters=["fake"]) == []
    clock.advance(1)
    (found,) = await journal.unsigned(clock.now(), 10, adapters=["fake"])
    assert (found.turn_id, found.reply_to) == (shown.turn_id, "message-of-e1")
    await journal.sign_claim(shown.turn_id, clock.now() + timedelta(seconds=5))
    assert await journal.unsigned(clock.now(), 10, adapters=["fake"]) == []


async def test_nothing_people_wrote_stands_in_the_file(journal: Journal, database: Database) -> None:
    """Neither what was asked nor what was answered is in SQLite's files or in any column of PostgreSQL."""
    secrets = {"asked": "walrus-question", "stood": "walrus-prompt", "said": "walrus-answer"}
    await journal.accept([acceptance(secrets["asked"])])
    await sent(journal, await claim(journal, 1), reply(secrets["said"], prompt=secrets["stood"]))
    assert b"walrus" not in await everything_stored(database)


async def everything_stored(database: Database) -> bytes:
    if database.dialect == "sqlite":
        from pathlib import Path  # noqa: PLC0415 - only one database has files

        folder = Path(database.url.database).parent
        stored = b"".join(path.read_bytes() for path in folder.iterdir())
        assert b"message-of-" in stored
        return stored
    stored = ""
    async with database.read() as connection:
        for table in ("chats", "turns", "inbounds", "reply_parts", "notices"):
            rows = await connection.execute(text(f"SELECT t::text FROM {table} t"))  # noqa: S608 - names of ours
            stored += "".join(rows.scalars())
        hexed = b"walrus".hex()
        assert hexed not in stored
    assert "message-of-" in stored
    return stored.encode()
