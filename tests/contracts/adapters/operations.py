"""Sending and editing as the core does, on any harness."""

from typing import Any

from adapters.base import Edit, Idempotency, Purpose, Send, Sent
from adapters.content import Content, plain


async def send(harness: Any, text: str | Content = "hello", *, op_id: str = "op-1", **more: Any) -> Sent:
    """Send a message to the harness's conversation."""
    asked = {"account": harness.account, "conversation": harness.conversation, "purpose": Purpose.REPLY}
    return await harness.adapter.send(Send(op_id=op_id, content=_content(text), **asked | more))


async def edit(harness: Any, message: str, text: str | Content, *, op_id: str = "op-2", **more: Any) -> Sent:
    """Give a message another text."""
    asked = {"account": harness.account, "conversation": harness.conversation, "purpose": Purpose.REPLY}
    return await harness.adapter.edit(
        Edit(op_id=op_id, message=message, content=_content(text), **asked | more)
    )


def idempotency(harness: Any) -> Idempotency:
    """Tell of which class the conversation is."""
    return harness.adapter.capabilities(harness.conversation).idempotency


def _content(text: str | Content) -> Content:
    return text if isinstance(text, Content) else plain(text)
