"""Looking for a message of which nobody knows whether Twilio took it: by To, From, and the time.

Twilio takes no key and keeps no mark of ours, and nowhere promises that a list holds what was just taken: so this stays
a platform of class C. But most of what is in doubt can be found, and what is found need not be sent again. Before each
send a note is made of it, in the adapter's own store: digests of its text, as it is and under the label of a possible
duplicate. Several operations of one conversation may have said the same; then each finds its own, in their order.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapters.base import Sent
from adapters.errors import AuthFailed, Rejected, Unreachable
from adapters.records import RecordStore, RecordsUnavailable
from adapters.twilio.people import stream_of
from adapters.twilio.rest import Listed, Rest

logger = logging.getLogger(__name__)

KIND: Final = "send"
#: Twilio tells times in whole seconds, by its own clock.
_SKEW: Final = timedelta(seconds=5)
#: Notes that are looked through, and messages that are asked for.
_NOTES, _MESSAGES = 50, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    op_id: str
    at: datetime
    #: Of what it may have looked like.
    digests: frozenset[str]

    def matches(self, listed: Listed) -> bool:
        return listed.created_at >= self.at - _SKEW and _digest(listed.body) in self.digests


class Lookups:
    """Notes what is sent, and finds it at Twilio."""

    def __init__(self, records: RecordStore, rest: Rest, now: Callable[[], datetime]) -> None:
        self._records = records
        self._rest = rest
        self._now = now

    async def note(self, op_id: str, account: str, conversation: str, bodies: frozenset[str]) -> None:
        """Note what is about to be sent, in every form it may take; once for an operation. Raises `Unreachable`."""
        note = {"v": 1, "at": self._now().isoformat(), "digests": sorted(map(_digest, bodies))}
        try:
            await self._records.append(stream_of(KIND, account, conversation), op_id, json.dumps(note))
        except RecordsUnavailable as exc:
            raise Unreachable(
                "the adapter's store is not available, and nothing is sent without a note"
            ) from exc

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Look for what an operation sent; None where it cannot be told. Raises an `AdapterError`."""
        notes = await self._notes(account, conversation)
        mine = next((note for note in notes if note.op_id == op_id), None)
        if mine is None:
            return None
        try:
            listed = await self._rest.recent(account, conversation, _MESSAGES)
        except (AuthFailed, Rejected) as error:
            logger.warning("sent messages cannot be listed: %s", type(error).__name__)
            return None
        return _found(mine, notes, listed)

    async def _notes(self, account: str, conversation: str) -> list[_Note]:
        try:
            records = await self._records.latest(stream_of(KIND, account, conversation), _NOTES)
        except RecordsUnavailable as exc:
            raise Unreachable("the adapter's store is not available") from exc
        return [_read(record.key, record.body) for record in records]


def _found(mine: _Note, notes: list[_Note], listed: list[Listed]) -> Sent | None:
    """Give each operation that said the same one message, oldest first; where one goes without, it is not known whose.

    The list begins with the newest; within a second its order is all there is.
    """
    left = sorted(listed, key=lambda each: each.created_at, reverse=True)[::-1]
    given: dict[str, str] = {}
    same = [note for note in notes if note.digests & mine.digests]
    for note in same:
        if taken := next((each for each in left if note.matches(each)), None):
            left.remove(taken)
            given[note.op_id] = taken.sid
    behind = same[same.index(mine) :]
    return Sent(message=given[mine.op_id]) if all(note.op_id in given for note in behind) else None


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode(errors="replace")).hexdigest()


def _read(op_id: str, body: str) -> _Note:
    kept = json.loads(body)
    return _Note(op_id=op_id, at=datetime.fromisoformat(kept["at"]), digests=frozenset(kept["digests"]))
