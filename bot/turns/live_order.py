"""Letting only what is newer through."""

from collections import OrderedDict

from adapters.base import LiveSnapshot

#: Turns whose newest number is remembered; far more than can be live at once.
_REMEMBERED_TURNS = 4096


class NewestOnly:
    """Remembers each turn's greatest number, and lets a snapshot through only above it."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, int] = OrderedDict()

    def admit(self, snapshot: LiveSnapshot) -> bool:
        """Tell whether a snapshot is newer than every one before it of the same turn."""
        if snapshot.number <= self._newest.get(snapshot.turn_id, -1):
            return False
        self._newest[snapshot.turn_id] = snapshot.number
        self._newest.move_to_end(snapshot.turn_id)
        if len(self._newest) > _REMEMBERED_TURNS:
            self._newest.popitem(last=False)
        return True
