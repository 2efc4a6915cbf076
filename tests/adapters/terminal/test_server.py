"""The door and the protocol: who may enter, what is refused, what a restart leaves behind."""

import asyncio
import json
import socket
import stat

import pytest

from adapters.errors import Rejected, Unreachable
from adapters.records import RecordsUnavailable
from adapters.terminal.door import SocketRefused, open_door
from adapters.terminal.frames import MAX_FRAME_BYTES, Ack, Join, Refusal, Say, Welcome, to_wire
from adapters.terminal.lines import close
from adapters.terminal.settings import TEXT_LIMIT


async def test_only_the_owner_may_open_the_socket(terminal):
    assert stat.S_IMODE(terminal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(terminal.path.parent.stat().st_mode) == 0o700


async def test_a_directory_that_is_missing_is_made_private(tmp_path):
    async with open_door(tmp_path / "run" / "t.sock", lambda *_: None):
        assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


async def test_a_directory_open_to_others_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(SocketRefused, match="chmod 700"):
        async with open_door(tmp_path / "t.sock", lambda *_: None):
            pass


async def test_a_path_longer_than_the_kernel_allows_is_refused_in_words(tmp_path):
    with pytest.raises(SocketRefused, match="bytes long and the system allows 100"):
        async with open_door(tmp_path / ("x" * 100), lambda *_: None):
            pass


async def test_a_socket_left_behind_is_replaced(socket_path, make_terminal):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(socket_path))
    left.close()
    async with open_door(socket_path, lambda _, writer: writer.close()):
        reader, writer = await asyncio.open_unix_connection(socket_path)
        assert await reader.read() == b""
        await close(writer)


async def test_a_running_server_is_not_displaced(terminal):
    with pytest.raises(SocketRefused, match="Another Aside already listens"):
        async with open_door(terminal.path, lambda *_: None):
            pass
    assert (await terminal.join("Anna")).welcome.person == "Anna"


async def test_something_else_in_the_way_is_left_alone(socket_path):
    socket_path.write_text("mine")
    with pytest.raises(SocketRefused, match="not a socket"):
        async with open_door(socket_path, lambda *_: None):
            pass
    assert socket_path.read_text() == "mine"


async def test_a_socket_that_cannot_be_opened_ends_the_run_with_its_sentence(socket_path, make_terminal):
    socket_path.parent.chmod(0o755)
    terminal = make_terminal(socket_path)
    with pytest.raises(SocketRefused, match="Other users can enter"):
        await terminal.adapter.run(terminal.sink)


async def test_cancelling_closes_connections_and_removes_the_socket(socket_path, make_terminal):
    terminal = make_terminal(socket_path)
    async with terminal.running():
        anna = await terminal.join("Anna")
        terminal.people.clear()
    assert not socket_path.exists()
    assert await anna.read() is None
    await anna.leave()


async def test_a_client_that_vanishes_loses_nothing_across_a_restart(socket_path, make_terminal):
    terminal = make_terminal(socket_path)
    async with terminal.running():
        anna = await terminal.join("Anna")
        await anna.write(Say(id="1", text="hi"))
        seen = await anna.message()
        await anna.leave()
    terminal.start()
    async with terminal.running():
        await terminal.reply("direct:anna", "there you are", to=seen.ref)
        again = await terminal.join("Anna", after=seen.position)
        assert (await again.message()).text == "there you are"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"\xff\xfe\n", id="no UTF-8"),
        pytest.param(b"{\n", id="no JSON"),
        pytest.param(b"[]\n", id="no object"),
        pytest.param(b'{"v":2,"type":"stop"}\n', id="another version"),
        pytest.param(b'{"v":1,"type":"dance"}\n', id="unknown type"),
        pytest.param(b'{"v":1,"type":["stop"]}\n', id="type of the wrong kind"),
        pytest.param(b'{"v":1,"type":"say","id":"1"}\n', id="missing field"),
        pytest.param(b'{"v":1,"type":"say","id":1,"text":"x"}\n', id="wrong kind of field"),
        pytest.param(b"[" * 100_000 + b"\n", id="deep nesting"),
        pytest.param(b"x" * (MAX_FRAME_BYTES + 1) + b"\n", id="just too long"),
        pytest.param(b"x" * (3 * MAX_FRAME_BYTES) + b"\n", id="far too long"),
        pytest.param(to_wire(Join(person="Anna")), id="joining twice"),
        pytest.param(to_wire(Say(id="1", text=" ")), id="nothing"),
        pytest.param(to_wire(Say(id="", text="x")), id="no id"),
        pytest.param(to_wire(Say(id="a:b", text="x")), id="an id with signs"),
        pytest.param(to_wire(Say(id="1", text="x" * 150_001)), id="a message too long for the room"),
    ],
)
async def test_a_frame_that_cannot_be_read_is_refused_and_the_next_is_taken(terminal, line):
    anna = await terminal.join("Anna")
    anna.writer.write(line)
    refusal = await anna.read(Refusal)
    assert not refusal.retry
    assert refusal.why.endswith(".")
    assert isinstance(await anna.say("still here", id="9"), Ack)
    assert [event.text for event in terminal.sink.events] == ["still here"]


async def test_100_000_characters_reach_the_core(terminal):
    anna = await terminal.join("Anna")
    await anna.say("ä" * 100_000)
    assert len(terminal.sink.events[0].text) == 100_000


async def test_a_lone_surrogate_becomes_a_replacement(terminal):
    anna = await terminal.join("Anna")
    anna.writer.write(json.dumps({"v": 1, "type": "say", "id": "1", "text": "a\ud800b"}).encode() + b"\n")
    await anna.read(Ack)
    assert terminal.sink.events[0].text == "a\ufffdb"


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        pytest.param(Join(person="assistant"), "looks like the assistant's name", id="the assistant's name"),
        pytest.param(Join(person="a\x00b"), "letters, digits", id="control characters"),
        pytest.param(Join(person="Anna", chat=" "), "cannot be empty", id="no chat name"),
        pytest.param(Say(id="1", text="x"), "begins with joining", id="no joining"),
    ],
)
async def test_who_may_not_enter_is_told_why(terminal, frame, why):
    anna = await terminal.connect()
    await anna.write(frame)
    assert why in (await anna.read()).why
    assert await anna.read() is None


async def test_a_cursor_from_nowhere_does_no_harm(terminal):
    anna = await terminal.join("Anna", after=10**30)
    await anna.say("x")
    assert (await anna.message()).text == "x"


async def test_a_store_that_is_gone_is_said_and_the_message_may_be_sent_again(terminal, monkeypatch):
    anna = await terminal.join("Anna")

    async def gone(*_):
        raise RecordsUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(terminal.records, "append", gone)
        await anna.write(Say(id="1", text="x"))
        assert (await anna.read(Refusal)).retry
        with pytest.raises(Unreachable):
            await terminal.reply("direct:anna", "x")
    assert isinstance(await anna.say("x"), Ack)


async def test_a_message_beyond_the_limit_is_rejected(terminal):
    with pytest.raises(Rejected, match="more than the 100000"):
        await terminal.reply("direct:anna", "x" * (TEXT_LIMIT + 1))


async def test_the_longest_message_still_fits_one_frame(terminal):
    anna = await terminal.join("Anna")
    await terminal.reply("direct:anna", "👍" * TEXT_LIMIT)
    assert len((await anna.message()).text) == TEXT_LIMIT


async def test_the_first_name_is_the_one_the_assistant_writes_under(socket_path, make_terminal):
    async with make_terminal(socket_path, assistant_names=("Ada", "assistant")).running() as terminal:
        anna = await terminal.join("Anna")
        await terminal.reply("direct:anna", "x")
        assert (anna.welcome, (await anna.message()).name) == (
            Welcome(person="Anna", assistant="Ada", chat=None),
            "Ada",
        )
