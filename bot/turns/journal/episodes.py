"""Episodes: while a chat is full, one notice says so, and whatever else is refused meanwhile is linked to it.

An episode of a full chat ends when the chat was served since (the turn that stood first is another one), and every
episode after `Caps.episode_s`. Where the limit is not the chat's, it ends no later than the moment at which people were
told to ask again: who does so and is refused is told so. What is a person's own limit has episodes of that person's
own: nobody is answered by a sentence about somebody else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, bindparam, delete, select, text, update

from bot.store.prepared import Bulk
from bot.store.tables import Base, UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.acceptance import Acceptance, Cap
from bot.turns.journal.rows import turns

_episodes = Base.metadata.tables["episodes"]
#: Limits that are one person's, and those that being served does not lift.
_PERSONS = (Cap.PERSON, Cap.PERSON_QUOTA)
_QUOTAS = (Cap.CHAT_QUOTA, Cap.PERSON_QUOTA)
#: Limits that may be lifted at any moment without this chat being served.
_ELSEWHERE = (Cap.LINE, Cap.TOTAL, Cap.PERSON)
#: No notice tells people to ask again sooner, in seconds.
_SOONEST_S = 60.0

_STANDING = select(_episodes).where(_episodes.c.chat_id.in_(bindparam("chats", expanding=True)))
_OVER = delete(_episodes).where(
    _episodes.c.chat_id == bindparam("chat"), _episodes.c.ends_at <= bindparam("now")
)
# The same text on both databases; SQLAlchemy has one construct for each.
_BEGIN = text(
    "INSERT INTO episodes (chat_id, subject, notice_id, head_ord, ends_at)"
    " VALUES (:chat_id, :subject, :notice_id, :head_ord, :ends_at) ON CONFLICT (chat_id, subject) DO UPDATE"
    " SET notice_id = excluded.notice_id, head_ord = excluded.head_ord, ends_at = excluded.ends_at"
).bindparams(
    bindparam("subject", type_=String()),
    bindparam("ends_at", type_=UtcDateTime()),
)
_LINK = Bulk(
    update(turns).where(turns.c.id == bindparam("turn")).values(notice_id=bindparam("notice")),
    *("turn", "notice"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shed:
    """A message that a limit refused, and what stood first in its chat then."""

    acceptance: Acceptance
    chat_id: str
    turn_id: str
    cap: Cap
    text: str
    head_ord: int | None

    @property
    def key(self) -> tuple[str, str]:
        """Name its episode: chat and subject."""
        kind = "quota" if self.cap in _QUOTAS else "full"
        whose = f":{self.acceptance.inbound.sender.id}" if self.cap in _PERSONS else ""
        return self.chat_id, kind + whose

    def lasts_s(self, episode_s: float) -> float:
        """Tell for how long at most the notice that it begins speaks for others."""
        again_s = self.acceptance.ask_again_s
        if self.cap not in _ELSEWHERE or again_s is None:
            return episode_s
        return min(episode_s, max(_SOONEST_S, again_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One notice that speaks for what is refused in a chat."""

    notice_id: str
    head_ord: int | None
    ends_at: datetime

    def speaks_for(self, shed: Shed, now: datetime) -> bool:
        """Tell whether it has not ended yet."""
        if now >= self.ends_at:
            return False
        return shed.cap in _QUOTAS or self.head_ord == shed.head_ord


@dataclass(slots=True, kw_only=True)
class Episodes:
    """The episodes of a batch's chats, and what the batch makes of them. Pure."""

    now: datetime
    episode_s: float
    standing: dict[tuple[str, str], Episode]
    #: Episodes that begin with this batch, and turns that a notice of an episode speaks for.
    began: dict[tuple[str, str], Episode]
    linked: dict[str, str]

    def notice_of(self, shed: Shed, notice_id: str) -> bool:
        """Have an episode's notice speak for a message; True begins one, with a notice of that id."""
        standing = self.standing.get(shed.key)
        if standing is not None and standing.speaks_for(shed, self.now):
            self.linked[shed.turn_id] = standing.notice_id
            return False
        ends_at = self.now + timedelta(seconds=shed.lasts_s(self.episode_s))
        begun = Episode(notice_id=notice_id, head_ord=shed.head_ord, ends_at=ends_at)
        self.standing[shed.key] = self.began[shed.key] = begun
        return True


async def episodes_of(
    connection: Transaction, shed: Sequence[Shed], now: datetime, episode_s: float
) -> Episodes:
    """Read what the chats were told; they are locked by the batch, so nobody tells them meanwhile."""
    chat_ids = sorted({each.chat_id for each in shed})
    found = (await connection.execute(_STANDING, {"chats": chat_ids})).all()
    standing = {
        (row.chat_id, row.subject): Episode(
            notice_id=row.notice_id, head_ord=row.head_ord, ends_at=row.ends_at
        )
        for row in found
    }
    return Episodes(now=now, episode_s=episode_s, standing=standing, began={}, linked={})


async def store_episodes(connection: Transaction, episodes: Episodes) -> None:
    """Write down the episodes that begin, forget those that are over, and link what a notice speaks for."""
    if episodes.began:
        over = [{"chat": chat_id, "now": episodes.now} for chat_id in _chats(episodes.began)]
        await connection.execute(_OVER, over)
        await connection.execute(_BEGIN, [_row(key, each) for key, each in sorted(episodes.began.items())])
    await _LINK.run(connection, list(episodes.linked.items()))


def _chats(keys: Iterable[tuple[str, str]]) -> list[str]:
    return sorted({chat_id for chat_id, _ in keys})


def _row(key: tuple[str, str], episode: Episode) -> Mapping[str, Any]:
    chat_id, subject = key
    return {
        "chat_id": chat_id,
        "subject": subject,
        "notice_id": episode.notice_id,
        "head_ord": episode.head_ord,
        "ends_at": episode.ends_at,
    }
