"""One person's connection: what they write goes to the room and the core, what is new in the room comes back."""

import asyncio
import logging
from collections.abc import Awaitable

from adapters.base import ConversationKind, LivePhase, Receipt
from adapters.deciding import Decisions, NoDecision
from adapters.errors import MalformedEvent
from adapters.names import NameRefused
from adapters.records import Record, RecordsUnavailable
from adapters.terminal.entries import Entry, entry_of, message_of
from adapters.terminal.frames import Ack, Author, Frame, Join, Live, Refusal, Say, Stop, Welcome
from adapters.terminal.history import History
from adapters.terminal.lines import close, read_frame, write_frame
from adapters.terminal.parse import Guest, guest_of, inbound_of, stop_of, why_not
from adapters.terminal.rooms import Room, Rooms
from adapters.terminal.settings import TerminalSettings

logger = logging.getLogger(__name__)

_JOIN_TIMEOUT_S = 10.0
_PAGE = 100
#: How long to wait before reading from a store that is not available.
_STORE_RETRY_S = 1.0

_UNAVAILABLE = "Aside cannot take messages just now. Your message was not lost: it can be sent again."


class Connection:
    """Serves one client from its `Join` to its end."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        settings: TerminalSettings,
        history: History,
        rooms: Rooms,
        decisions: Decisions,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._settings = settings
        self._history = history
        self._rooms = rooms
        self._decisions = decisions
        self._news = asyncio.Event()
        self._cursor = 0
        self._shown: dict[str, Live] = {}

    def wake(self) -> None:
        """Say that there is news in the room."""
        self._news.set()

    async def serve(self) -> None:
        """Serve until either side ends; closes the connection."""
        try:
            await self._admit()
        except* ConnectionError:
            logger.debug("a terminal left without a word")
        except* TimeoutError:
            logger.debug("a terminal did not read or say anything in time")
            self._writer.transport.abort()
        except* RecordsUnavailable:
            logger.warning("a terminal was sent away: the record store is not available")
        finally:
            await close(self._writer)

    async def _admit(self) -> None:
        join = await self._read_join()
        if join is None:
            return
        try:
            guest = guest_of(join, self._settings.assistant_names)
        except NameRefused as exc:
            await self._refuse(str(exc))
            return
        with self._rooms.entered(guest.room.ref, self) as room:
            await self._look_around(room, join.after)
            await self._write(self._welcome(guest))
            self.wake()
            async with asyncio.TaskGroup() as group:
                news = group.create_task(self._tell_news(room))
                await self._listen(guest, room)
                news.cancel()

    async def _read_join(self) -> Join | None:
        try:
            async with asyncio.timeout(_JOIN_TIMEOUT_S):
                frame = await read_frame(self._reader)
        except MalformedEvent as exc:
            await self._refuse(f"This client does not speak the server's language: {exc}.")
            return None
        if isinstance(frame, Join):
            return frame
        if frame is not None:
            await self._refuse("A connection begins with joining a room.")
        return None

    def _welcome(self, guest: Guest) -> Welcome:
        in_group = guest.room.kind is ConversationKind.GROUP
        return Welcome(
            person=guest.person.name,
            assistant=self._settings.assistant_names[0],
            chat=guest.room.title if in_group else None,
        )

    async def _look_around(self, room: Room, after: int | None) -> None:
        """Find where to begin, and which messages have their reply already."""
        latest = await self._history.latest(room.ref, max(_PAGE, self._settings.history))
        for record in latest:
            entry = entry_of(record)
            if entry.author is Author.ASSISTANT:
                room.settled(entry.answers, replied=True)
        if after is None:
            shown = latest[max(0, len(latest) - self._settings.history) :]
            after = shown[0].position - 1 if shown else (latest[-1].position if latest else 0)
        self._cursor = min(max(after, 0), latest[-1].position if latest else 0)

    async def _listen(self, guest: Guest, room: Room) -> None:
        """Read what the client sends until it leaves."""
        while True:
            try:
                frame = await read_frame(self._reader)
            except MalformedEvent as exc:
                await self._refuse(f"That could not be read: {exc}.")
                continue
            match frame:
                case None:
                    return
                case Say():
                    await self._say(guest, room, frame)
                case Stop():
                    await self._ask("", "", self._decisions.stop(stop_of(guest)))
                case _:
                    await self._refuse("A client may only say something or ask to stop.")

    async def _say(self, guest: Guest, room: Room, say: Say) -> None:
        if why := why_not(say):
            await self._refuse(why, say.id)
            return
        try:
            stored = await self._store(guest, room, say)
        except RecordsUnavailable:
            await self._refuse(_UNAVAILABLE, say.id, retry=True)
            return
        if stored is None:
            await self._refuse("The message you reply to is not in this room.", say.id)
            return
        record, quoted = stored
        room.wake()
        decision = self._decisions.accept(inbound_of(guest, record, quoted))
        receipt = await self._ask(say.id, record.key, decision)
        if receipt and receipt.turn_id:
            room.answering.took(receipt.turn_id, record.key)

    async def _store(
        self, guest: Guest, room: Room, say: Say
    ) -> tuple[Record, tuple[str, Entry] | None] | None:
        """Store a message once, with what it quotes; None where that does not exist."""
        quoted = None
        if say.reply_to is not None:
            standing = await self._history.standing(room.ref, say.reply_to)
            if standing is None:
                return None
            quoted = (say.reply_to, standing[0])
        record = await self._history.say(room.ref, guest.person, say.id, say.text, reply_to=say.reply_to)
        return record, quoted

    async def _ask(self, say_id: str, ref: str, decision: Awaitable[Receipt]) -> Receipt | None:
        """Let the core decide and tell the client; without a decision nothing is acknowledged."""
        try:
            receipt = await decision
        except NoDecision:
            await self._refuse(_UNAVAILABLE, say_id, retry=True)
            return None
        await self._write(Ack(id=say_id, ref=ref, outcome=receipt.outcome))
        return receipt

    async def _tell_news(self, room: Room) -> None:
        """Write what is new: messages all and in order, of a growing reply only the newest state."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._tell_messages(room)
            except RecordsUnavailable:
                await asyncio.sleep(_STORE_RETRY_S)
                self._news.set()
                continue
            await self._tell_live(room)

    async def _tell_messages(self, room: Room) -> None:
        while page := await self._history.after(room.ref, self._cursor, _PAGE):
            for record in page:
                await self._write(message_of(record))
                self._cursor = record.position

    async def _tell_live(self, room: Room) -> None:
        for turn, live in list(room.live.items()):
            if self._shown.get(turn) is not live:
                self._shown[turn] = live
                await self._write(live)
        for turn in [turn for turn in self._shown if turn not in room.live]:
            was = self._shown.pop(turn)
            await self._write(Live(turn_id=turn, reply_to=was.reply_to, phase=LivePhase.ENDED, text=""))

    async def _refuse(self, why: str, say_id: str = "", *, retry: bool = False) -> None:
        await self._write(Refusal(id=say_id, why=why, retry=retry))

    async def _write(self, frame: Frame) -> None:
        await write_frame(self._writer, frame, self._settings.write_timeout_s)
