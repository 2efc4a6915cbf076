"""What a person sees: messages above, the reply that is being written under them, and the line being typed."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TextIO

from adapters.terminal.client.editor import LineEditor
from adapters.terminal.client.rows import tail, wrap
from adapters.width import width_of

_PROMPT = "> "
_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)
_REWRITTEN = "(the reply was rewritten)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message to show: its number where it has one, whose it is, and its text."""

    number: int | None
    name: str
    text: str
    #: Said behind the name, as in "(to 12)".
    remark: str = ""

    @property
    def head(self) -> str:
        """What stands before the text; as wide with a number as without."""
        number = "..." if self.number is None else str(self.number)
        return f"{number:>4} {self.name}{' ' + self.remark if self.remark else ''}: "


class Screen(Protocol):
    """Shows a chat."""

    def say(self, line: Line) -> None:
        """Show a message for good; one that was growing takes the place of what stood so far."""
        ...

    def remark(self, text: str) -> None:
        """Show a sentence of the program's own."""
        ...

    def grow(self, line: Line, *, is_text: bool) -> None:
        """Show a reply as far as it has come, or what is waited for where `is_text` is false."""
        ...

    def finish(self, line: Line) -> None:
        """Show the growing reply's final text and keep it."""
        ...

    def drop(self) -> None:
        """Take away what was growing: it came to nothing."""
        ...

    def draw_prompt(self) -> None:
        """Show the typed line again after it changed."""
        ...

    def close(self) -> None:
        """Leave the cursor on a line of its own."""
        ...


class PlainScreen:
    """A screen that can only be written on: a pipe, a file, a dumb terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._shown: str | None = None
        self._waiting = ""

    def say(self, line: Line) -> None:
        """Write a message on lines of its own."""
        self._break()
        self._write(f"{line.head}{line.text}\n")

    def remark(self, text: str) -> None:
        """Write a sentence on a line of its own."""
        self._break()
        self._write(f"{text}\n")

    def grow(self, line: Line, *, is_text: bool) -> None:
        """Write what is new of a reply; a state is written once."""
        if not is_text:
            state = line.text.split("(")[0]
            if self._shown is None and state != self._waiting:
                self._waiting = state
                self.remark(f"{line.head}{line.text}")
            return
        if self._shown is None:
            self._write(f"{line.head}{line.text}")
        elif line.text.startswith(self._shown):
            self._write(line.text[len(self._shown) :])
        else:
            self._write(f"\n{_REWRITTEN}\n{line.head}{line.text}")
        self._shown = line.text

    def finish(self, line: Line) -> None:
        """Write the rest of the reply and its number."""
        if self._shown is None:
            self.say(line)
        else:
            self.grow(line, is_text=True)
            self._write(f"\n(that was message {line.number})\n")
        self._shown, self._waiting = None, ""

    def drop(self) -> None:
        """End the line of what was growing."""
        self._break()
        self._waiting = ""

    def draw_prompt(self) -> None:
        """Show nothing: what is typed does not pass through this screen."""

    def close(self) -> None:
        """End an open line."""
        self._break()

    def _break(self) -> None:
        """Leave a growing reply where it is; it begins anew behind what interrupts it."""
        if self._shown is not None:
            self._write("\n")
        self._shown = None

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


class TtyScreen:
    """A screen whose last rows are drawn again whenever something changes; everything above them stays."""

    def __init__(
        self,
        out: TextIO,
        editor: LineEditor,
        *,
        colour: bool,
        size: Callable[[], tuple[int, int]] = shutil.get_terminal_size,
    ) -> None:
        self._out = out
        self._editor = editor
        self._colour = colour
        self._size = size
        #: How many rows stand under the kept ones, the prompt's not counted.
        self._loose = 0
        self._growing: Line | None = None
        #: Rows of the growing reply that have left the part that can be drawn again.
        self._kept: list[str] = []

    def say(self, line: Line) -> None:
        """Put a message above what is growing."""
        self._draw(self._rows(line), line)

    def remark(self, text: str) -> None:
        """Put a sentence above what is growing."""
        self._draw(wrap(text, self._columns()))

    def grow(self, line: Line, *, is_text: bool) -> None:
        """Draw the reply as far as it has come."""
        self._growing = line
        rows = self._rows(line)
        if rows[1 : len(self._kept)] != self._kept[1:]:
            self._kept = []
            self._draw([_REWRITTEN])
            return
        self._draw([])

    def finish(self, line: Line) -> None:
        """Keep the final text in place of what was growing."""
        kept, self._kept, self._growing = self._kept, [], None
        rows = self._rows(line)
        if not kept:
            self._draw(rows, line)
        elif rows[1 : len(kept)] == kept[1:]:
            self._draw([*rows[len(kept) :], f"(that was message {line.number})"])
        else:
            self._draw([_REWRITTEN, *rows])

    def drop(self) -> None:
        """Take the growing rows away."""
        self._kept, self._growing = [], None
        self._draw([])

    def draw_prompt(self) -> None:
        """Draw the typed line again."""
        self._out.write("\r\x1b[K" + self._prompt())
        self._out.flush()

    def close(self) -> None:
        """Leave the prompt's row empty."""
        self._out.write("\r\x1b[K")
        self._out.flush()

    def _draw(self, keep: list[str], line: Line | None = None) -> None:
        """Write rows to keep above the growing ones, and those again, and the prompt."""
        growing = self._rows(self._growing)[len(self._kept) :] if self._growing else []
        height = max(1, self._size()[1] - 2)
        overflow = growing[: max(0, len(growing) - height)]
        growing = growing[len(overflow) :]
        shown = [self._painted(row, number, line) for number, row in enumerate(keep)]
        head = self._growing if not self._kept else None
        shown += [self._painted(row, number, head) for number, row in enumerate([*overflow, *growing])]
        up = f"\x1b[{self._loose}A" if self._loose else ""
        self._out.write(f"\r{up}\x1b[J" + "".join(f"{row}\n" for row in shown) + self._prompt())
        self._out.flush()
        self._kept += overflow
        self._loose = len(growing)

    def _rows(self, line: Line) -> list[str]:
        return wrap(line.head + line.text, self._columns())

    def _columns(self) -> int:
        return self._size()[0] - 1

    def _painted(self, row: str, number: int, line: Line | None) -> str:
        """Colour the name in a message's first row."""
        if number or line is None or not self._colour or not row.startswith(line.head):
            return row
        colour = _COLOURS[sum(map(ord, line.name)) % len(_COLOURS)]
        before, behind = line.head.split(line.name, 1)
        return f"{before}\x1b[1;{colour}m{line.name}\x1b[0m{behind}{row[len(line.head) :]}"

    def _prompt(self) -> str:
        """Draw one row: the typed line, or the part of it around the cursor, and the cursor in its place."""
        room = self._columns() - len(_PROMPT)
        typed, at = self._editor.text.replace("\n", "⏎").replace("\t", " "), self._editor.at
        before = tail(typed[:at], room)
        behind = wrap(typed[at:], max(2, room - width_of(before)))[0] if width_of(before) < room - 1 else ""
        back = width_of(behind)
        return f"{_PROMPT}{before}{behind}" + (f"\x1b[{back}D" if back else "")
