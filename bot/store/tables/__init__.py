"""The record's tables. What people wrote and the model answered is in columns `*_sealed` and nowhere else."""

from bot.store.tables.adapters import AdapterKeyRow, RecordRow, StreamKeyRow
from bot.store.tables.base import Base, UtcDateTime, sqlite_instant
from bot.store.tables.channels import IntroductionRow, RatingRow
from bot.store.tables.chats import ChatRow, MemoryRow, NameRow
from bot.store.tables.dead_letters import DeadLetterRow, TrailRow
from bot.store.tables.forgotten import CleaningRow, HistoryWishRow, SweepRow, TombstoneRow
from bot.store.tables.load import PaceRow, QuotaUseRow
from bot.store.tables.notices import EpisodeRow, NoticeRow
from bot.store.tables.turns import InboundRow, PartRow, TurnRow

__all__ = [
    "AdapterKeyRow",
    "Base",
    "ChatRow",
    "CleaningRow",
    "DeadLetterRow",
    "EpisodeRow",
    "HistoryWishRow",
    "InboundRow",
    "IntroductionRow",
    "MemoryRow",
    "NameRow",
    "NoticeRow",
    "PaceRow",
    "PartRow",
    "QuotaUseRow",
    "RatingRow",
    "RecordRow",
    "StreamKeyRow",
    "SweepRow",
    "TombstoneRow",
    "TrailRow",
    "TurnRow",
    "UtcDateTime",
    "sqlite_instant",
]
