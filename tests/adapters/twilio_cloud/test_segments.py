"""Text messages are counted in the segments that they are charged in."""

import pytest

from tests.adapters.twilio_cloud.segments import count_segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        pytest.param("", 1, id="empty"),
        pytest.param("x" * 160, 1, id="one whole"),
        pytest.param("x" * 161, 2, id="one more"),
        pytest.param("x" * 306, 2, id="two whole"),
        pytest.param("x" * 307, 3, id="three"),
        pytest.param("€" * 80, 1, id="extension signs take two"),
        pytest.param("€" * 81, 2, id="one extension sign too many"),
        pytest.param("x" * 152 + "€" + "x" * 152, 3, id="an escape is not torn from its sign"),
        pytest.param("x" * 151 + "€" + "x" * 153, 2, id="an escape that just fits"),
        pytest.param("ж" * 70, 1, id="UCS-2"),
        pytest.param("ж" * 71, 2, id="two of UCS-2"),
        pytest.param("ж" * 134, 2, id="two whole of UCS-2"),
        pytest.param("x" * 69 + "\u2019", 1, id="one curly quote"),
        pytest.param("x" * 159 + "\u2019", 3, id="one curly quote in a long text"),
        pytest.param("😀" * 35, 1, id="pairs"),
        pytest.param("😀" * 66, 2, id="pairs are not torn"),
        pytest.param("😀" * 67, 3, id="pairs that leave a place free"),
    ],
)
def test_segments(text, segments):
    assert count_segments(text) == segments
