"""Whatever a model says, every adapter writes it, and cuts it into parts that fit, with nothing lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.content import Content, Table
from adapters.links import NO_LINKS, KnownLinks
from adapters.markdown import parse
from adapters.markdown_growing import GrowingMarkdown, parse_growing
from adapters.markdown_source import to_markdown
from adapters.registry import manifests
from tests.adapters.test_split import CONTENT, only_text
from tests.contracts.adapters.pure.cases import Writer
from tests.contracts.adapters.pure.found import cases_of, writers

WRITERS = writers()
LINKS = (NO_LINKS, KnownLinks.of(["https://x.example"]))
MARKDOWN = st.text(alphabet=st.sampled_from("ab.c@/:#*_~`[]()|-> \n1👍é"), max_size=150)
on_every_writer = pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)


@pytest.mark.parametrize("name", [manifest.name for manifest in manifests()])
def test_every_adapter_is_tried(name: str) -> None:
    assert cases_of(name).WRITERS


@on_every_writer
@settings(max_examples=100, deadline=None)
@given(content=CONTENT, known=st.sampled_from(LINKS))
def test_nothing_is_lost_by_writing(writer: Writer, content: Content, known: KnownLinks) -> None:
    assert holds(writer, content, [writer.write(content, known)])


@on_every_writer
@settings(max_examples=50, deadline=None)
@given(content=CONTENT, room=st.integers(0, 320))
def test_every_part_fits_whatever_is_live_and_nothing_is_lost(
    writer: Writer, content: Content, room: int
) -> None:
    limit = writer.least + room
    parts = [parse(part) for part in writer.cut(to_markdown(content), limit)]
    assert parts
    for known in LINKS:
        written = [writer.write(part, known) for part in parts]
        assert [one for one in written if writer.measure(one) > limit] == []
        assert holds(writer, content, written)


@on_every_writer
@settings(max_examples=60, deadline=None)
@given(markdown=MARKDOWN)
def test_a_growing_reply_can_be_written_at_every_length(writer: Writer, markdown: str) -> None:
    growing = GrowingMarkdown()
    for end in range(0, len(markdown) + 1, 7):
        writer.write(growing.read(markdown[:end]), NO_LINKS)
    writer.write(parse_growing(markdown), NO_LINKS)


def holds(writer: Writer, content: Content, written: list[str]) -> bool:
    """Tell whether every letter is there in its order; a table may be told by columns."""
    if f"{Table.__name__}(" in repr(content):
        return True
    letters = iter(writer.reads("\n".join(written)))
    return all(letter in letters for letter in only_text(content))
