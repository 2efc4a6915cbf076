"""The newest entries of a room, written once for everybody who reads along."""

from collections import deque

from adapters.webchat.frames import entries, framed

#: Entries kept a room, and the characters they may have together; whoever is farther behind reads from the store.
MOST_ENTRIES = 200
MOST_CHARACTERS = 400_000


class Relay:
    """Entries as JSON, by position; begins behind the position that was the newest when it was made."""

    def __init__(self, room: str, last: int) -> None:
        self._room = room
        #: The newest position there is.
        self.last = last
        #: Whoever has this position finds everything behind it here.
        self.since = last
        self._lines: deque[tuple[int, str]] = deque()
        self._characters = 0
        self._frames: dict[int, bytes] = {}

    def add(self, position: int, line: str) -> None:
        """Add the next entry; one that is there already changes nothing."""
        if position <= self.last:
            return
        self._frames.clear()
        self._lines.append((position, line))
        self._characters += len(line)
        self.last = position
        while len(self._lines) > 1 and (
            len(self._lines) > MOST_ENTRIES or self._characters > MOST_CHARACTERS
        ):
            self.since, dropped = self._lines.popleft()
            self._characters -= len(dropped)

    def behind(self, cursor: int) -> bytes | None:
        """Write the frame that brings somebody from a position to the newest; None where too little is kept."""
        if cursor < self.since:
            return None
        frame = self._frames.get(cursor)
        if frame is None:
            lines = [line for position, line in self._lines if position > cursor]
            frame = self._frames[cursor] = framed(entries(self._room, lines))
        return frame

    def forget_frames(self) -> None:
        """Let go of the frames that were made for one round."""
        self._frames.clear()
