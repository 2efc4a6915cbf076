"""The line a person is typing: keys in, finished lines out. Pure, so that output can be drawn around it at any time."""

import re
from dataclasses import dataclass, field

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|[^\[O])")
_UNFINISHED_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*|O)?\Z")
_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"

#: Keys by what they do.
_MOVES = {
    "\x1b[D": "left",
    "\x02": "left",
    "\x1b[C": "right",
    "\x06": "right",
    "\x1b[H": "home",
    "\x1bOH": "home",
    "\x01": "home",
    "\x1b[F": "end",
    "\x1bOF": "end",
    "\x05": "end",
    "\x1b[A": "earlier",
    "\x1bOA": "earlier",
    "\x10": "earlier",
    "\x1b[B": "later",
    "\x1bOB": "later",
    "\x0e": "later",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1b[3~": "delete",
    "\x15": "clear_before",
    "\x0b": "clear_after",
    "\x17": "clear_word",
}


@dataclass(slots=True)
class LineEditor:
    """One line being edited, and the lines before it."""

    text: str = ""
    at: int = 0
    #: The person pressed Ctrl-D on an empty line.
    has_ended: bool = False
    _unread: str = ""
    _is_pasting: bool = False
    _history: list[str] = field(default_factory=list)
    _history_at: int = 0

    def feed(self, keys: str) -> list[str]:
        """Take what was typed and return the lines that Enter finished."""
        rest, self._unread = self._unread + keys, ""
        lines: list[str] = []
        while rest:
            if _UNFINISHED_ESCAPE.match(rest):
                self._unread = rest
                break
            escape = _ESCAPE.match(rest)
            key = escape[0] if escape else rest[0]
            rest = rest[len(key) :]
            if (line := self._press(key)) is not None:
                lines.append(line)
        return lines

    def _press(self, key: str) -> str | None:
        if key in (_PASTE_BEGINS, _PASTE_ENDS):
            self._is_pasting = key == _PASTE_BEGINS
        elif key in "\r\n" and not self._is_pasting:
            return self._finish()
        elif key == "\x04":
            self.has_ended = not self.text
        elif key in _MOVES:
            getattr(self, f"_{_MOVES[key]}")()
        elif key in "\r\n\t" or key.isprintable():
            self._insert("\n" if key == "\r" else key)
        return None

    def _insert(self, key: str) -> None:
        self.text = self.text[: self.at] + key + self.text[self.at :]
        self.at += len(key)

    def _finish(self) -> str:
        line, self.text, self.at = self.text, "", 0
        if line.strip() and self._history[-1:] != [line]:
            self._history.append(line)
        self._history_at = len(self._history)
        return line

    def _left(self) -> None:
        self.at = max(0, self.at - 1)

    def _right(self) -> None:
        self.at = min(len(self.text), self.at + 1)

    def _home(self) -> None:
        self.at = 0

    def _end(self) -> None:
        self.at = len(self.text)

    def _earlier(self) -> None:
        self._recall(max(0, self._history_at - 1))

    def _later(self) -> None:
        self._recall(min(len(self._history), self._history_at + 1))

    def _recall(self, place: int) -> None:
        self._history_at = place
        self.text = self._history[place] if place < len(self._history) else ""
        self.at = len(self.text)

    def _backspace(self) -> None:
        if self.at:
            self.text = self.text[: self.at - 1] + self.text[self.at :]
            self.at -= 1

    def _delete(self) -> None:
        self.text = self.text[: self.at] + self.text[self.at + 1 :]

    def _clear_before(self) -> None:
        self.text, self.at = self.text[self.at :], 0

    def _clear_after(self) -> None:
        self.text = self.text[: self.at]

    def _clear_word(self) -> None:
        kept = re.sub(r"\S*\s*\Z", "", self.text[: self.at])
        self.text, self.at = kept + self.text[self.at :], len(kept)
