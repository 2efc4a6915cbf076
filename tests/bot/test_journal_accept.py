"""Accepting: once, in order, joined where it may be, refused where it must be."""

import asyncio

import pytest
from sqlalchemy import func, select

from adapters.base import Outcome, SendsFrom
from bot.chat.memory_vault import EphemeralVault
from bot.store.database import Database
from bot.turns.acceptance import Cap, CapRefusal, Caps
from bot.turns.journal import Journal
from bot.turns.journal.rows import inbounds, turns
from bot.turns.model import NoticeKind, Skill, TurnState
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance

TOO_LONG = (NoticeKind.TOO_LONG, "That is too long.")


async def outcomes(journal: Journal, *batch) -> list[Outcome]:
    return [receipt.outcome for receipt in await journal.accept(batch)]


async def the_turn(journal: Journal, conversation: str = "room", token: int = 1):
    chat = await journal.chat_by_conversation("fake", "main", conversation)
    return await journal.claim(chat.id, token, "epoch")


async def count(database: Database, table) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def test_a_message_becomes_a_turn_with_everything_it_said(journal: Journal) -> None:
    (receipt,) = await journal.accept([acceptance("hello", event="e1")])
    turn = await the_turn(journal)
    assert (receipt.outcome, receipt.turn_id) == (Outcome.ACCEPTED, turn.id)
    assert (turn.ord, turn.state, turn.skill, turn.attempts) == (1, TurnState.WAITING, Skill.ANSWER, 0)
    (said,) = turn.said
    assert (said.text, said.sender_name, said.message) == ("hello", "Ann", "message-of-e1")


async def test_an_empty_batch_is_nothing(journal: Journal) -> None:
    assert await journal.accept([]) == []


async def test_an_event_delivered_again_changes_nothing(journal: Journal, database: Database) -> None:
    first = await journal.accept([acceptance(event="e1")])
    again = await journal.accept([acceptance(event="e1")])
    assert (again[0].outcome, again[0].turn_id) == (Outcome.DUPLICATE, first[0].turn_id)
    assert await count(database, turns) == await count(database, inbounds) == 1


async def test_an_event_twice_in_one_batch_is_one_turn(journal: Journal, database: Database) -> None:
    first, second = await journal.accept([acceptance(event="e1"), acceptance(event="e1")])
    assert (second.outcome, second.turn_id) == (Outcome.DUPLICATE, first.turn_id)
    assert await count(database, turns) == 1


async def test_five_concurrent_deliveries_make_one_turn(
    database_url: str, clock: ManualClock, database: Database
) -> None:
    """Two gateways and five deliveries of the same event at once: one is accepted, four are duplicates."""
    vault = EphemeralVault()
    async with Database(database_url) as other:
        journals = [Journal(store, vault, clock) for store in (database, other, database, other, database)]
        receipts = await asyncio.gather(*(j.accept([acceptance(event="same")]) for j in journals))
    found = sorted(receipt.outcome for (receipt,) in receipts)
    assert found == [Outcome.ACCEPTED, *[Outcome.DUPLICATE] * 4]
    assert await count(database, turns) == await count(database, inbounds) == 1


async def test_the_same_event_under_two_conversations_is_one_turn(
    database_url: str, clock: ManualClock, database: Database
) -> None:
    vault = EphemeralVault()
    async with Database(database_url) as other:
        receipts = await asyncio.gather(
            Journal(database, vault, clock).accept([acceptance(event="same", conversation="old")]),
            Journal(other, vault, clock).accept([acceptance(event="same", conversation="new")]),
        )
    assert sorted(r.outcome for (r,) in receipts) == [Outcome.ACCEPTED, Outcome.DUPLICATE]


async def test_ord_counts_every_turn_of_a_chat_across_two_gateways(
    database_url: str, clock: ManualClock, database: Database
) -> None:
    """Forty concurrent batches over the same three chats leave no gap and no double in any chat's order."""
    vault = EphemeralVault()
    async with Database(database_url) as other:
        stores = [Journal(store, vault, clock, Caps(per_chat=1000)) for store in (database, other)]
        names = ["a", "b", "c"]
        await asyncio.gather(
            *(
                stores[n % 2].accept(
                    [acceptance(conversation=name, sender=f"s{n}", skill=Skill.HELP) for name in rotated]
                )
                for n in range(40)
                for rotated in [names[n % 3 :] + names[: n % 3]]
            )
        )
    async with database.read() as connection:
        rows = list(await connection.execute(select(turns.c.chat_id, turns.c.ord)))
    orders: dict[str, list[int]] = {}
    for row in rows:
        orders.setdefault(row.chat_id, []).append(row.ord)
    assert [sorted(order) for order in orders.values()] == [list(range(1, 41))] * 3


async def test_a_second_message_of_the_same_sender_joins_the_waiting_turn(journal: Journal) -> None:
    first = await journal.accept([acceptance("one")])
    second = await journal.accept([acceptance("two")])
    assert (second[0].outcome, second[0].turn_id) == (Outcome.JOINED, first[0].turn_id)
    turn = await the_turn(journal)
    assert [said.text for said in turn.said] == ["one", "two"]


async def test_messages_join_inside_one_batch(journal: Journal) -> None:
    assert await outcomes(journal, acceptance("one"), acceptance("two")) == [
        Outcome.ACCEPTED,
        Outcome.JOINED,
    ]
    assert [said.text for said in (await the_turn(journal)).said] == ["one", "two"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"sender": "ann"}, {"sender": "bob"}, id="another sender"),
        pytest.param({}, {"skill": Skill.HELP}, id="a command"),
        pytest.param({"skill": Skill.HELP}, {}, id="after a command"),
        pytest.param({"skill": Skill.GREET}, {}, id="after an empty mention"),
        pytest.param({}, {"conversation": "elsewhere"}, id="another conversation"),
    ],
)
@pytest.mark.parametrize("batched", [True, False], ids=["one batch", "two batches"])
async def test_what_does_not_join(journal: Journal, first: dict, second: dict, batched: bool) -> None:
    a, b = acceptance(**first), acceptance(**second)
    found = (
        await outcomes(journal, a, b)
        if batched
        else [
            *await outcomes(journal, a),
            *await outcomes(journal, b),
        ]
    )
    assert found == [Outcome.ACCEPTED, Outcome.ACCEPTED]


async def test_only_the_newest_turn_is_joined(journal: Journal) -> None:
    await journal.accept([acceptance("one", sender="ann"), acceptance("two", sender="bob")])
    assert await outcomes(journal, acceptance("three", sender="ann")) == [Outcome.ACCEPTED]


@pytest.mark.parametrize("batched", [True, False], ids=["one batch", "three batches"])
@pytest.mark.parametrize(
    ("between", "then", "outcome"),
    [
        pytest.param({"refusal": TOO_LONG}, {}, Outcome.JOINED, id="a refused turn"),
        pytest.param(
            {"refusal": TOO_LONG, "sender": "ann"}, {}, Outcome.JOINED, id="a refused turn of theirs"
        ),
        pytest.param({}, {"is_rest": True}, Outcome.JOINED, id="the rest, behind somebody else's turn"),
        pytest.param(
            {"refusal": TOO_LONG}, {"is_rest": True}, Outcome.JOINED, id="the rest, behind a refused turn"
        ),
        pytest.param(
            {"skill": Skill.HELP, "sender": "ann"}, {"is_rest": True}, Outcome.IGNORED, id="another's rest"
        ),
    ],
)
async def test_what_stands_between_a_turn_and_what_joins_it(
    journal: Journal, between: dict, then: dict, outcome: Outcome, batched: bool
) -> None:
    said = [acceptance(), acceptance(**{"sender": "bob", **between}), acceptance(**then)]
    batches = [said] if batched else [[each] for each in said]
    receipts = [receipt for batch in batches for receipt in await journal.accept(batch)]
    assert receipts[2].outcome is outcome
    assert (receipts[2].turn_id == receipts[0].turn_id) is (outcome is Outcome.JOINED)


async def test_nothing_joins_a_claimed_turn(journal: Journal) -> None:
    await journal.accept([acceptance("one")])
    turn = await the_turn(journal)
    await journal.release(turn)
    assert await outcomes(journal, acceptance("two")) == [Outcome.ACCEPTED]


async def test_nothing_joins_a_turn_that_is_being_cancelled(journal: Journal) -> None:
    await journal.accept([acceptance("one")])
    chat = await journal.chat_by_conversation("fake", "main", "room")
    await journal.request_cancel(chat.id)
    assert await outcomes(journal, acceptance("two")) == [Outcome.ACCEPTED]


async def test_what_joins_while_a_worker_claims_is_seen_or_becomes_a_turn(
    database_url: str, clock: ManualClock, database: Database
) -> None:
    """A claim and a join at the same instant never lose the message between them."""
    vault = EphemeralVault()
    async with Database(database_url) as other:
        gateway, worker = Journal(database, vault, clock), Journal(other, vault, clock)
        for n in range(20):
            room = f"room {n}"
            (first,) = await gateway.accept([acceptance("one", conversation=room)])
            turn, (second,) = await asyncio.gather(
                the_turn(worker, room), gateway.accept([acceptance("two", conversation=room)])
            )
            seen = [said.text for said in turn.said]
            joined = second.outcome is Outcome.JOINED
            assert seen == (["one", "two"] if joined else ["one"])
            assert (second.turn_id == first.turn_id) == joined


async def test_a_turn_takes_so_many_messages_and_no_more(database: Database, clock: ManualClock) -> None:
    journal = Journal(database, EphemeralVault(), clock, Caps(per_turn=2))
    assert await outcomes(journal, acceptance(), acceptance(), acceptance()) == [
        Outcome.ACCEPTED,
        Outcome.JOINED,
        Outcome.ACCEPTED,
    ]


async def test_a_refusal_is_stored_with_its_notice(journal: Journal) -> None:
    refusal = (NoticeKind.TOO_LONG, "That is too long.")
    (receipt,) = await journal.accept([acceptance(event="e1", refusal=refusal, sends_from=SendsFrom.OWNER)])
    assert receipt.outcome is Outcome.REFUSED
    (notice,) = await journal.owed("fake", 10)
    assert (notice.turn_id, notice.kind, notice.text) == (receipt.turn_id, *refusal)
    assert notice.reply_to == "message-of-e1"
    assert await the_turn(journal) is None


async def test_a_chat_takes_so_many_waiting_turns_and_no_more(database: Database, clock: ManualClock) -> None:
    journal = Journal(database, EphemeralVault(), clock, Caps(per_chat=2))
    await journal.accept([acceptance(sender="ann")])
    found = await outcomes(
        journal, acceptance(sender="bob"), acceptance(sender="cid"), acceptance(conversation="other")
    )
    assert found == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED]
    notice = await journal.claim_notice(clock.now(), 10)
    assert notice.kind is NoticeKind.BUSY
    assert notice.text.startswith("I have as many questions waiting here as I can keep.")


async def test_the_deployment_takes_so_many_waiting_turns_and_no_more(
    database: Database, clock: ManualClock
) -> None:
    journal = Journal(database, EphemeralVault(), clock, Caps(total=2))
    await journal.accept([acceptance(conversation="a")])
    assert await outcomes(journal, acceptance(conversation="b"), acceptance(conversation="c")) == [
        Outcome.ACCEPTED,
        Outcome.REFUSED,
    ]


async def test_who_finds_every_slot_taken_learns_how_many_stand_before(
    database: Database, clock: ManualClock
) -> None:
    journal = Journal(database, EphemeralVault(), clock, Caps(slots=2))
    batch = [acceptance(conversation=room) for room in "abcd"]
    assert [receipt.ahead for receipt in await journal.accept(batch)] == [None, None, 0, 1]


async def test_a_finished_turn_makes_room(database: Database, clock: ManualClock) -> None:
    journal = Journal(database, EphemeralVault(), clock, Caps(per_chat=1))
    await journal.accept([acceptance(sender="ann")])
    await journal.cancel(await the_turn(journal), None)
    assert await outcomes(journal, acceptance(sender="bob")) == [Outcome.ACCEPTED]


async def test_text_of_every_kind_comes_back_as_it_went_in(journal: Journal) -> None:
    text = "zero \x00, lone \ud800, smile \U0001f600, " + "x" * 100_000
    await journal.accept([acceptance(text)])
    (said,) = (await the_turn(journal)).said
    assert said.text == text


@pytest.mark.parametrize(
    "odd", ["a'b", 'a"b', "a\\b", "a\nb", "%", "[1]", "\U0001f600", "123", "x" * 200], ids=ascii
)
async def test_odd_keys_and_places_are_told_apart_and_found_again(journal: Journal, odd: str) -> None:
    first = await journal.accept([acceptance(event=odd, conversation=odd)])
    again = await journal.accept([acceptance(event=odd, conversation=odd), acceptance(conversation=odd)])
    assert (again[0].outcome, again[0].turn_id) == (Outcome.DUPLICATE, first[0].turn_id)
    assert (again[1].outcome, again[1].chat_id) == (Outcome.JOINED, first[0].chat_id)


@pytest.mark.parametrize(
    ("caps", "cap"),
    [
        pytest.param(Caps(per_chat=1), Cap.CHAT, id="the chat's"),
        pytest.param(Caps(total=1), Cap.TOTAL, id="the deployment's"),
    ],
)
async def test_a_refusal_names_the_cap(database: Database, clock: ManualClock, caps: Caps, cap: Cap) -> None:
    journal = Journal(database, EphemeralVault(), clock, caps)
    _, refused = await journal.accept([acceptance(sender="ann"), acceptance(sender="bob")])
    assert isinstance(refused, CapRefusal)
    assert refused.cap is cap


async def test_a_refusal_by_policy_names_no_cap(journal: Journal) -> None:
    (refused,) = await journal.accept([acceptance(refusal=(NoticeKind.TOO_LONG, "Too long."))])
    assert not isinstance(refused, CapRefusal)


async def test_near_the_cap_what_another_gateway_accepted_counts(
    database: Database, clock: ManualClock
) -> None:
    caps = Caps(total=4)
    ours, theirs = (Journal(database, EphemeralVault(), clock, caps) for _ in range(2))
    await ours.accept([acceptance(conversation="a")])
    await theirs.accept([acceptance(conversation="b"), acceptance(conversation="c")])
    assert await outcomes(ours, acceptance(conversation="d")) == [Outcome.ACCEPTED]
    assert await outcomes(ours, acceptance(conversation="e")) == [Outcome.REFUSED]


async def test_the_same_sender_joins_again_after_others_spoke_elsewhere(journal: Journal) -> None:
    """Only the chat's own newest turn is joined, whoever of the batch speaks in which chat."""
    await journal.accept([acceptance("one", sender="ann"), acceptance("two", sender="bob", conversation="b")])
    found = await outcomes(
        journal, acceptance("three", sender="bob"), acceptance("four", sender="bob", conversation="b")
    )
    assert found == [Outcome.ACCEPTED, Outcome.JOINED]
