"""Content in a terminal: tables stand in columns, or are told where they are too wide."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.markdown import parse
from adapters.terminal.render import render, render_growing
from adapters.terminal.tables import WIDEST
from adapters.width import width_of


def test_a_table_stands_in_columns_as_wide_as_they_are_drawn():
    source = "| Way | Speed | Safe |\n|---|--:|:-:|\n| Queue | 1200 | yes |\n| 待ち行列 | 9 | **no** |"
    assert render(parse(source)).split("\n") == [
        "| Way      | Speed |  Safe  |",
        "|----------|------:|:------:|",
        "| Queue    |  1200 |  yes   |",
        "| 待ち行列 |     9 | **no** |",
    ]


def test_a_table_too_wide_for_a_screen_is_told_row_by_row():
    source = f"| Name | What |\n|---|---|\n| a | {'word ' * 20}|\n| b | c |"
    assert render(parse(source)) == f"- Name: a\n  What: {'word ' * 20}".rstrip() + "\n- Name: b\n  What: c"


def test_a_cell_of_two_lines_is_told_as_two_lines():
    assert render(parse("| a | b |\n|---|---|\n| 1<br>2 | 3 |")) == "- a: 1\n  2\n  b: 3"


def test_a_header_without_rows_is_still_there():
    assert render(parse("| a | b |\n|---|---|")) == "| a   | b   |\n|-----|-----|"


def test_a_growing_table_stays_the_lines_it_is():
    """Columns that widen with every row would make a reply that was printed wrong."""
    source = "| a | b |\n|---|---|\n| long | longer |\n"
    shown = [render_growing(source[:end]) for end in range(len(source))]
    assert all(later.startswith(earlier.rstrip()) for earlier, later in pairwise(shown))


def test_a_rule_and_struck_out_words_keep_their_marks():
    assert render(parse("~~a~~\n\n---\n\nb")) == "~~a~~\n\n---\n\nb"


CELLS = st.text(alphabet="ab 待👍é\u0301`*|<&\x1b\u202e\t", max_size=30)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=4))
def test_every_row_of_a_table_is_as_wide_as_the_others(rows):
    source = "\n".join(f"| {' | '.join(cells)} |" for cells in [["a", "b", "c"], ["---"] * 3, *rows])
    lines = render(parse(source)).split("\n")
    if lines[0].startswith("| a"):
        widths = {width_of(line) for line in lines[: 2 + len(rows)] if line.startswith("|")}
        assert len(widths) == 1
        assert widths.pop() <= WIDEST
