"""Watching that prompts are found in the engine's cache: what each chat last sent, and what the engine said of it."""

import asyncio
import math
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from bot.chat.prefix import Sent, cause, first_difference, message_at, predicted_tokens
from bot.telemetry.events import BreakCause, Hooks, PrefixBroken, emit
from bot.turns.model import Exchange, Turn
from engine.base import ChatMessage, ChatRequest, Engine, EngineState, Role, Usage

#: Chats whose last prompt is kept in mind: 8 bytes a message, a few megabytes when all of them are long.
MOST_CHATS = 4096
#: Seconds between two looks at the engine; none starts faster than that.
LOOK_S = 3.0
_DIGEST_BYTES = 8
#: Block sizes in tokens: the smallest in use, and what is taken for granted of an engine that told none yet.
_LEAST_BLOCK = 16
_WIDE_BLOCK = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A reply, and the prompt it is the reply to."""

    turn: Turn
    request: ChatRequest
    #: The chat's memory before the turn, and where the prompt cut it; None where nothing was cut.
    exchanges: Sequence[Exchange]
    context_from: int | None
    #: The reply as the engine wrote it.
    text: str
    #: What the engine counted; None of a reply that was stopped: then nothing is compared.
    usage: Usage | None


class PrefixWatch:
    """Compares every reply's `cached_tokens` with what the exchange before must have left in the cache.

    It keeps keyed digests in this process's memory, under a key nobody else has, and no text. The block size is
    learned from the counts, which are multiples of it: an engine that runs elsewhere tells it nowhere, and a guess
    that is too large hides small breaks but never invents one. An engine that never said more than zero may not
    count at all; of it only faults of our own layout are told.
    """

    def __init__(self, *, hooks: Hooks = (), most_chats: int = MOST_CHATS) -> None:
        """Keep whom to tell, and of how many chats the last prompt is remembered."""
        self._hooks = hooks
        self._most_chats = most_chats
        self._key = secrets.token_bytes(32)
        self._last: OrderedDict[str, Sent] = OrderedDict()
        self._engine_life = 0
        self._counts = False
        self._block = 0

    async def follow(self, engine: Engine) -> None:
        """Look at the engine until cancelled: while it is away, its cache is lost."""
        while True:
            if (await engine.status()).state is not EngineState.READY:
                self.engine_lost()
            await asyncio.sleep(LOOK_S)

    def engine_lost(self) -> None:
        """Hear that the engine is not there: when it is back it knows nothing, and may have other blocks."""
        self._engine_life += 1
        self._block = 0

    def replied(self, answered: Answered) -> None:
        """Take note of an answered prompt, and tell the hooks where the engine found less than it must have."""
        chat_id = answered.turn.chat.id
        new, last = self._sent(answered), self._last.get(chat_id)
        if answered.usage is not None:
            self._learn(answered.usage.cached_tokens)
            broken = self._broken(answered, answered.usage, last, new)
            if broken is not None and (self._counts or broken.cause is BreakCause.LAYOUT):
                emit(self._hooks, broken)
        if last is None or new.ord >= last.ord:
            self._remember(chat_id, new)

    def _broken(self, answered: Answered, usage: Usage, last: Sent | None, new: Sent) -> PrefixBroken | None:
        block = max(self._block, _LEAST_BLOCK) if self._block else _WIDE_BLOCK
        predicted = predicted_tokens(_known(answered.exchanges, last), usage.prompt_tokens, block)
        if usage.cached_tokens >= predicted:
            return None
        differs = first_difference(last, new) if last else None
        if differs is None:
            differs = message_at(usage.cached_tokens, answered.request.messages, usage.prompt_tokens)
        return PrefixBroken(
            turn_id=answered.turn.id,
            chat_id=answered.turn.chat.id,
            cause=cause(last, new, cached=usage.cached_tokens, block=block),
            predicted_tokens=predicted,
            cached_tokens=usage.cached_tokens,
            message_index=differs,
        )

    def _sent(self, answered: Answered) -> Sent:
        turn, messages, exchanges = answered.turn, answered.request.messages, answered.exchanges
        cuts = answered.context_from is not None
        begins = turn.chat.context_from if answered.context_from is None else answered.context_from
        stayed = sum(exchange.ord >= begins for exchange in exchanges)
        said = (*messages, ChatMessage(role=Role.ASSISTANT, content=answered.text))
        return Sent(
            ord=turn.ord,
            before=exchanges[-1].ord if exchanges else None,
            context_from=begins,
            cuts=cuts,
            salt=answered.request.cache_salt,
            engine_life=self._engine_life,
            digests=tuple(self._digest(message) for message in said),
            head=len(messages) - 1 - 2 * stayed,
            prompt_tokens=answered.usage.prompt_tokens if answered.usage else None,
        )

    def _digest(self, message: ChatMessage) -> bytes:
        content = f"{message.role.value} {message.content}".encode(errors="surrogatepass")
        return blake2b(content, digest_size=_DIGEST_BYTES, key=self._key).digest()

    def _learn(self, cached: int) -> None:
        self._counts = self._counts or cached > 0
        self._block = math.gcd(self._block, cached)

    def _remember(self, chat_id: str, sent: Sent) -> None:
        self._last[chat_id] = sent
        self._last.move_to_end(chat_id)
        if len(self._last) > self._most_chats:
            self._last.popitem(last=False)


def _known(exchanges: Sequence[Exchange], last: Sent | None) -> int:
    """Return the tokens of the newest exchange the engine counted; after a reset, those of the last prompt."""
    if not exchanges and last is not None:
        return last.prompt_tokens or 0
    return next((one.tokens for one in reversed(exchanges) if one.tokens is not None), 0)
