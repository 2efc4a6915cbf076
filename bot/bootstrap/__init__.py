"""The composition root: the only place where concrete classes are chosen. Settings in, a working assistant out."""

from bot.bootstrap.commands import open_dead_letters, open_house, open_platforms, put_chats
from bot.bootstrap.core import Core, Shared, open_core
from bot.bootstrap.gateway import make_intake, make_line_watch, make_notices, make_outboxes, page_of
from bot.bootstrap.worker import make_worker

__all__ = [
    "Core",
    "Shared",
    "make_intake",
    "make_line_watch",
    "make_notices",
    "make_outboxes",
    "make_worker",
    "open_core",
    "open_dead_letters",
    "open_house",
    "open_platforms",
    "page_of",
    "put_chats",
]
