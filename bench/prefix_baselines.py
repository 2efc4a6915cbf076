"""What `bench.prefix` compares with: a window that slides under a clock, and a log compacted by a separate request."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from bench.prefix_meter import SUMMARY_IDS, Metered
from bench.prefix_trace import Step
from bot.chat.budget import MESSAGE_TOKENS, Limits, likely_tokens
from bot.chat.prompt import Persona, system_message
from bot.chat.salt import cache_salt
from engine.base import ChatMessage, ChatRequest, Delta, Finish, Role

BEGAN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
#: What passes between two messages of a trace.
APART = timedelta(minutes=2, seconds=17)
COMPACT = (
    "You compact chats. Write down who said or wants what, names, dates, numbers, decisions and open questions, "
    "and what an earlier summary says of these. Write only that."
)
RULES = system_message(Persona())
#: First messages that are asked at a time.
TOGETHER = 8
_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of one request."""

    text: str
    #: Of prompt and reply, as the engine counted them.
    tokens: int


class Asking:
    """Sends prompts, and learns how many tokens the engine makes of what is estimated."""

    def __init__(self, engine: Metered, *, name: str, reply_tokens: int) -> None:
        """Keep the engine; what has another name shares no cache with this."""
        self._engine = engine
        self._name = name
        self._reply_tokens = reply_tokens
        self._ratio = 1.0

    def tokens(self, messages: Sequence[ChatMessage]) -> float:
        """Estimate the tokens of messages, as the engine's newest count corrects it."""
        return self._ratio * _estimated(messages)

    async def ask(
        self,
        messages: Sequence[ChatMessage],
        *,
        scope: str,
        most_tokens: int | None = None,
        ids: str = "reply-",
    ) -> Said:
        """Generate a reply to a prompt."""
        text, tokens = "", 0
        async with self._engine.stream(self._request(messages, scope, most_tokens, ids)) as events:
            async for event in events:
                if isinstance(event, Delta):
                    text += event.text
                elif isinstance(event, Finish):
                    self._ratio = event.usage.prompt_tokens / _estimated(messages)
                    tokens = event.usage.prompt_tokens + event.usage.output_tokens
        return Said(text=text, tokens=tokens)

    def _request(
        self, messages: Sequence[ChatMessage], scope: str, most_tokens: int | None, ids: str
    ) -> ChatRequest:
        return ChatRequest(
            request_id=f"{ids}{next(_numbers)}",
            messages=tuple(messages),
            max_tokens=most_tokens or self._reply_tokens,
            first_token_s=600.0,
            stall_s=600.0,
            total_s=600.0,
            temperature=0.0,
            cache_salt=cache_salt(b"bench", f"{self._name} {scope}"),
        )


@dataclass(slots=True)
class Log:
    """What a baseline holds of one chat."""

    messages: list[ChatMessage] = field(default_factory=list)
    summary: str = ""
    #: Of the last prompt and its reply.
    tokens: int = 0


class Naive:
    """The clock in the first line, and as many of the newest messages as fit: no prompt begins like the last one.

    Nothing of a prompt survives to the next one, so that asking at some of the turns alone changes no count: at
    `every`th one, evenly spread, and at `probed` for the time. The turns between get the trace's stand-in for a reply.
    """

    def __init__(self, asking: Asking, meter: Metered, *, window: int, every: int, probed: int) -> None:
        self._asking = asking
        self._meter = meter
        self._window = window
        self._every = every
        self._probed = probed
        self._logs: dict[int, Log] = {}
        self._now = BEGAN

    async def say(self, step: Step) -> None:
        """Take the chat's next message."""
        self._now += APART
        log = self._logs.setdefault(step.chat, Log())
        log.messages.append(user(rendered(step)))
        counts = (step.turn - 1) % self._every == (self._every - 1) // 2
        if counts or step.turn == self._probed:
            self._meter.is_probe = not counts
            await self._asking.ask(self._prompt(log), scope=str(step.chat))
            self._meter.is_probe = False
        log.messages.append(assistant(step.stand_in))

    def _prompt(self, log: Log) -> list[ChatMessage]:
        front = system(f"It is {self._now:%A %Y-%m-%d %H:%M:%S} UTC. {RULES}")
        room = self._window - self._asking.tokens([front])
        stay = newest(log.messages, room, self._asking)
        return [front, *stay]


class Append:
    """Only appended to until full; then a separate request compacts what goes, and the newest `keeps` stay.

    `keeps` is a share of the window. Half of it stays in ours, so that both remember as much word for word.
    """

    def __init__(self, asking: Asking, limits: Limits, *, keeps: float) -> None:
        self._asking = asking
        self._limits = limits
        self._keeps = keeps
        self._logs: dict[int, Log] = {}
        self._now = BEGAN

    async def say(self, step: Step) -> None:
        """Take the chat's next message."""
        self._now += APART
        log = self._logs.setdefault(step.chat, Log())
        said = user(rendered(step, f", {self._now:%A %Y-%m-%d %H:%M} UTC"))
        if log.messages and log.tokens + self._asking.tokens([said]) > self._limits.prompt_tokens:
            await self._compact(log, step.chat)
        log.messages.append(said)
        reply = await self._asking.ask([*self._front(log), *log.messages], scope=str(step.chat))
        log.messages.append(assistant(reply.text or step.stand_in))
        log.tokens = reply.tokens

    async def _compact(self, log: Log, chat: int) -> None:
        room = self._limits.prompt_tokens * self._keeps - self._asking.tokens(self._front(log))
        stay = newest(log.messages, room, self._asking)
        # Whole exchanges: what stays begins with a person.
        stay = stay[next((n for n, one in enumerate(stay) if one.role is Role.USER), len(stay)) :]
        gone = log.messages[: len(log.messages) - len(stay)]
        told = "\n".join([log.summary, *(f"{one.role.value}: {one.content}" for one in gone)])
        most = self._limits.summary_tokens
        summary = await self._asking.ask(
            [system(COMPACT), user(told)], scope=str(chat), most_tokens=most, ids=SUMMARY_IDS
        )
        log.summary, log.messages = summary.text.strip() or "nothing", stay

    def _front(self, log: Log) -> list[ChatMessage]:
        told = [user(f"Summary of what was said before:\n{log.summary}"), assistant("Noted.")]
        return [system(RULES), *(told if log.summary else [])]


def newest(messages: Sequence[ChatMessage], room: float, asking: Asking) -> list[ChatMessage]:
    """Return as many of the newest messages as have room; the last one always."""
    stay: list[ChatMessage] = []
    for message in reversed(messages):
        room -= asking.tokens([message])
        if room < 0 and stay:
            break
        stay.insert(0, message)
    return stay


def rendered(step: Step, more: str = "") -> str:
    """Write a message as prompts hold it."""
    quote = ""
    if step.quoted:
        author, text = step.quoted
        quote = f"‹quote by {author}›\n{text}\n‹end of quote›\n"
    return f"{quote}‹from {step.speaker}{more}› {step.text}"


def system(text: str) -> ChatMessage:
    """Make a system message."""
    return ChatMessage(role=Role.SYSTEM, content=text)


def user(text: str) -> ChatMessage:
    """Make a person's message."""
    return ChatMessage(role=Role.USER, content=text)


def assistant(text: str) -> ChatMessage:
    """Make a reply."""
    return ChatMessage(role=Role.ASSISTANT, content=text)


async def isolation_tokens(engine: Metered, *, chats: int, asking: Asking) -> tuple[float, float]:
    """Return the prompt tokens computed for a chat's first message: with a salt for each chat, and with one for all."""
    return await _greeted(engine, chats, asking, own_salt=True), await _greeted(
        engine, chats, asking, own_salt=False
    )


async def _greeted(engine: Metered, chats: int, asking: Asking, *, own_salt: bool) -> float:
    async def greet(chat: int) -> None:
        greeting = [system(RULES), user(f"‹from Ann› hello, this is room {chat}")]
        await asking.ask(greeting, scope=f"own {chat}" if own_salt else "one", most_tokens=1)

    asked = engine.begin()
    # Alone, so that the others find the rules where they share them.
    await greet(0)
    for first in range(1, chats, TOGETHER):
        await asyncio.gather(*(greet(chat) for chat in range(first, min(chats, first + TOGETHER))))
    return sum(one.computed_tokens for one in asked) / chats


def _estimated(messages: Sequence[ChatMessage]) -> int:
    return sum(likely_tokens(message.content) + MESSAGE_TOKENS for message in messages)
