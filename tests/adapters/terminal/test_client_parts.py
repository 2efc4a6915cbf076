"""The client's pure parts: what is typed, how lines are edited, how rows are broken, what a screen shows."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.terminal.client.editor import LineEditor
from adapters.terminal.client.rows import tail, wrap
from adapters.terminal.client.screen import Line, PlainScreen, TtyScreen
from adapters.terminal.client.typed import Hint, Leave, Words, understand
from adapters.width import width_of


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("", None),
        ("hello ", Words(text="hello ")),
        ("/quit", Leave()),
        (">12 why?", Words(text="why?", number=12)),
        ("> 12 why?", Words(text="why?", number=12)),
        ("/reply 3 a\nb", Words(text="a\nb", number=3)),
        ("/reset", Words(text="/reset")),
        ("> quoted", Words(text="> quoted")),
    ],
)
def test_what_a_typed_line_means(line, meaning):
    assert understand(line) == meaning


@pytest.mark.parametrize("line", ["/reply", "/reply x y", ">12", "/reply 12 "])
def test_half_a_reply_gets_a_hint(line):
    assert isinstance(understand(line), Hint)


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ("hello\r", ["hello"]),
        ("helo\x1b[Dl\n", ["hello"]),
        ("abc\x7f\x7f\x7fx\n", ["x"]),
        ("a b c\x17\x17x\n", ["a x"]),
        ("abc\x01\x0bx\n", ["x"]),
        ("abc\x15x\n", ["x"]),
        ("one\ntwo\n\x1b[A\x1b[A!\n", ["one", "two", "one!"]),
        ("\x1b[200~a\nb\x1b[201~\n", ["a\nb"]),
        ("\x1b[5~x\x1b[1;5C\n", ["x"]),
        ("ab\x1b[H\x1b[3~\n", ["b"]),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("step", [1, 100])
def test_the_line_editor(keys, lines, step):
    """Keys do the same whether they come one by one or together."""
    editor, got = LineEditor(), []
    for at in range(0, len(keys), step):
        got += editor.feed(keys[at : at + step])
    assert got == lines


def test_ctrl_d_ends_only_on_an_empty_line():
    editor = LineEditor()
    editor.feed("a\x04")
    assert not editor.has_ended
    editor.feed("\x7f\x04")
    assert editor.has_ended


@settings(deadline=None)
@given(st.text(alphabet="\x1b[~200;ABCDHOx\n\x7f\x04\x01\x05\x17 é", max_size=60))
def test_no_keys_break_the_editor(keys):
    editor = LineEditor()
    editor.feed(keys)
    assert 0 <= editor.at <= len(editor.text)


@settings(deadline=None)
@given(st.text(alphabet="ab 中👍e\u0301\n\t", max_size=80), st.integers(2, 20))
def test_rows_fit_and_lose_nothing(text, columns):
    rows = wrap(text, columns)
    assert all(width_of(row) <= columns for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace("\t", "").replace("\n", "").replace(" ", "")


def test_the_end_of_a_line_fits():
    assert tail("abc中", 3) == "c中"


def line(text, number=None):
    return Line(number=number, name="assistant", text=text)


class TestPlainScreen:
    def shown(self, *steps):
        out = io.StringIO()
        screen = PlainScreen(out)
        for step in steps:
            step(screen)
        return out.getvalue()

    def test_a_growing_reply_is_written_once(self):
        shown = self.shown(
            lambda screen: screen.grow(line("Hel"), is_text=True),
            lambda screen: screen.grow(line("Hello"), is_text=True),
            lambda screen: screen.finish(line("Hello you", 7)),
        )
        assert shown == " ... assistant: Hello you\n(that was message 7)\n"

    def test_a_rewritten_reply_is_written_again(self):
        shown = self.shown(
            lambda screen: screen.grow(line("Hal"), is_text=True),
            lambda screen: screen.finish(line("Hello", 7)),
        )
        assert shown == (
            " ... assistant: Hal\n(the reply was rewritten)\n ... assistant: Hello\n(that was message 7)\n".replace(
                " ... assistant: Hello", "   7 assistant: Hello"
            )
        )

    def test_a_message_in_between_interrupts(self):
        shown = self.shown(
            lambda screen: screen.grow(line("Hel"), is_text=True),
            lambda screen: screen.say(Line(number=3, name="Ben", text="hi")),
            lambda screen: screen.finish(line("Hello", 4)),
        )
        assert shown == " ... assistant: Hel\n   3 Ben: hi\n   4 assistant: Hello\n"

    def test_loading_is_said_once(self):
        shown = self.shown(
            lambda screen: screen.grow(line("the model is still loading (1 s)"), is_text=False),
            lambda screen: screen.grow(line("the model is still loading (2 s)"), is_text=False),
        )
        assert shown.count("loading") == 1


class Paper:
    """A terminal small enough to check: rows, a cursor, and the few sequences the screen uses."""

    def __init__(self):
        self.rows, self.row, self.column = [""], 0, 0

    def write(self, text):
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                end = next(end for end in range(at + 2, len(text)) if text[end].isalpha())
                self.control(text[at + 2 : end], text[end])
                at = end + 1
                continue
            self.put(text[at])
            at += 1

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row, self.column = self.row + 1, 0
            if self.row == len(self.rows):
                self.rows.append("")
        else:
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + character + row[self.column + 1 :]
            self.column += 1

    def control(self, number, letter):
        match letter:
            case "A":
                self.row -= int(number)
            case "D":
                self.column -= int(number)
            case "K":
                self.rows[self.row] = self.rows[self.row][: self.column]
            case "J":
                self.rows[self.row] = self.rows[self.row][: self.column]
                del self.rows[self.row + 1 :]
            case "m":
                pass

    def flush(self):
        pass


class TestTtyScreen:
    def screen(self, columns=40, rows=10, colour=False):
        self.paper, self.editor = Paper(), LineEditor()
        return TtyScreen(self.paper, self.editor, colour=colour, size=lambda: (columns, rows))

    def test_the_typed_line_stays_under_what_comes(self):
        screen = self.screen()
        self.editor.feed("half a li")
        screen.draw_prompt()
        screen.say(Line(number=1, name="Ben", text="hi"))
        assert self.paper.rows == ["   1 Ben: hi", "> half a li"]

    def test_the_cursor_stays_where_it_is_typed(self):
        screen = self.screen()
        self.editor.feed("abc\x1b[D")
        screen.draw_prompt()
        assert self.paper.column == len("> ab")

    def test_a_growing_reply_is_replaced_by_its_final_text(self):
        screen = self.screen()
        screen.grow(line("thinking..."), is_text=False)
        screen.grow(line("Hel"), is_text=True)
        screen.say(Line(number=3, name="Ben", text="hi"))
        screen.grow(line("Hello"), is_text=True)
        screen.finish(line("Hello", 4))
        assert self.paper.rows == ["   3 Ben: hi", "   4 assistant: Hello", "> "]

    def test_a_reply_longer_than_the_screen_is_shown_whole_and_once(self):
        screen = self.screen(columns=20, rows=6)
        words = [f"word{number}" for number in range(40)]
        for count in range(1, 41):
            screen.grow(line(" ".join(words[:count])), is_text=True)
        screen.finish(line(" ".join(words), 9))
        shown = " ".join(row.strip() for row in self.paper.rows)
        assert [word for word in shown.split() if word.startswith("word")] == words
        assert "(that was message 9)" in shown

    def test_a_dropped_reply_leaves_nothing(self):
        screen = self.screen()
        screen.grow(line("Hel"), is_text=True)
        screen.drop()
        assert self.paper.rows == ["> "]

    def test_names_are_coloured_only_where_wanted(self):
        written = io.StringIO()
        for colour in (True, False):
            screen = TtyScreen(written, LineEditor(), colour=colour, size=lambda: (40, 10))
            screen.say(Line(number=1, name="Ben", text="hi"))
        assert written.getvalue().count("\x1b[1;") == 1

    def test_a_long_typed_line_stays_on_one_row(self):
        screen = self.screen(columns=20)
        self.editor.feed("x" * 50)
        screen.draw_prompt()
        assert len(self.paper.rows) == 1
        assert len(self.paper.rows[0]) < 20
