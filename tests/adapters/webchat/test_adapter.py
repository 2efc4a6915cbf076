"""What the assistant writes, as people see it on the page; and a server that is started again."""

import pytest

from adapters.base import Edit, LivePhase, LiveSnapshot, Purpose, Send
from adapters.errors import Gone, Rejected
from adapters.markdown import parse
from tests.fixtures.webchat import Chat

TABLE = "# Plan\n\nSome **bold** words.\n\n- one\n- two\n\n```py\nx = 1\n```"


def send(room, text, *, op_id="op-1", reply_to=None, purpose=Purpose.REPLY):
    return Send(
        op_id=op_id,
        account="local",
        conversation=room,
        content=parse(text),
        purpose=purpose,
        reply_to=reply_to,
    )


def edit(room, message, text, *, purpose=Purpose.REPLY):
    return Edit(
        op_id="e", account="local", conversation=room, message=message, content=parse(text), purpose=purpose
    )


def snapshot(room, reply_to, text, number, *, phase=LivePhase.STREAMING, turn="turn"):
    return LiveSnapshot(
        turn_id=turn,
        account="local",
        conversation=room,
        reply_to=reply_to,
        phase=phase,
        text=text,
        number=number,
    )


async def test_a_reply_comes_rendered_to_everybody_and_quotes_its_question(people, chat):
    room, _, tabs = await people.group("Ann", "Bob")
    ref = (await tabs[0].say(room, "@assistant plan"))["ref"]
    sent = await chat.adapter.send(send(room, TABLE, reply_to=ref))
    for tab in tabs:
        entry = await tab.entry(room, ref=sent.message)
        assert entry["blocks"][0] == ["h", 1, "Plan"]
        assert entry["blocks"][-1] == ["code", "py", "x = 1"]
        assert (entry["reply_to"], entry["answers"], entry["purpose"], entry["by"]) == (
            ref,
            [ref],
            "reply",
            "",
        )
        assert entry["markdown"].startswith("# Plan")


async def test_a_reply_grows_before_everybodys_eyes_and_then_stands(people, chat):
    room, _, tabs = await people.group("Ann", "Bob")
    ref = (await tabs[0].say(room, "@assistant plan"))["ref"]
    turn = (await tabs[1].event("live", phase="waiting"))["turn"]
    for number, text in enumerate(["One", "One two.", "One two.\n\nThree"], start=1):
        await chat.adapter.show(snapshot(room, ref, text, number, turn=turn))
        for tab in tabs:
            await tab.until(
                lambda tab=tab, text=text: grown(tab, turn)[-1:] == [["p", text.split("\n\n")[-1]]]
            )
    await chat.adapter.send(send(room, "One two.\n\nThree four.", reply_to=ref))
    await chat.adapter.show(snapshot(room, ref, "", 99, phase=LivePhase.ENDED, turn=turn))
    for tab in tabs:
        await tab.event("live", turn=turn, phase="ended")
        names = [event["event"] for event in tab.events if event["event"] in ("live", "entries")]
        assert names[-2:] == ["entries", "live"]


def grown(tab, turn):
    """Fold what a tab was told of a growing reply."""
    blocks = []
    for event in tab.events:
        if event["event"] == "live" and event["turn"] == turn and "blocks" in event:
            blocks = blocks[: event["from"]] + event["blocks"]
    return blocks


async def test_who_opens_the_page_late_sees_the_whole_reply_so_far(people, chat):
    room, guests, tabs = await people.group("Ann", "Bob")
    ref = (await tabs[0].say(room, "@assistant plan"))["ref"]
    await chat.adapter.show(snapshot(room, ref, "One.\n\nTwo", 1))
    late = await people.tab(guests[1])
    await late.until(lambda: grown(late, "turn") == [["p", "One."], ["p", "Two"]])


async def test_a_notice_is_marked_as_one(people, chat):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    await chat.adapter.send(send(room, "I am full.", purpose=Purpose.NOTICE))
    assert (await ann.entry(room, kind="sent"))["purpose"] == "notice"


async def test_an_edit_and_a_withdrawal_reach_the_page(people, chat):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    sent = await chat.adapter.send(send(room, "…", purpose=Purpose.PLACEHOLDER))
    await chat.adapter.edit(edit(room, sent.message, "the *answer*"))
    assert (await ann.entry(room, kind="edit", target=sent.message))["blocks"] == [
        ["p", "the ", ["i", "answer"]]
    ]
    await chat.adapter.delete("local", room, sent.message)
    await ann.entry(room, kind="withdraw", target=sent.message)
    with pytest.raises(Rejected):
        await chat.adapter.edit(edit(room, sent.message, "back"))


async def test_a_room_that_everybody_left_is_gone(people, chat):
    room, _, (ann,) = await people.group("Ann")
    await ann.ask("leave", room=room)
    with pytest.raises(Gone):
        await chat.adapter.send(send(room, "too late"))


async def test_a_reply_is_rated_by_members_of_its_room(people, chat):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    sent = await chat.adapter.send(send(room, "the answer"))
    assert await ann.ask("rate", room=room, ref=sent.message, value="up") == {}


async def test_after_a_restart_everybody_is_who_they_were_and_has_everything():
    chat = Chat()
    async with chat.running(), chat.guest("Ann") as ann:
        tab = await ann.open()
        room = tab.hello["rooms"][0]["id"]
        await tab.say(room, "before")
        sent = await chat.adapter.send(send(room, "answered before"))
        held = {room: (await tab.entry(room, ref=sent.message))["pos"]}
        await chat.stop()
        assert await tab.closed() == 1001
        await chat.start()
        ann.address = chat.address
        await chat.adapter.send(send(room, "while away", op_id="op-2"))
        again = await ann.open(held)
        assert again.hello["me"] == tab.hello["me"]
        assert (await again.entry(room, kind="sent"))["markdown"] == "while away"
        assert await chat.adapter.send(send(room, "answered before")) == sent
        await again.say(room, "after")
        page = await again.ask("history", room=room)
        told = [entry.get("text") or entry.get("markdown") for entry in page["entries"]]
        assert told == ["before", "answered before", "while away", "after"]
        await again.close()
        await tab.close()


async def test_what_was_read_is_remembered_over_a_restart():
    chat = Chat()
    async with chat.running(), chat.guest("Ann") as ann:
        tab = await ann.open()
        room = tab.hello["rooms"][0]["id"]
        sent = await chat.adapter.send(send(room, "read me"))
        position = (await tab.entry(room, ref=sent.message))["pos"]
        await tab.ask("read", room=room, pos=position)
        await tab.close()
        await chat.stop()
        await chat.start()
        ann.address = chat.address
        again = await ann.open()
        assert again.hello["rooms"][0]["read_pos"] == position
        await again.close()


async def test_a_taken_port_is_said_in_words():
    async with Chat().running() as chat:
        taken = Chat()
        object.__setattr__(taken.settings, "port", chat.adapter.port)
        with pytest.raises(Exception, match=r"taken by .*gateway\.port"):
            await taken.start()
