"""Answering: the chat's context and the new message become a prompt, the engine's stream becomes a reply."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.chat.assembly import Assembled, assemble
from bot.chat.budget import Limits
from bot.chat.context import Context
from bot.chat.engine_limits import EngineLimits
from bot.chat.keeper import ContextKeeper
from bot.chat.marks import without_marks
from bot.chat.prefix_watch import Answered, PrefixWatch
from bot.chat.prompt import Persona
from bot.chat.scope import confined
from bot.chat.summary import is_summary_due
from bot.clock import Clock
from bot.errors import SealBroken
from bot.skills.shortening import shortened
from bot.telemetry.events import FirstToken, Hooks, emit
from bot.turns.live_reply import LiveReply
from bot.turns.model import Chat, Exchange, Reply, Spent, Turn
from bot.turns.stopping import Stop
from engine.base import ChatRequest, Engine, Finish, FinishReason
from engine.errors import EngineFailed, PromptTooLong

logger = logging.getLogger(__name__)

#: Closes a reply that reached its longest length.
CUT_MARK = "*(My answer reached its longest length. Ask me to go on.)*"
#: Closes a reply that was kept short because many wait.
SHORT_MARK = "*(Many people are asking, so I kept this short. Ask me to go on.)*"
#: Stands for a reply in which the model said nothing at all.
NOTHING_SAID = "*(I have no answer to that. Could you put it differently?)*"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """How replies are generated."""

    persona: Persona
    #: By adapter: what alone may be talked about there.
    scopes: Mapping[str, str] = field(default_factory=dict)
    max_reply_tokens: int = 512
    #: The longest prompt wanted, in tokens; None leaves it to the model's own limit.
    budget_tokens: int | None = None
    temperature: float = 0.7
    first_token_s: float = 300.0
    stall_s: float = 120.0


@dataclass(slots=True)
class Generated:
    """A reply while it grows."""

    #: How long it may become.
    most_tokens: int
    text: str = ""
    first_token_at: datetime | None = None
    finish: Finish | None = None


class Answer:
    """The skill that asks the model."""

    def __init__(
        self,
        *,
        engine: Engine,
        keeper: ContextKeeper,
        salt: Callable[[Chat], str],
        clock: Clock,
        settings: AnswerSettings,
        predicted_wait_s: Callable[[], float | None] = lambda: None,
        watch: PrefixWatch | None = None,
        hooks: Hooks = (),
    ) -> None:
        self._engine = engine
        self._keeper = keeper
        self._salt = salt
        self._clock = clock
        self._settings = settings
        self._predicted_wait_s = predicted_wait_s
        self._watch = watch or PrefixWatch(hooks=hooks)
        self._hooks = hooks
        self._limits = EngineLimits(
            engine, max_reply_tokens=settings.max_reply_tokens, budget_tokens=settings.budget_tokens
        )

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply | None:
        """Generate the reply. A prompt the engine finds too long is built again, strictly, once."""
        limits = await self._limits()
        context = await self._recalled(turn)
        reply = await self._answered(turn, context, limits, live, stop)
        return reply and replace(reply, wants_summary=_wants_summary(reply, context, limits))

    async def _answered(
        self, turn: Turn, context: Context, limits: Limits, live: LiveReply, stop: Stop
    ) -> Reply | None:
        exchanges = context.exchanges
        try:
            return await self._generate(turn, exchanges, self._assemble(turn, context, limits), live, stop)
        except PromptTooLong:
            logger.warning("the prompt of turn %s was longer than estimated; it is built again", turn.id)
        strict = self._assemble(turn, context, limits, strict=True)
        return await self._generate(turn, exchanges, strict, live, stop)

    async def _recalled(self, turn: Turn) -> Context:
        """Recall what was said; where some of it no longer opens, answer without: the chat must not end there."""
        try:
            return await self._keeper.recall(turn)
        except SealBroken as error:
            logger.error("turn %s is answered without memory: %s", turn.id, error)  # noqa: TRY400 - the cause says no more
            chat = turn.chat
            return Context(version=chat.context_version, context_from=chat.context_from, exchanges=())

    def _assemble(self, turn: Turn, context: Context, limits: Limits, *, strict: bool = False) -> Assembled:
        return assemble(
            turn,
            context.exchanges,
            persona=confined(self._settings.persona, self._settings.scopes.get(turn.chat.adapter, "")),
            limits=limits,
            background=context.background,
            strict=strict,
        )

    async def _generate(
        self, turn: Turn, exchanges: tuple[Exchange, ...], prompt: Assembled, live: LiveReply, stop: Stop
    ) -> Reply | None:
        generated = Generated(most_tokens=shortened(prompt.reply_tokens, self._predicted_wait_s()))
        asked_s = self._clock.monotonic()
        request = self._request(turn, prompt, generated.most_tokens)
        async with stop.entered(self._engine.stream(request)) as events:
            async for event in stop.interrupt(events):
                if isinstance(event, Finish):
                    generated.finish = event
                    continue
                if generated.first_token_at is None:
                    generated.first_token_at = self._clock.now()
                    self._tell_first_token(turn, generated.first_token_at, asked_s)
                generated.text += event.text
                live.show(without_marks(generated.text))
        if generated.finish is None and not stop.asked:
            raise EngineFailed("the stream ended without a finish")
        if stop.asked and not generated.text.strip():
            return None
        answered = Answered(
            turn=turn,
            request=request,
            exchanges=exchanges,
            context_from=prompt.context_from,
            text=generated.text,
            usage=generated.finish.usage if generated.finish else None,
        )
        self._watch.replied(answered)
        return self._reply(prompt, generated, stopped=stop.asked and generated.finish is None)

    def _tell_first_token(self, turn: Turn, at: datetime, asked_s: float) -> None:
        engine_s = self._clock.monotonic() - asked_s
        waited_s = (at - turn.accepted_at).total_seconds()
        emit(self._hooks, FirstToken(turn_id=turn.id, engine_s=engine_s, since_accepted_s=waited_s))

    def _request(self, turn: Turn, prompt: Assembled, most_tokens: int) -> ChatRequest:
        settings = self._settings
        left_s = (turn.deadline_at - self._clock.now()).total_seconds()
        return ChatRequest(
            request_id=f"{turn.id}-{turn.token}",
            messages=prompt.messages,
            max_tokens=most_tokens,
            first_token_s=min(settings.first_token_s, max(left_s, 1.0)),
            stall_s=settings.stall_s,
            total_s=max(left_s, 1.0),
            temperature=settings.temperature,
            cache_salt=self._salt(turn.chat),
        )

    def _reply(self, prompt: Assembled, generated: Generated, *, stopped: bool) -> Reply:
        finish = generated.finish
        return Reply(
            text=generated.text,
            parts=tuple(_shown(prompt, generated)),
            prompt=prompt.user_text,
            spent=_spent(finish) if finish else None,
            stopped=stopped,
            context_from=prompt.context_from,
            takes_summary=prompt.takes_summary,
            first_token_at=generated.first_token_at,
        )


def _wants_summary(reply: Reply, context: Context, limits: Limits) -> bool:
    if reply.spent is None:
        return False
    tokens = reply.spent.prompt_tokens + reply.spent.output_tokens
    return is_summary_due(context, tokens=tokens, limits=limits)


def _shown(prompt: Assembled, generated: Generated) -> list[str]:
    """Lay out what people see: our note, the model's text, and a word when it was cut."""
    shown = [f"*{prompt.note}*"] if prompt.note else []
    said = without_marks(generated.text)
    shown.append(said if said.strip() else NOTHING_SAID)
    if generated.finish and generated.finish.reason is FinishReason.LENGTH:
        shown.append(SHORT_MARK if generated.most_tokens < prompt.reply_tokens else CUT_MARK)
    return shown


def _spent(finish: Finish) -> Spent:
    usage = finish.usage
    return Spent(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
    )
