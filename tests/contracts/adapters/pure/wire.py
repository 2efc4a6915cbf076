"""Values as JSON carries them, also those that no correct platform sends."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

#: Also halves of characters, which JSON's escapes can carry.
TEXTS = st.text(alphabet=st.sampled_from("a@/ 👍🏽\ud800é\x00\x1b") | st.characters(), max_size=40)


def json_of(names: SearchStrategy[str], words: SearchStrategy[str]) -> SearchStrategy[Any]:
    """Draw JSON with these names in its objects, and these words among its values."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | words | TEXTS
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=8),
        max_leaves=40,
    )
