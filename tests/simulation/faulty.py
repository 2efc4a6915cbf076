"""Five collaborators that break the protocol, each in one way. A simulation that does not find them shows nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, delete, select, update

from adapters.base import Outcome, Receipt
from bot.errors import StoreUnavailable
from bot.turns.acceptance import Acceptance
from bot.turns.journal.rows import reply_parts, turns
from bot.turns.model import Reply, Turn, TurnState
from bot.turns.scheduler.base import Scheduler, Take
from tests.simulation.deployment import Parts, WatchedJournal


class RenewsAnything:
    """A schedule whose `keep` does not look at the token: whoever asks holds the chat."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheduler, name)

    async def keep(self, take: Take, lease_ms: int) -> bool:
        await self._scheduler.keep(take, lease_ms)
        return True


def _with_standing_token(name: str) -> Any:
    async def unfenced(self: WatchedJournal, turn: Turn, *rest: Any, **more: Any) -> Any:
        standing = replace(turn, token=await self.standing_token(turn))
        return await getattr(WatchedJournal, name)(self, standing, *rest, **more)

    return unfenced


class UnfencedJournal(WatchedJournal):
    """A journal that lets every holder write, whatever stands there: the fence is checked in Redis alone."""

    async def standing_token(self, turn: Turn) -> int:
        """Read whose turn it is now."""
        async with self._database.read() as connection:
            found = await connection.execute(select(turns.c.fence).where(turns.c.id == turn.id))
            return int(found.scalar_one())

    async def store_reply(self, turn: Turn, reply: Reply) -> Turn:
        await _make_room(self, turns.c.id == turn.id, turn)
        return await super().store_reply(replace(turn, token=await self.standing_token(turn)), reply)


async def _make_room(journal: WatchedJournal, writable: Any, turn: Turn) -> None:
    """Take a stored reply away, so that another can be stored."""
    async with journal._database.write() as connection:
        change = update(turns).where(writable).values(state=TurnState.WAITING.value)
        if (await connection.execute(change)).rowcount:
            await connection.execute(delete(reply_parts).where(reply_parts.c.turn_id == turn.id))


for _name in (
    "placeholder_posted",
    "start_part",
    "part_sent",
    "part_not_sent",
    "part_resent_in_doubt",
    "finish",
    "release",
    "fail",
    "give_up",
    "cancel",
    "clear_restate",
):
    setattr(UnfencedJournal, _name, _with_standing_token(_name))


class HastyJournal(WatchedJournal):
    """A journal that says a message is safe before it is."""

    async def accept(self, batch: Sequence[Acceptance]) -> list[Receipt]:
        committing = asyncio.ensure_future(super().accept(batch))
        committing.add_done_callback(_no_matter)
        return [Receipt(outcome=Outcome.ACCEPTED, chat_id="") for _ in batch]


def _no_matter(committing: "asyncio.Future[Any]") -> None:
    if not committing.cancelled():
        committing.exception()


class ForgetfulJournal(WatchedJournal):
    """A journal that has a stored reply made again by whoever takes the turn over."""

    async def claim(self, chat_id: str, token: int, epoch: str) -> Turn | None:
        turn = await super().claim(chat_id, token, epoch)
        if turn is None or turn.state not in (TurnState.REPLIED, TurnState.SENDING):
            return turn
        return replace(turn, state=TurnState.WAITING, reply=None, parts=())

    async def store_reply(self, turn: Turn, reply: Reply) -> Turn:
        mine = and_(turns.c.id == turn.id, turns.c.fence == turn.token, turns.c.state != TurnState.SENT.value)
        await _make_room(self, mine, turn)
        return await super().store_reply(turn, reply)


class EarlyJournal(WatchedJournal):
    """A journal that counts a part as sent when its sending begins, and the turn as finished with the last."""

    async def start_part(self, turn: Turn, number: int) -> None:
        await super().part_sent(turn, number, "")
        if number == turn.parts[-1].number:
            await super().finish(turn)

    async def part_sent(self, turn: Turn, number: int, message: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(reply_parts)
                .where(reply_parts.c.turn_id == turn.id, reply_parts.c.number == number)
                .values(message=message)
            )

    async def part_not_sent(self, turn: Turn, number: int) -> None:
        raise StoreUnavailable("there is nothing to take back")

    async def finish(self, turn: Turn) -> None:
        """Do nothing: that was done before."""


FAULTY = {
    "no fence on renew": Parts(scheduler=RenewsAnything),
    "fence checked only in Redis": Parts(journal=UnfencedJournal),
    "acknowledged before commit": Parts(journal=HastyJournal),
    "reply regenerated": Parts(journal=ForgetfulJournal),
    "done before sent": Parts(journal=EarlyJournal),
}
