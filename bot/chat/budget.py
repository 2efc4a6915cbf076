"""How much of a chat fits a prompt: counting without a tokenizer, and cutting rarely, in big steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil

from bot.turns.model import Exchange

#: Tokens of the chat template around one message, and behind the last one to open the reply.
MESSAGE_TOKENS = 6
OPENING_TOKENS = 8
#: More exchanges than this are not remembered, however short: what SQL is asked for stays bounded.
MOST_EXCHANGES = 400
#: The shortest context an assistant can be run with, in tokens.
LEAST_MODEL_LEN = 512
#: What a prompt may always take, however small the setting.
_LEAST_PROMPT = 320
#: Left unused, against a template that is longer than we think.
_MARGIN = 16
#: The longest summary, in tokens.
_MOST_SUMMARY = 256
#: Above this, Llama 4 leaves its first attention chunk, and half of the layers forget what came before.
_COMFORTABLE = 8192

_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPACE = b" \t\r\n"
_WIDE = bytes(range(0x80, 0x100))
#: Tokens a byte, by kind; high for prose on byte-pair vocabularies of 49,000 to 200,000 entries.
_WEIGHTS = ((_LOWER, 0.42), (_UPPER, 0.75), (_SPACE, 0.15), (_WIDE, 0.75))


def likely_tokens(text: str) -> int:
    """Estimate a text's tokens from its bytes: high for what people write, low only for random letters."""
    rest = text.encode("utf-8", "surrogatepass")
    total = 0.0
    for kind, weight in _WEIGHTS:
        others = rest.translate(None, kind)
        total += (len(rest) - len(others)) * weight
        rest = others
    return ceil(total + len(rest))


def most_tokens(text: str) -> int:
    """Return what no byte-level vocabulary exceeds: a token a byte. For when an estimate proved too low."""
    return len(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the model and the operator allow, in tokens."""

    #: The engine's longest prompt plus reply; at least 512.
    max_model_len: int
    #: The longest reply wanted.
    wanted_reply_tokens: int = 512
    #: The longest prompt wanted; None is the model's own limit, at most 8,192.
    wanted_prompt_tokens: int | None = None

    def __post_init__(self) -> None:
        """Refuse a model too small to hold a chat."""
        if self.max_model_len < LEAST_MODEL_LEN:
            raise ValueError(
                f"the model's context of {self.max_model_len} tokens is too short: "
                f"serve it with max_model_len of at least {LEAST_MODEL_LEN}"
            )

    @property
    def reply_tokens(self) -> int:
        """The longest reply: as wanted, but never over a quarter of the context."""
        return min(self.wanted_reply_tokens, self.max_model_len // 4)

    @property
    def prompt_tokens(self) -> int:
        """The high-water mark: the longest prompt."""
        wanted = self.wanted_prompt_tokens or _COMFORTABLE
        return min(max(wanted, _LEAST_PROMPT), self.max_model_len - self.reply_tokens - _MARGIN)

    @property
    def background_tokens(self) -> int:
        """The most that a summary may take of the prompt, and a card: an eighth each."""
        return self.prompt_tokens // 8

    @property
    def summary_tokens(self) -> int:
        """The longest summary to ask for: short enough that high estimates of it stay within its share."""
        return min(_MOST_SUMMARY, self.reply_tokens, self.prompt_tokens // 16)

    @property
    def whole_tokens(self) -> int:
        """The longest prompt and reply that the engine takes, safely."""
        return self.max_model_len - _MARGIN


def exchange_costs(exchanges: Sequence[Exchange], *, system: int, count: Callable[[str], int]) -> list[int]:
    """Tell what each exchange takes of a prompt whose system message takes `system` tokens.

    The engine's newest count, of everything up to one reply, is shared out in proportion to the estimates; only
    what came behind it stays estimated. It never exceeds a token a byte: a count from before a cut does no harm.
    """
    estimates = [_cost(exchange, count) for exchange in exchanges]
    counted = max((n for n, exchange in enumerate(exchanges, 1) if exchange.tokens is not None), default=0)
    if not counted:
        return estimates
    ceiling = sum(_cost(exchange, most_tokens) for exchange in exchanges[:counted])
    measured = max(min((exchanges[counted - 1].tokens or 0) - system, ceiling), counted)
    return _shared_out(measured, estimates[:counted]) + estimates[counted:]


def kept(costs: Sequence[int], *, system: int, new: int, high_water: int) -> int:
    """Choose how many of the newest exchanges stay in the prompt; all of them below the high-water mark.

    Above it the prompt without its new message drops to half of the mark, so that the next cut is far away: a
    window that slides every turn would lose the engine's prefix cache every time. The newest exchange stays,
    even above the half, where it fits: it is what the new message most likely speaks of.
    """
    if _all_stay(costs, room=high_water - system - new):
        return len(costs)
    return _newest(costs, system=system, new=new, high_water=high_water)


def _all_stay(costs: Sequence[int], *, room: int) -> bool:
    return sum(costs) <= room and len(costs) <= MOST_EXCHANGES


def _newest(costs: Sequence[int], *, system: int, new: int, high_water: int) -> int:
    room = high_water - system - new
    target = min(room, high_water // 2 - system)
    stay, total = 0, 0
    for cost in reversed(costs):
        total += cost
        if total > target or stay == MOST_EXCHANGES // 2:
            break
        stay += 1
    return stay or int(bool(costs) and costs[-1] <= room)


def cut(
    exchanges: Sequence[Exchange],
    *,
    turn_ord: int,
    system: int,
    new: int,
    high_water: int,
    system_after: int | None = None,
    count: Callable[[str], int] = likely_tokens,
) -> int | None:
    """Return the `ord` at which the chat's memory must now begin, or None where nothing needs to go.

    `system` and `new` are the tokens of what stands before the exchanges and of the user's new message;
    `system_after` is what will stand before them from this cut on. `turn_ord` is the turn that asks: memory begins
    there when no exchange can stay. Whole exchanges go, the oldest first.
    """
    if not exchanges or _is_counted_short(exchanges, new, high_water):
        return None
    costs = exchange_costs(exchanges, system=system, count=count)
    if _all_stay(costs, room=high_water - system - new):
        return None
    after = system if system_after is None else system_after
    stay = _newest(costs, system=after, new=new, high_water=high_water)
    return exchanges[-stay].ord if stay else turn_ord


def _is_counted_short(exchanges: Sequence[Exchange], new: int, high_water: int) -> bool:
    """Tell whether the engine's own newest count says that everything fits, so that nothing need be estimated."""
    return len(exchanges) <= MOST_EXCHANGES and (exchanges[-1].tokens or high_water) + new <= high_water


def _shared_out(total: int, weights: Sequence[int]) -> list[int]:
    """Split a total in proportion to weights so that the shares add up to it."""
    whole = sum(weights)
    borders = [total * partial // whole for partial in accumulate(weights, initial=0)]
    return [behind - before for before, behind in pairwise(borders)]


def _cost(exchange: Exchange, count: Callable[[str], int]) -> int:
    return count(exchange.prompt) + count(exchange.reply) + 2 * MESSAGE_TOKENS
