"""`aside chat` as a process of its own, against a real server."""

import asyncio
import contextlib
import os
import pty
import signal
import sys

import pytest

from adapters.base import LivePhase, Outcome, Purpose
from adapters.terminal.client.link import Link, Lost
from adapters.terminal.frames import Message, Say, Welcome

_COMMAND = (
    "import argparse, sys\n"
    "from adapters.terminal.client.command import add_arguments, run\n"
    "parser = argparse.ArgumentParser()\n"
    "add_arguments(parser)\n"
    "sys.exit(run(parser.parse_args()))\n"
)


async def start(*options, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, **environment):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _COMMAND,
        *map(str, options),
        stdin=stdin,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", **environment},
    )


async def finish(process, text=None):
    async with asyncio.timeout(30):
        out, err = await process.communicate(text.encode() if text is not None else None)
    return process.returncode, (out or b"").decode(), (err or b"").decode()


async def once(terminal, text, *options):
    """Start `--once` and return it when its message has reached the core."""
    process = await start("--socket", terminal.path, "--as", "Anna", "--once", *options)
    process.stdin.write(text.encode())
    process.stdin.close()
    async with asyncio.timeout(30):
        await terminal.sink.arrived.wait()
    return process


async def test_once_prints_just_the_reply(terminal):
    process = await once(terminal, "@assistant hi\n", "--chat", "team")
    event = terminal.sink.events[0]
    await terminal.reply("group:team", "to somebody else", to="said:ben:1", op_id="other")
    await terminal.show("group:team", "Hel", to=event.message)
    await terminal.reply("group:team", "wait", to=event.message, op_id="sign", purpose=Purpose.PLACEHOLDER)
    await terminal.reply("group:team", "Hello **you**", to=event.message)
    assert await finish(process) == (0, "Hello **you**\n", "")
    assert (event.text, event.sender.name) == ("@assistant hi", "Anna")


async def test_once_prints_a_notice_to_stderr_and_fails(terminal):
    process = await once(terminal, "hi")
    message = terminal.sink.events[0].message
    await terminal.reply("direct:anna", "Too busy now.", to=message, purpose=Purpose.NOTICE)
    assert await finish(process) == (1, "", "Too busy now.\n")


async def test_once_says_so_when_nobody_is_addressed(terminal):
    terminal.sink.outcome = Outcome.IGNORED
    code, out, err = await finish(await once(terminal, "hi all", "--chat", "team"))
    assert (code, out) == (1, "")
    assert "write @assistant in it" in err


async def test_once_waits_no_longer_than_it_is_told(terminal):
    code, _, err = await finish(await once(terminal, "hi", "--timeout", "0.5"))
    assert code == 1
    assert "No reply came within 0.5 s" in err


async def test_once_offers_a_message_again_that_the_core_could_not_take(terminal):
    terminal.sink.failures = 2
    process = await once(terminal, "hi")
    await terminal.reply("direct:anna", "yes", to=terminal.sink.events[0].message)
    assert await finish(process) == (0, "yes\n", "")
    assert len(terminal.sink.events) == 1


async def test_once_gets_its_reply_across_a_restart_of_the_server(socket_path, make_terminal):
    terminal = make_terminal(socket_path)
    async with terminal.running():
        process = await once(terminal, "hi")
    terminal.start()
    async with terminal.running():
        await terminal.reply("direct:anna", "yes", to=terminal.sink.events[0].message)
        assert await finish(process) == (0, "yes\n", "")


async def test_without_a_server_one_sentence_says_how_to_start_it(tmp_path):
    process = await start("--data-dir", tmp_path, "--as", "Anna", "--once")
    expected = "Aside is not running here: start it with make run (or aside up).\n"
    assert await finish(process, "hi") == (1, "", expected)


@pytest.mark.parametrize(
    ("options", "text", "why"),
    [
        pytest.param(["--as", "Anna"], " \n", "nothing to send", id="nothing"),
        pytest.param(["--as", "Anna"], "x" * 150_001, "too long", id="too long"),
        pytest.param(
            ["--as", "assistant"], "hi", "looks like the assistant's name", id="the assistant's name"
        ),
    ],
)
async def test_once_says_what_is_wrong(terminal, options, text, why):
    code, out, err = await finish(await start("--socket", terminal.path, "--once", *options), text)
    assert (code, out) == (1, "")
    assert why in err


async def test_a_socket_path_that_is_too_long_is_said():
    code, _, err = await finish(await start("--socket", "/" + "x" * 120, "--as", "Anna", "--once"), "hi")
    assert code == 1
    assert "bytes long and the system allows 100" in err


async def test_binary_garbage_arrives_as_text(terminal):
    process = await start("--socket", terminal.path, "--as", "Anna", "--once", "--timeout", "1")
    process.stdin.write(b"\xff\x00\xfe\x1b")
    process.stdin.close()
    async with asyncio.timeout(30):
        await terminal.sink.arrived.wait()
    assert terminal.sink.events[0].text == "\ufffd\x00\ufffd\x1b"
    await finish(process)


async def test_piped_lines_are_said_and_their_replies_awaited(terminal):
    process = await start("--socket", terminal.path, "--as", "Anna")
    process.stdin.write(b"one\n")
    process.stdin.close()
    async with asyncio.timeout(30):
        await terminal.sink.arrived.wait()
    message = terminal.sink.events[0].message
    await terminal.show("direct:anna", "", to=message, phase=LivePhase.THINKING, number=0)
    await terminal.show("direct:anna", "Hel", to=message)
    await terminal.reply("direct:anna", "Hello", to=message)
    code, out, err = await finish(process)
    assert (code, err) == (0, "")
    assert "   1 Anna: one\n" in out
    assert "assistant (to 1): " in out
    assert "Hello" in out


class Keys:
    """A person at a terminal of their own."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.seen = ""
        self.news = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self.read)

    def read(self):
        try:
            self.seen += os.read(self.descriptor, 65536).decode(errors="replace")
        except OSError:
            asyncio.get_running_loop().remove_reader(self.descriptor)
        self.news.set()

    def type(self, text):
        os.write(self.descriptor, text.encode())

    async def until(self, text):
        async with asyncio.timeout(30):
            while text not in self.seen:
                self.news.clear()
                await self.news.wait()


@contextlib.asynccontextmanager
async def at_a_terminal(terminal, *options, **environment):
    mine, theirs = pty.openpty()
    process = await start("--socket", terminal.path, *options, stdin=theirs, stdout=theirs, **environment)
    os.close(theirs)
    keys = Keys(mine)
    try:
        yield keys, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
        asyncio.get_running_loop().remove_reader(mine)
        os.close(mine)


async def test_a_person_at_a_terminal_talks_and_leaves(terminal):
    async with at_a_terminal(terminal, "--as", "Anna", "--chat", "team") as (keys, process):
        await keys.until("You are Anna, in the group team")
        keys.type("@assistant hi\r")
        await keys.until("@assistant hi\r\n")
        await terminal.sink.arrived.wait()
        message = terminal.sink.events[0].message
        await terminal.show("group:team", "Hel", to=message)
        await keys.until("Hel")
        sent = await terminal.reply("group:team", "Hello", to=message)
        await keys.until("Hello")
        terminal.sink.arrived.clear()
        keys.type(">2 why?\r")
        await terminal.sink.arrived.wait()
        assert terminal.sink.events[1].quoted.ref == sent.message
        keys.type("/quit\r")
        assert (await finish(process))[0] == 0


async def test_ctrl_c_asks_to_stop_a_reply_and_otherwise_leaves(terminal):
    async with at_a_terminal(terminal, "--as", "Anna") as (keys, process):
        await keys.until("You are Anna")
        keys.type("hi\r")
        await terminal.sink.arrived.wait()
        message = terminal.sink.events[0].message
        await terminal.show("direct:anna", "Hel", to=message)
        await keys.until("Hel")
        terminal.sink.arrived.clear()
        process.send_signal(signal.SIGINT)
        await terminal.sink.arrived.wait()
        assert [stop.sender.id for stop in terminal.sink.stops] == ["anna"]
        await terminal.reply("direct:anna", "Hel (stopped)", to=message)
        await keys.until("(stopped)")
        process.send_signal(signal.SIGINT)
        assert (await finish(process))[0] == 0


async def test_ctrl_d_leaves(terminal):
    async with at_a_terminal(terminal, "--as", "Anna") as (keys, process):
        await keys.until("> ")
        keys.type("\x04")
        assert (await finish(process))[0] == 0


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
async def test_no_color_is_honoured(terminal, environment, coloured):
    async with at_a_terminal(terminal, "--as", "Anna", **environment) as (keys, _):
        await keys.until("You are Anna")
        keys.type("hi\r")
        await keys.until(": hi")
        assert ("\x1b[1;" in keys.seen) is coloured


async def test_the_link_comes_back_without_gap_or_duplicate(socket_path, make_terminal):
    terminal = make_terminal(socket_path)
    link = Link(socket_path, person="Anna", chat=None)
    frames = link.frames()
    async with terminal.running():
        assert isinstance(await anext(frames), Welcome)
        await link.say(Say(id="1", text="one"))
        while not isinstance(frame := await anext(frames), Message):
            pass
        assert frame.text == "one"
        await terminal.sink.arrived.wait()
    while not isinstance(await anext(frames), Lost):
        pass
    await link.say(Say(id="2", text="two"))
    terminal.start()
    texts = []
    async with terminal.running(), asyncio.timeout(20):
        await terminal.reply("direct:anna", "meanwhile", op_id="m")
        while len(texts) < 2:
            frame = await anext(frames)
            if isinstance(frame, Message):
                texts.append(frame.text)
        await frames.aclose()
    assert texts == ["meanwhile", "two"]
