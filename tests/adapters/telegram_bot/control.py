"""What a test holds of a fake Telegram: its people, its faults, and what is seen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.adapters.telegram_bot.asking import Asking
from tests.adapters.telegram_bot.clock import VirtualClock
from tests.adapters.telegram_bot.faults import Fault, Faults, Rule
from tests.adapters.telegram_bot.journal import Journal
from tests.adapters.telegram_bot.mailbox import Mailbox, Update
from tests.adapters.telegram_bot.people import People
from tests.adapters.telegram_bot.rules import Rules
from tests.adapters.telegram_bot.seen import Chat, Fleeting, Message, Query
from tests.adapters.telegram_bot.talk import Talk
from tests.adapters.telegram_bot.webhooks import Webhooks
from tests.adapters.telegram_bot.world import World
from tests.platforms.news import News


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Plays everybody but the bot: `people` and their chats, what they `talk` of, what they are `asking` for."""

    rules: Rules
    clock: VirtualClock
    world: World
    people: People
    talk: Talk
    asking: Asking
    mailbox: Mailbox
    webhooks: Webhooks
    faults: Faults
    journal: Journal
    news: News

    @property
    def violations(self) -> list[str]:
        """What no correct bot would have asked for; a test ends with asserting that there is nothing."""
        return self.journal.violations

    def answers(self, chat: Chat | None = None, *, topic: int | None = None) -> list[Message]:
        """List the bot's messages that can be seen, in their order; with a topic, there only."""
        return [
            message
            for message in self.world.messages.values()
            if message.by_bot
            and message.stands
            and (chat is None or message.chat_id == chat.id)
            and topic in (None, message.thread_id)
        ]

    def texts(self, chat: Chat | None = None) -> list[str]:
        """List the texts of the bot's messages that can be seen."""
        return [message.text for message in self.answers(chat)]

    def drafts(self, chat: Chat) -> list[Fleeting]:
        """List the drafts that a chat shows now."""
        return [what for what in self.world.shown_for_a_while(chat.id) if what.draft_id]

    def is_typing(self, chat: Chat, topic: int | None = None) -> bool:
        """Say whether a chat, or a topic of it, shows that the bot is typing."""
        return any(
            what.action == "typing" and what.thread_id == topic
            for what in self.world.shown_for_a_while(chat.id)
        )

    def unanswered(self) -> list[Query]:
        """List what was asked and is not answered."""
        return [query for query in self.world.queries.values() if query.answered_at is None]

    def fail(
        self,
        fault: Fault | str,
        method: str | None = None,
        *,
        chat: Chat | None = None,
        times: int | None = 1,
        **how: Any,
    ) -> None:
        """Let calls run into a fault: the next one, so many, or (None) all of them. `how` is fields of Rule."""
        chat_id = chat.id if chat else None
        self.faults.add(Rule(fault=Fault(fault), method=method, chat_id=chat_id, times=times, **how))

    def flood(self, seconds: float, chat: Chat | None = None, methods: Iterable[str] = ()) -> None:
        """Answer every call 429 for a while, with what is left of it."""
        self.faults.flood(seconds, chat.id if chat else None, tuple(methods))

    def again(self, update: Update) -> None:
        """Deliver an update once more, as after a lost confirmation."""
        self.mailbox.again(update)
        self.webhooks.wake()

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self.clock.advance(seconds)
        self.news.tell()

    async def until(self, seen: Callable[[], Any], timeout_s: float = 20.0) -> Any:
        """Wait until something is seen and return it; raise AssertionError with what there is instead."""
        for _ in range(max(1, int(timeout_s / 0.1))):
            if found := seen():
                return found
            await self.news.wait(0.1)
        raise AssertionError(f"not seen; there is {self.texts()}, violations {self.violations}")
