"""What people do with messages: say, edit, take back, react, rate."""

import json

from adapters.base import Purpose
from adapters.webchat.changes import Changed, edited, reacted, withdrawn
from adapters.webchat.entries import Entry, EntryKind
from adapters.webchat.ids import feedback_stream, said_key
from adapters.webchat.inside import NOT_FOUND, Inside
from adapters.webchat.refusals import RefusalCode, Refused
from adapters.webchat.rooms import Member
from adapters.webchat.texts import client_id as checked_client_id
from adapters.webchat.texts import message_text, reaction

_NOT_YOURS = "Only who wrote a message can change it or take it back."
_RATINGS = frozenset({"up", "down", "none"})


class Talking(Inside):
    """The people's side of the conversation. Every method is for members and raises `Refused`."""

    async def say(
        self, person_id: str, room: str, client_id: str, text: str, reply_to: str | None = None
    ) -> Entry:
        """Store a message; the same `client_id` again changes nothing and returns what stands."""
        _, member = await self._in(person_id, room)
        key = said_key(person_id, checked_client_id(client_id))
        if standing := await self._log.standing(room, key):
            return standing
        kept = message_text(text, self._rules.text_limit)
        if reply_to is not None:
            await self._message(room, reply_to)
        entry = Entry(
            kind=EntryKind.SAID,
            at=self._now(),
            by=person_id,
            name=member.name,
            text=kept,
            reply_to=reply_to,
        )
        return await self._log.append(room, key, entry)

    async def edit(self, person_id: str, room: str, ref: str, client_id: str, text: str) -> Entry | None:
        """Give one's own message another text; the news of it, or None where nothing changes."""
        await self._in(person_id, room)
        edit_id = checked_client_id(client_id)
        kept = message_text(text, self._rules.text_limit)

        def change(message: Entry) -> Changed | None:
            _own(message, person_id)
            return edited(message, kept, edit_id, self._now())

        return await self._amended(room, ref, change)

    async def withdraw(self, person_id: str, room: str, ref: str) -> Entry | None:
        """Take one's own message back; the news of it, or None where that was done."""
        await self._in(person_id, room)

        def change(message: Entry) -> Changed | None:
            _own(message, person_id)
            return withdrawn(message, self._now())

        return await self._amended(room, ref, change)

    async def react(self, person_id: str, room: str, ref: str, emoji: str, *, on: bool) -> Entry | None:
        """Add a reaction to a message or take it off; the news of it, or None where it stands so."""
        _, member = await self._in(person_id, room)
        sign = reaction(emoji)

        def change(message: Entry) -> Changed | None:
            return self._reacted(_written(message), member, sign, on=on)

        return await self._amended(room, ref, change)

    async def rate(self, person_id: str, room: str, ref: str, value: str) -> None:
        """Say what one thinks of a reply: `up`, `down` or `none`. Only the operator reads it."""
        await self._in(person_id, room)
        message = await self._message(room, ref)
        if value not in _RATINGS or message.purpose is not Purpose.REPLY:
            raise Refused(RefusalCode.MALFORMED, "Only the assistant's replies can be rated.")
        opinion = json.dumps({"v": 1, "value": value, "at": self._now().isoformat()})
        await self._records.put(feedback_stream(room), f"{ref}:{person_id}", opinion)

    async def _message(self, room: str, ref: str) -> Entry:
        """Return a message as it stands. Raises `Refused` where there is none, or it was taken back."""
        message = _written(await self._log.standing(room, ref))
        if message.withdrawn:
            raise Refused(RefusalCode.GONE, "That message was taken back.")
        return message

    def _reacted(self, message: Entry, member: Member, emoji: str, *, on: bool) -> Changed | None:
        limit = self._rules.reactions_limit
        return reacted(message, member.id, member.name, emoji, on=on, at=self._now(), limit=limit)


def _written(entry: Entry | None) -> Entry:
    if entry is None or not entry.is_message:
        raise Refused(RefusalCode.NOT_FOUND, NOT_FOUND)
    return entry


def _own(entry: Entry, person_id: str) -> None:
    if _written(entry).by != person_id:
        raise Refused(RefusalCode.FORBIDDEN, _NOT_YOURS)
