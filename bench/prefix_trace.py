"""The seeded trace of `bench.prefix`: who says what in which chat, in which order, and what is upset on the way."""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

SPEAKERS = ("Ann", "Bob", "Chen", "Dilek", "Eve")
_TEXT = (
    "the river was high and we have to move our tables from house to garden before ten on monday because who asked "
    "for lunch wants paper plates not these old ones please write down what it costs when train comes in late again "
    "so that nobody waits at north gate with all their bags while light goes"
)
WORDS = tuple(_TEXT.split())
#: How long messages are, over the mean of a trace: most are short, a few are pasted in.
LENGTHS = (0.3, 0.4, 0.6, 0.8, 1.0, 1.0, 1.4, 2.5)
#: One message in so many quotes another.
QUOTES = 5
#: Upsets in the whole of a trace, of each kind.
UPSETS = 2


class Upset(StrEnum):
    """What is done to the assistant before a message comes."""

    #: Redis loses everything.
    REDIS_ERASED = "redis_erased"
    #: The worker ends and another begins.
    WORKER_RESTARTED = "worker_restarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message for the assistant."""

    chat: int
    #: From 1, within its chat.
    turn: int
    speaker: str
    text: str
    #: Author and text of what it quotes.
    quoted: tuple[str, str] | None
    #: What stands for a reply where none is asked for.
    stand_in: str
    upset: Upset | None = None


def make_trace(
    *, chats: int, turns: int, words: int, reply_words: int, talking: int, seed: int = 7
) -> list[Step]:
    """Make a trace of group chats with `turns` messages each, of `words` words in the mean.

    At most `talking` chats talk at a time, for a third of their turns or longer, and then pause while others do.
    """
    chance = random.Random(seed)
    order = list(_order(chance, chats=chats, turns=turns, talking=talking))
    upsets = _upsets(len(order))
    count: dict[int, int] = {}
    steps = []
    for n, chat in enumerate(order):
        count[chat] = count.get(chat, 0) + 1
        step = Step(
            chat=chat,
            turn=count[chat],
            speaker=chance.choice(SPEAKERS),
            text=_words(chance, max(3, round(words * chance.choice(LENGTHS)))),
            quoted=_quoted(chance, words) if chance.randrange(QUOTES) == 0 else None,
            stand_in=_words(chance, reply_words),
            upset=upsets.get(n),
        )
        steps.append(step)
    return steps


def _order(chance: random.Random, *, chats: int, turns: int, talking: int) -> Iterator[int]:
    """Yield whose turn it is: chats talk in spells, and those that have paused longest come back first."""
    left = dict.fromkeys(range(chats), turns)
    paused, spells = deque(range(chats)), dict[int, int]()
    while paused or spells:
        while paused and len(spells) < talking:
            chat = paused.popleft()
            spells[chat] = min(left[chat], chance.randint(max(1, turns // 3), turns))
        chat = chance.choice(list(spells))
        yield chat
        left[chat] -= 1
        spells[chat] -= 1
        if spells[chat] == 0:
            del spells[chat]
            if left[chat]:
                paused.append(chat)


def _upsets(steps: int) -> dict[int, Upset]:
    kinds = [kind for _ in range(UPSETS) for kind in Upset]
    return {steps * (n + 1) // (len(kinds) + 1): kind for n, kind in enumerate(kinds)}


def _quoted(chance: random.Random, words: int) -> tuple[str, str]:
    return chance.choice(SPEAKERS), _words(chance, max(3, words // 3))


def _words(chance: random.Random, number: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(number))
