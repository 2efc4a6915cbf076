"""A chat's memory as worker and record keep it, over the pure parts alone, with an engine that only counts."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapters.base import ConversationKind, SendsFrom
from bot.chat.assembly import Assembled, assemble
from bot.chat.budget import MESSAGE_TOKENS, OPENING_TOKENS, Limits
from bot.chat.context import Context
from bot.chat.prompt import Persona
from bot.chat.summary import SummaryPrompt, is_summary_due, kept_of_summary, summary_prompt
from bot.turns.model import Background, Chat, Exchange, Said, Skill, Summary, Turn, TurnState
from engine.base import ChatMessage


@dataclass(kw_only=True)
class LongChat:
    """One chat, turn by turn; what the record holds of it is `context`."""

    limits: Limits
    #: How many tokens the engine's tokenizer makes of a text: never more than one a byte.
    tokens: Callable[[str], int]
    persona: Persona = field(default_factory=lambda: Persona(name="Aside"))
    context: Context = field(default_factory=lambda: Context(version=0, context_from=0, exchanges=()))
    ord: int = 0
    #: A summary is wanted, while memory begins at this `ord`.
    wanted: int | None = None
    #: The newest prompt was a second, strict try.
    strict: bool = False

    def counted(self, messages: tuple[ChatMessage, ...]) -> int:
        """Count a prompt as the engine does."""
        return OPENING_TOKENS + sum(self.tokens(m.content) + MESSAGE_TOKENS for m in messages)

    def fits(self, made: Assembled) -> bool:
        """Tell whether the engine takes a prompt and its longest reply."""
        return self.counted(made.messages) + made.reply_tokens <= self.limits.max_model_len

    def ask(self, said: Said, *, reply: str, misread: float = 1.0) -> Assembled:
        """Answer a turn as the skill does, with a second, strict try; the engine's usage is off by a factor."""
        made = self._prompt(said)
        self.strict = not self.fits(made)
        if self.strict:
            made = self._prompt(said, strict=True)
        used = round((self.counted(made.messages) + self.tokens(reply)) * misread)
        if is_summary_due(self.context, tokens=used, limits=self.limits):
            self.wanted = self.context.context_from
        self._store(made, reply, used)
        return made

    def summary_request(self) -> SummaryPrompt | None:
        """Build the request for a summary, where one is wanted still."""
        wanted, self.wanted = self.wanted, None
        if wanted != self.context.context_from:
            return None
        return summary_prompt(self.context, persona=self.persona, limits=self.limits)

    def summarised(self, request: SummaryPrompt, said: str, *, seen_from: int) -> None:
        """Store what the model said, unless the chat was cut since its memory began at `seen_from`."""
        text = kept_of_summary(said, is_cut=False, limits=self.limits)
        if not text or seen_from != self.context.context_from:
            return
        background = replace(self.context.background, next_summary=Summary(ord=request.up_to, text=text))
        self.context = replace(self.context, background=background)

    def _prompt(self, said: Said, *, strict: bool = False) -> Assembled:
        context = self.context
        return assemble(
            _turn(said, self.ord),
            context.exchanges,
            persona=self.persona,
            limits=self.limits,
            background=context.background,
            strict=strict,
        )

    def _store(self, made: Assembled, reply: str, used: int) -> None:
        context = self.context
        background, exchanges = context.background, context.exchanges
        if made.context_from is not None:
            exchanges = tuple(one for one in exchanges if one.ord >= made.context_from)
            taken = background.next_summary if made.takes_summary is not None else background.summary
            background = Background(card=background.card, summary=taken)
        exchange = Exchange(ord=self.ord, prompt=made.user_text, reply=reply, tokens=used)
        self.context = Context(
            version=context.version + 1,
            context_from=context.context_from if made.context_from is None else made.context_from,
            exchanges=(*exchanges, exchange),
            background=background,
        )
        self.ord += 1


def said_by(name: str, text: str, at: datetime) -> Said:
    """Make a message of a person."""
    return Said(message="", sender_id=name, sender_name=name, text=text, sent_at=at)


def _turn(said: Said, position: int) -> Turn:
    chat = Chat(
        id="chat",
        adapter="bench",
        account="main",
        conversation="room",
        kind=ConversationKind.GROUP,
        key=b"",
        context_version=0,
        context_from=0,
    )
    return Turn(
        id=f"turn-{position}",
        ord=position,
        chat=chat,
        token=1,
        state=TurnState.WAITING,
        skill=Skill.ANSWER,
        sends_from=SendsFrom.ANY,
        attempts=0,
        accepted_at=said.sent_at,
        deadline_at=said.sent_at,
        cancel_requested=False,
        said=(said,),
        placeholder=None,
        reply=None,
        parts=(),
        restate=False,
    )
