"""How much of a prompt the engine must find in its cache, and why it found less; pure, on digests, never on text.

The engine keeps whole blocks of what it has computed (vLLM's prefix caching), so a prompt that extends the chat's
last one and its reply is computed only from there on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from bot.chat.budget import MESSAGE_TOKENS, likely_tokens
from bot.telemetry.events import BreakCause
from engine.base import ChatMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An answered prompt, as far as the next one of its chat is compared with it."""

    #: The turn's position in its chat, and that of the turn before it in the prompt; None where there is none.
    ord: int
    before: int | None
    #: Where the chat's memory began, and whether this very prompt moved that.
    context_from: int
    cuts: bool
    salt: str | None = field(repr=False)
    #: Counts the times that the engine was away.
    engine_life: int
    #: One keyed digest a message, and as the last one that of the reply as the engine wrote it.
    digests: tuple[bytes, ...] = field(repr=False)
    #: How many messages stand before the first exchange.
    head: int
    #: Tokens of the prompt, as the engine counted them; None where the reply was stopped before it told.
    prompt_tokens: int | None


def predicted_tokens(known: int, prompt_tokens: int, block: int) -> int:
    """Return how many tokens must come from the cache where `known` were computed for the chat before.

    Whole blocks only, less one: the reply's last token was never computed. The end of a prompt is always
    computed, however much of it is known (vLLM 0.32, `v1/core/kv_cache_manager.py`: `num_tokens - 1`).
    """
    return min(_surely_kept(known, block), max(0, prompt_tokens - 1) // block * block)


def cause(last: Sent | None, new: Sent, *, cached: int, block: int) -> BreakCause:
    """Tell why less was found than predicted, given the chat's last prompt that this process has made."""
    if last is None:
        return BreakCause.CUT if new.cuts else BreakCause.ELSEWHERE
    if new.salt != last.salt:
        return BreakCause.SALT
    if new.ord < last.ord:  # a turn that was requeued, with what came before it
        return BreakCause.ELSEWHERE
    differs = first_difference(last, new)
    if differs is not None:
        return _why_it_differs(last, new, differs)
    return _why_it_was_lost(last, new, cached, block)


def first_difference(last: Sent, new: Sent) -> int | None:
    """Find the first message that stands otherwise than the last prompt or its reply left it; None where none does."""
    both = zip(last.digests, new.digests[:-1], strict=False)
    return next((index for index, (was, now) in enumerate(both) if was != now), None)


def message_at(tokens: int, messages: Sequence[ChatMessage], prompt_tokens: int) -> int:
    """Find the message in which the engine's count ends, its length shared out by estimates."""
    ends = list(accumulate(likely_tokens(message.content) + MESSAGE_TOKENS for message in messages))
    sought = tokens * ends[-1] / max(prompt_tokens, 1)
    return next((index for index, end in enumerate(ends) if end > sought), len(messages) - 1)


def _surely_kept(known: int, block: int) -> int:
    return max(0, known // block - 1) * block


def _why_it_differs(last: Sent, new: Sent, index: int) -> BreakCause:
    if new.context_from != last.context_from or new.before is None:
        # A reset begins behind everything that was said; only a cut may do so within the asking prompt itself.
        anew = (new.context_from > last.ord or new.before is None) and not new.cuts
        return BreakCause.RESET if anew else BreakCause.CUT
    if 0 < index < max(last.head, new.head):
        return BreakCause.PREAMBLE
    if index == len(last.digests) - 1:
        return BreakCause.REPLY
    return BreakCause.LAYOUT


def _why_it_was_lost(last: Sent, new: Sent, cached: int, block: int) -> BreakCause:
    """Tell why the same messages were not found."""
    if new.before != last.ord:
        return BreakCause.ELSEWHERE
    if new.engine_life != last.engine_life:
        return BreakCause.ENGINE_RESTARTED
    if last.prompt_tokens is not None and cached >= _surely_kept(last.prompt_tokens, block):
        return BreakCause.REPLY
    return BreakCause.EVICTED
