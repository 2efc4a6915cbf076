"""A platform that edits, in memory, as far away as a real one, which notes when people see what."""

import asyncio
import time
from dataclasses import dataclass, field

from adapters.base import (
    AdapterState,
    Capabilities,
    Edit,
    Idempotency,
    LiveOutput,
    Purpose,
    Send,
    SendsFrom,
    Sent,
)
from adapters.markdown_source import to_markdown

NAME = "bench"
#: One call to the platform, in seconds.
CALL_S = 0.08
#: Every word an engine of this bench says begins with it.
WORD = "w"


@dataclass(slots=True, kw_only=True)
class Mention:
    """What became of one mention, as its person sees it; seconds of one clock."""

    number: int
    said_s: float
    #: The first thing to be seen, whatever it is.
    sign_s: float | None = None
    #: The first words of an answer.
    words_s: float | None = None
    #: The whole answer.
    answered_s: float | None = None
    #: How many of the engine's words stand in it.
    words: int = 0
    #: A notice: why there is none.
    noticed_s: float | None = None
    #: Its person said stop.
    stopped_s: float | None = None
    #: What was said of the line, and when.
    told: str = ""
    told_s: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its answer, and somebody may stop it."""
        return not (self.answered_s or self.noticed_s or self.stopped_s)

    @property
    def ended_s(self) -> float:
        """When nothing more came."""
        return min(self.answered_s or float("inf"), self.noticed_s or float("inf"))


@dataclass(slots=True)
class Platform:
    """An `Adapter` of class A that any process may call."""

    mentions: dict[str, Mention] = field(default_factory=dict)
    name: str = NAME
    sends_from: SendsFrom = SendsFrom.ANY
    state: AdapterState = AdapterState.CONNECTED

    def said(self, number: int) -> str:
        """Take note of a mention; return its reference, and its message's."""
        self.mentions[f"m{number}"] = Mention(number=number, said_s=time.monotonic())
        return f"m{number}"

    def capabilities(self, conversation: str) -> Capabilities:
        """Allow what most platforms do."""
        return Capabilities(
            text_limit=4_000,
            live=LiveOutput.EDIT,
            live_min_interval_s=1.0,
            idempotency=Idempotency.KEYED,
        )

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Leave it whole: no answer here is longer than a message."""
        return [markdown]

    async def send(self, op: Send) -> Sent:
        """Show a message; one chat holds one mention, so that the chat names it."""
        await asyncio.sleep(CALL_S)
        self._shown(op.conversation, to_markdown(op.content), op.purpose)
        return Sent(message=op.op_id)

    async def edit(self, op: Edit) -> Sent:
        """Show it in place of what stood."""
        await asyncio.sleep(CALL_S)
        self._shown(
            op.conversation, to_markdown(op.content), op.purpose, is_final=not op.op_id.endswith("-live")
        )
        return Sent(message=op.message)

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Take nothing back: what was seen was seen."""
        await asyncio.sleep(CALL_S)

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Know nothing: this is a keyed platform."""
        return None

    def _shown(self, conversation: str, text: str, purpose: Purpose, *, is_final: bool = True) -> None:
        mention, now_s = self.mentions[conversation], time.monotonic()
        mention.sign_s = mention.sign_s or now_s
        if purpose is Purpose.NOTICE:
            mention.noticed_s = now_s
        elif text.startswith("In line"):
            mention.told, mention.told_s = text, now_s
        elif text.startswith(WORD):
            mention.words_s = mention.words_s or now_s
            if purpose is Purpose.REPLY and is_final:
                mention.answered_s = now_s
                mention.words = sum(word.startswith(WORD) for word in text.split())
