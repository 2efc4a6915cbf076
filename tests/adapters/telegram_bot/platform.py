"""A fake Telegram as one object: everything it is made of, put together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.adapters.telegram_bot.about import About
from tests.adapters.telegram_bot.answers import Answers
from tests.adapters.telegram_bot.api import BotApi
from tests.adapters.telegram_bot.asking import Asking
from tests.adapters.telegram_bot.clock import VirtualClock
from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.faults import Faults
from tests.adapters.telegram_bot.files import Files
from tests.adapters.telegram_bot.journal import Journal
from tests.adapters.telegram_bot.live import Live
from tests.adapters.telegram_bot.mailbox import Mailbox
from tests.adapters.telegram_bot.people import People
from tests.adapters.telegram_bot.rates import Rates
from tests.adapters.telegram_bot.reach import Reach
from tests.adapters.telegram_bot.rules import Rules
from tests.adapters.telegram_bot.sending import Sending
from tests.adapters.telegram_bot.store import Store
from tests.adapters.telegram_bot.talk import Talk
from tests.adapters.telegram_bot.updates import Updates
from tests.adapters.telegram_bot.webhooks import Patience, Webhooks
from tests.adapters.telegram_bot.world import World
from tests.platforms.news import News


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What is served, and what must be closed."""

    store: Store
    control: Control
    api: BotApi


def build(record: Path | str, rules: Rules, *, patience: Patience, seed: int) -> Platform:
    """Put a platform together over a record, which may be one of an earlier run."""
    store, news, clock = Store(record), News(), VirtualClock()
    world, journal = World(store, rules, clock), Journal(store)
    mailbox = Mailbox(store, rules, clock, news)
    webhooks = Webhooks(store, mailbox, journal, patience)
    faults, files, answers = Faults(seed, clock), Files(store, rules, clock), Answers(world)
    people = People(world, mailbox)
    updates = Updates(rules, mailbox, webhooks, journal, news)
    control = Control(
        rules=rules,
        clock=clock,
        world=world,
        people=people,
        talk=Talk(world, mailbox, people, files),
        asking=Asking(world, mailbox, answers),
        mailbox=mailbox,
        webhooks=webhooks,
        faults=faults,
        journal=journal,
        news=news,
    )
    methods = _methods(world, answers, updates)
    api = BotApi(
        world, methods, updates, files, faults=faults, rates=Rates(rules, clock), journal=journal, news=news
    )
    return Platform(store=store, control=control, api=api)


def _methods(
    world: World, answers: Answers, updates: Updates
) -> Mapping[str, Callable[[dict[str, Any]], Any]]:
    reach = Reach(world)
    groups = (Sending(world, reach), Live(world, reach), About(world, reach), answers, updates)
    return {name: method for group in groups for name, method in group.methods().items()}
