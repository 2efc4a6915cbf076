"""`--once`: say what stdin holds, print the reply to it, leave."""

import asyncio
import uuid
from contextlib import aclosing

from adapters.base import Outcome
from adapters.terminal.client.link import Link
from adapters.terminal.frames import Ack, Author, Message, Refusal, Say, Welcome
from adapters.terminal.render import printable

_TAKEN = (Outcome.ACCEPTED, Outcome.JOINED, Outcome.DUPLICATE, Outcome.REFUSED)


class Unanswered(Exception):
    """There is no reply to print; the message says why, to the person."""


async def ask_once(link: Link, text: str, timeout_s: float) -> str:
    """Say one message and return the reply to it. Raises `Unanswered`, `NotRunning` or `TurnedAway`."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _ask(link, text)
    except TimeoutError as exc:
        raise Unanswered(
            f"No reply came within {timeout_s:g} s. It may still come: look with aside chat, "
            "or wait longer with --timeout."
        ) from exc


async def _ask(link: Link, text: str) -> str:
    say = Say(id=uuid.uuid4().hex, text=text)
    assistant = "assistant"
    ref: str | None = None
    early: list[Message] = []
    async with aclosing(link.frames()) as frames:
        async for frame in frames:
            match frame:
                case Welcome():
                    assistant = frame.assistant
                    await link.say(say)
                case Ack() if frame.id == say.id:
                    if frame.outcome not in _TAKEN:
                        return _without_reply(frame.outcome, assistant)
                    ref = frame.ref
                case Message() if frame.answers:
                    early.append(frame)
                case Refusal() if frame.id == say.id:
                    await _refused(link, frame)
                case _:
                    pass
            if ref and (reply := next((message for message in early if ref in message.answers), None)):
                return _text_of(reply)
    raise Unanswered("The connection ended.")


def _without_reply(outcome: Outcome, assistant: str) -> str:
    """Say what happened to a message that gets no reply."""
    if outcome is Outcome.DONE:
        return "Stopped."
    raise Unanswered(
        f"The message was posted, but it does not address the assistant: write @{assistant} in it to get a reply."
    )


async def _refused(link: Link, refusal: Refusal) -> None:
    if not refusal.retry or not await link.offer_again(refusal.id):
        raise Unanswered(refusal.why)


def _text_of(message: Message) -> str:
    if message.author is Author.ASSISTANT:
        return printable(message.text)
    raise Unanswered(printable(message.text))
