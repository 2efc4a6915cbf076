"""The conversation of the README through real vLLM: people, mentions, streams, follow-ups, kills, restarts."""

import asyncio
import signal
from pathlib import Path

import psutil
import pytest

from adapters.terminal.frames import Author
from tests.fixtures.deployment import Deployment, Terminal, at_terminal
from tests.fixtures.valkey import RealServer

pytestmark = [pytest.mark.real_engine, pytest.mark.timeout(400)]

STORY = "@assistant Tell me a long story about a lighthouse and the people in it."


async def mention(terminal: Terminal, text: str) -> str:
    """Say something that starts a stream, and wait for its first words."""
    ref = await terminal.say(text)
    await terminal.streaming(ref)
    return ref


async def test_two_people_in_a_group_see_the_stream_and_a_follow_up_uses_the_context(
    deployment: Deployment,
) -> None:
    up = deployment.start("up")
    await deployment.until_reachable(up)
    async with at_terminal(deployment, "ann", "team") as ann, at_terminal(deployment, "bob", "team") as bob:
        asked = await ann.say("@assistant What is the capital of France?")
        await asyncio.gather(ann.streaming(asked), bob.streaming(asked))
        answer, seen_by_bob = await asyncio.gather(ann.reply_to(asked), bob.reply_to(asked))
        assert answer.author is Author.ASSISTANT
        assert seen_by_bob.text == answer.text
        follow_up = await bob.say("Say that again in one word.", reply_to=answer.ref)
        second = await ann.reply_to(follow_up)
        assert second.author is Author.ASSISTANT
        unaddressed = await ann.say("thanks, let us go for lunch")
        assert unaddressed
    status = deployment.aside("status")
    assert status.returncode == 0
    assert "done      2" in status.stdout


async def test_once_prints_the_reply_and_nothing_else(deployment: Deployment) -> None:
    up = deployment.start("up")
    await deployment.until_reachable(up)
    asked = deployment.aside("chat", "--as", "ann", "--once", text="@assistant Say hello.")
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip()
    assert asked.stderr == ""


async def test_stop_keeps_what_was_said(deployment: Deployment) -> None:
    up = deployment.start("up")
    await deployment.until_reachable(up)
    async with at_terminal(deployment, "ann") as ann:
        ref = await mention(ann, STORY)
        await ann.stop()
        reply = await ann.reply_to(ref)
        assert "stopped" in reply.text


async def test_everything_killed_and_started_again_answers_once_and_keeps_the_context(
    deployment: Deployment,
) -> None:
    up = deployment.start("up")
    await deployment.until_reachable(up)
    async with at_terminal(deployment, "ann", "team") as ann:
        first = await ann.say("@assistant What is the capital of France?")
        await ann.reply_to(first)
        killed = await mention(ann, STORY)
        children = psutil.Process(up.pid).children(recursive=True)
        up.send_signal(signal.SIGKILL)
        up.wait()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, children, 15)
        assert not alive, "a child outlived its parent"
        assert gone
        again = deployment.start("up")
        await deployment.until_reachable(again)
        reply = await ann.reply_to(killed)
        assert reply.author is Author.ASSISTANT
        assert len([one for one in ann.replies() if killed in one.answers]) == 1
    async with at_terminal(deployment, "bob", "team") as bob:
        await bob.reply_to(killed)
        assert len(bob.replies()) == 2


async def test_a_worker_killed_in_the_middle_of_a_stream_is_taken_over_and_answers_once(
    deployment: Deployment, own_valkey: RealServer
) -> None:
    deployment.env["ASIDE_REDIS_URL"] = own_valkey.url
    assert deployment.aside("migrate").returncode == 0
    gateway = deployment.start("gateway")
    worker = deployment.start("worker")
    await deployment.until_reachable(gateway)
    async with at_terminal(deployment, "ann", "team") as ann:
        ref = await mention(ann, STORY)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        deployment.start("worker")
        reply = await ann.reply_to(ref)
        assert reply.author is Author.ASSISTANT
        assert len(ann.replies()) == 1


@pytest.mark.timeout(600)
async def test_vllm_killed_in_the_middle_of_a_stream_is_started_again_and_the_turn_answered_once(
    deployment: Deployment, embedded_model: Path, engine_python: Path
) -> None:
    del deployment.env["ASIDE_ENGINE_URL"]
    data_dir = deployment.data_dir
    (data_dir / "env").mkdir(parents=True)
    (data_dir / "env" / "engine").symlink_to(engine_python.parents[1])
    (data_dir / "models").mkdir()
    (data_dir / "models" / "embedded").symlink_to(embedded_model)
    up = deployment.start("up")
    await deployment.until_reachable(up)
    async with at_terminal(deployment, "ann", "team") as ann:
        ref = await mention(ann, STORY)
        for process in vllm_processes(up.pid):
            process.kill()
        reply = await ann.reply_to(ref)
        assert reply.author is Author.ASSISTANT
        assert len(ann.replies()) == 1


def vllm_processes(pid: int) -> list[psutil.Process]:
    """Find the processes of the engine below a process."""
    found = [
        process
        for process in psutil.Process(pid).children(recursive=True)
        if any("vllm.entrypoints" in word for word in process.cmdline())
        and "guard.py" not in " ".join(process.cmdline())
    ]
    assert found
    return found
