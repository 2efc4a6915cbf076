"""What was said in the rooms, kept in the adapter's own store: a stream of records a room."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from adapters.base import Edit, Person, Purpose, Send
from adapters.errors import Rejected
from adapters.records import Record, RecordStore
from adapters.terminal.entries import Entry, edit_key, entry_of, said_key, sent_key
from adapters.terminal.frames import Author
from adapters.terminal.redacting import without

_AUTHOR = {
    Purpose.REPLY: Author.ASSISTANT,
    Purpose.NOTICE: Author.NOTICE,
    Purpose.PLACEHOLDER: Author.NOTICE,
}

_PAGE = 200


class History:
    """Reads and writes the rooms' records. Every method raises `RecordsUnavailable` where the store does."""

    def __init__(self, records: RecordStore, assistant: str, now: Callable[[], datetime]) -> None:
        self._records = records
        self._assistant = assistant
        self._now = now
        self._editing = asyncio.Lock()

    async def say(
        self, room: str, person: Person, client_id: str, text: str, *, reply_to: str | None
    ) -> Record:
        """Store a person's message; the same `client_id` again returns what stands."""
        entry = Entry(
            author=Author.PERSON,
            person=person.id,
            name=person.name,
            text=text,
            at=self._instant(),
            reply_to=reply_to,
        )
        return await self._records.append(room, said_key(person.id, client_id), entry.to_wire())

    async def send(self, op: Send, text: str, answers: tuple[str, ...]) -> Record:
        """Store a message of the assistant; the same operation again returns what stands."""
        entry = self._by_assistant(op.purpose, text, reply_to=op.reply_to, answers=answers)
        return await self._records.append(op.conversation, sent_key(op.op_id), entry.to_wire())

    async def edit(self, op: Edit, text: str, answers: tuple[str, ...]) -> Record | None:
        """Store a message's new text; None where it stands already. Raises `Rejected` for an unknown message.

        Decided by what stands and not by the operation id: a late, stale edit can then be put right by
        repeating the newest one.
        """
        async with self._editing:
            standing = await self.standing(op.conversation, op.message)
            if standing is None or standing[0].withdrawn:
                raise Rejected("the message to edit is not in this room")
            entry, edits = standing
            if (entry.text, entry.author) == (text, _AUTHOR[op.purpose]):
                return None
            new = self._by_assistant(
                op.purpose, text, reply_to=entry.reply_to, answers=answers, replaces=op.message
            )
            return await self._records.append(op.conversation, edit_key(op.message, edits + 1), new.to_wire())

    async def withdraw(self, room: str, message: str) -> Record | None:
        """Take a message back; None where there is none, or it was taken back before."""
        async with self._editing:
            standing = await self.standing(room, message)
            if standing is None or standing[0].withdrawn:
                return None
            entry, edits = standing
            gone = replace(entry, text="", answers=(), replaces=message, withdrawn=True, at=self._instant())
            return await self._records.append(room, edit_key(message, edits + 1), gone.to_wire())

    async def standing(self, room: str, ref: str) -> tuple[Entry, int] | None:
        """Read a message as it stands, and how often it was edited. Edits are rare here, so they are counted up."""
        record = await self._records.by_key(room, ref)
        if record is None:
            return None
        edits = 0
        while newer := await self._records.by_key(room, edit_key(ref, edits + 1)):
            record, edits = newer, edits + 1
        return entry_of(record), edits

    async def forget_all(self, conversation: str, before: datetime) -> None:
        """Forget what was said in a room up to an instant, and what was answered to it."""
        await self._forget(conversation, None, before)

    async def forget_person(self, conversation: str, person: str, before: datetime) -> None:
        """Forget what a person said in a room up to an instant, and what was answered to it."""
        await self._forget(conversation, person, before)

    async def forget_older(self, conversation: str, instant: datetime) -> int:
        """Forget everything that was said in a room before an instant; how many records that were."""
        return await self._records.forget_older(conversation, instant)

    async def forget_before(self, instant: datetime) -> int:
        """Forget everything that was said before an instant, in all rooms; how many records that were."""
        return await self._records.forget_before("", instant)

    async def _forget(self, room: str, person: str | None, before: datetime) -> None:
        async with self._editing:
            # One that nobody can read must not keep the others from being forgotten.
            await self._records.drop_damaged(room)
            records: list[Record] = []
            while page := await self._records.after(room, records[-1].position if records else 0, _PAGE):
                records += page
            await self._records.redact(room, dict.fromkeys(without(records, person, before)))

    async def after(self, room: str, position: int, limit: int) -> list[Record]:
        """Read what came behind a position, oldest first."""
        return await self._records.after(room, position, limit)

    async def latest(self, room: str, limit: int) -> list[Record]:
        """Read the newest records, oldest first."""
        return await self._records.latest(room, limit)

    def _by_assistant(
        self,
        purpose: Purpose,
        text: str,
        *,
        reply_to: str | None,
        answers: tuple[str, ...],
        replaces: str | None = None,
    ) -> Entry:
        return Entry(
            author=_AUTHOR[purpose],
            person="",
            name=self._assistant,
            text=text,
            at=self._instant(),
            reply_to=reply_to,
            answers=answers,
            replaces=replaces,
        )

    def _instant(self) -> str:
        return self._now().isoformat()
