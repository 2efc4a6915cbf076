"""The newest entries of one room's log, kept at hand. Pure."""

from collections.abc import Iterable, Iterator

from adapters.webchat.entries import Entry

#: How many entries are kept at hand at least, once there are that many.
KEPT = 256
#: With more characters than these, fewer entries are kept.
KEPT_CHARACTERS = 200_000


class Tail:
    """Everything of a log behind the position `start`, in order."""

    def __init__(self, entries: Iterable[Entry], start: int) -> None:
        self.start = start
        self.end = start
        self._entries: dict[str, Entry] = {}
        self._characters = 0
        for entry in entries:
            self.push(entry)

    def get(self, ref: str) -> Entry | None:
        """Return an entry if it is at hand."""
        return self._entries.get(ref)

    def push(self, entry: Entry) -> None:
        """Add the newest entry; one of the same ref makes place for it, as in the store."""
        self._take_out(entry.ref)
        self._put_in(entry)
        self.end = max(self.end, entry.pos)
        if len(self._entries) > 2 * KEPT or self._characters > 2 * KEPT_CHARACTERS:
            self._shorten()

    def replace(self, entry: Entry) -> None:
        """Change an entry where it stands, if it is at hand."""
        if standing := self._entries.get(entry.ref):
            self._characters -= _characters(standing)
            self._put_in(entry)

    def _shorten(self) -> None:
        for ref in list(self._entries)[:-1]:
            if len(self._entries) <= KEPT and self._characters <= KEPT_CHARACTERS:
                return
            self.start = self._entries[ref].pos
            self._take_out(ref)

    def _put_in(self, entry: Entry) -> None:
        self._entries[entry.ref] = entry
        self._characters += _characters(entry)

    def _take_out(self, ref: str) -> None:
        if standing := self._entries.pop(ref, None):
            self._characters -= _characters(standing)

    def newest_first(self) -> Iterator[Entry]:
        """Go through the entries from the newest to the oldest."""
        return reversed(list(self._entries.values()))

    def after(self, position: int, limit: int) -> list[Entry]:
        """Return at most `limit` entries behind a position that is not before `start`, oldest first."""
        behind: list[Entry] = []
        for entry in reversed(self._entries.values()):
            if entry.pos <= position:
                break
            behind.append(entry)
        return behind[::-1][:limit]


def _characters(entry: Entry) -> int:
    return len(entry.text) + len(entry.markdown)
