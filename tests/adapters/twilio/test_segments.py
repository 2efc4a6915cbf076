"""What an SMS costs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.twilio.segments import Alphabet, in_gsm7, is_gsm7, segments
from tests.adapters.twilio_cloud.segments import count_segments


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "count"),
    [
        pytest.param("", Alphabet.GSM7, 0, 0, id="nothing"),
        pytest.param("a", Alphabet.GSM7, 1, 1, id="one"),
        pytest.param("a" * 160, Alphabet.GSM7, 160, 1, id="a full segment"),
        pytest.param("a" * 161, Alphabet.GSM7, 161, 2, id="one more"),
        pytest.param("a" * 306, Alphabet.GSM7, 306, 2, id="two full"),
        pytest.param("a" * 307, Alphabet.GSM7, 307, 3, id="two full and one"),
        pytest.param("€" * 80, Alphabet.GSM7, 160, 1, id="two septets each"),
        pytest.param("a" * 152 + "€" * 5, Alphabet.GSM7, 162, 2, id="an escape is not parted from its sign"),
        pytest.param("€" * 153, Alphabet.GSM7, 306, 3, id="a septet of each segment stays empty"),
        pytest.param("@£ΔÄñ\n", Alphabet.GSM7, 6, 1, id="the basic table"),
        pytest.param("^{}\\[~]|", Alphabet.GSM7, 16, 1, id="the extension table"),
        pytest.param("`", Alphabet.UCS2, 1, 1, id="a backtick is in neither"),
        pytest.param("ç", Alphabet.UCS2, 1, 1, id="nor is a small c with cedilla"),
        pytest.param("你" * 70, Alphabet.UCS2, 70, 1, id="a full segment of UCS-2"),
        pytest.param("你" * 71, Alphabet.UCS2, 71, 2, id="one more of UCS-2"),
        pytest.param("👍" * 35, Alphabet.UCS2, 70, 1, id="emoji"),
        pytest.param("👍" * 67, Alphabet.UCS2, 134, 3, id="an emoji is not parted"),
    ],
)
def test_what_a_text_takes(text, alphabet, units, count):
    found = segments(text)
    assert (found.alphabet, found.units, found.count) == (alphabet, units, count)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab€[\u2019“…👍é你 ", max_size=200))
def test_smart_signs_are_replaced_only_where_that_saves(text):
    folded = in_gsm7(text)
    assert segments(folded).count <= segments(text).count
    assert folded == text or (is_gsm7(folded) and not is_gsm7(text))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400), st.text(max_size=50))
def test_more_text_never_takes_fewer_segments(text, more):
    assert segments(text + more).count >= segments(text).count


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1, max_size=400) | st.text(alphabet="a€[👍é你", min_size=1, max_size=400))
def test_it_counts_as_the_fake_twilio_does(text):
    """Whose tables and arithmetic are written down apart from ours."""
    assert segments(text).count == count_segments(text)
