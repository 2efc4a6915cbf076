"""A thousand chats and who is in them: the same people in many, under names of their own in each. Pure, and seeded."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from adapters.base import ConversationKind
from bot.ingress.policy import is_garbage
from tests.isolation.canaries import UNHEARD, canary
from tests.isolation.corpus import VECTORS

PEOPLE = 150
#: What is text at all: the rest is refused at the door.
_ATTACKS = [vector.text[:200].replace("/", "|") for vector in VECTORS if not is_garbage(vector.text)]


class Choice(StrEnum):
    """What a chat lets the assistant see."""

    MENTIONS = "mentions"
    QUOTED = "quoted"
    RECENT = "recent 5 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One chat of the cast."""

    number: int
    platform: str
    kind: ConversationKind
    people: tuple[str, ...]
    choice: Choice
    #: Long messages behind the others, so that the prompt is cut and summarised.
    long_messages: int = 0
    asks_to_remember: bool = False

    @property
    def conversation(self) -> str:
        """Name it as its platform does."""
        return f"room-{self.number}"

    def name_of(self, person: int) -> str:
        """Say what one of its people is called in it."""
        return f"Ann {canary(self.number, 'n', person + 1)}"

    def question(self, n: int) -> str:
        """Ask something, with a vector of the corpus in it: attacks must not lead out of the chat either."""
        attack = _ATTACKS[(self.number + n) % len(_ATTACKS)]
        return f"Tell {canary(self.number, 't', n)} and {attack} ?"

    def long_message(self, n: int) -> str:
        """Say much."""
        return f"{canary(self.number, 'l', n)} " + "and so on and on it goes " * 40

    def quoted(self) -> tuple[str, str]:
        """Quote somebody: the author's name and the words."""
        return f"Bob {canary(self.number, 'q', 1)}", f"I said {canary(self.number, 'q', 2)}"

    def overheard(self) -> str:
        """Say something to nobody, which is heard only where the chat allows that."""
        kind = "a" if self.choice is Choice.RECENT else UNHEARD
        return f"good morning {canary(self.number, kind)}"

    def wish(self) -> str:
        """Ask to have something remembered."""
        return f"/remember that {canary(self.number, 'm')} is my favourite"


def cast(chats: int, platforms: tuple[str, ...]) -> Iterator[Scene]:
    """Make chats of every kind, on every platform, with people who are in many of them."""
    for n in range(chats):
        is_direct = n % 5 < 2
        people = (n % PEOPLE,) if is_direct else (n % PEOPLE, (7 * n + 1) % PEOPLE, (13 * n + 2) % PEOPLE)
        yield Scene(
            number=n,
            platform=platforms[n % len(platforms)],
            kind=ConversationKind.DIRECT if is_direct else ConversationKind.GROUP,
            people=tuple(f"person-{one}" for one in dict.fromkeys(people)),
            choice=Choice.MENTIONS if is_direct else list(Choice)[n % 3],
            long_messages=7 if n % 25 == 3 else 0,
            asks_to_remember=n % 4 == 1,
        )
