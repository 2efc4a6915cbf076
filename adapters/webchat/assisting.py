"""The assistant's side of the conversation: its messages come from the core, which is a member of every room."""

from adapters.base import Edit, Send
from adapters.webchat.changes import Changed, revised, withdrawn
from adapters.webchat.entries import Entry, EntryKind
from adapters.webchat.ids import sent_key
from adapters.webchat.inside import NOT_FOUND, Inside
from adapters.webchat.refusals import RefusalCode, Refused


class Assisting(Inside):
    """What the assistant writes."""

    async def post(self, op: Send, markdown: str, answers: tuple[str, ...] = ()) -> Entry:
        """Store a message of the assistant; the same operation again returns what stands.

        Raises `Refused` for a room that is no longer there.
        """
        if await self._rooms.state(op.conversation) is None:
            raise Refused(RefusalCode.NOT_FOUND, "That room is no longer there.")
        entry = Entry(
            kind=EntryKind.SENT,
            at=self._now(),
            by="",
            name=self._assistant_names[0],
            markdown=markdown,
            purpose=op.purpose,
            reply_to=op.reply_to,
            answers=answers,
        )
        return await self._log.append(op.conversation, sent_key(op.op_id), entry)

    async def revise(self, op: Edit, markdown: str, answers: tuple[str, ...] | None = None) -> Entry | None:
        """Give a message of the assistant another text; the news of it, or None where it stands already.

        `answers` stay as they are where they are None. Decided by what stands and not by the operation id: a late,
        stale edit can then be put right by repeating the newest one. Raises `Refused` for a message that is not
        there, not the assistant's, or taken back.
        """

        def change(message: Entry) -> Changed | None:
            now_answers = message.answers if answers is None else answers
            return revised(_own(message), markdown, op.purpose, now_answers, self._now())

        return await self._amended(op.conversation, op.message, change)

    async def take_back(self, room: str, ref: str) -> Entry | None:
        """Take a message of the assistant back; the news of it, or None where there is none to take back."""
        standing = await self._log.standing(room, ref)
        if standing is None or standing.purpose is None:
            return None

        def change(message: Entry) -> Changed | None:
            return withdrawn(_own(message), self._now())

        return await self._amended(room, ref, change)


def _own(entry: Entry) -> Entry:
    if entry.kind is not EntryKind.SENT:
        raise Refused(RefusalCode.NOT_FOUND, NOT_FOUND)
    return entry
