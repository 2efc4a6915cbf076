"""What one message shows of a reply that grows: its beginning where messages are edited, its end in drafts. Pure.

To cut a reply into messages all of it is read, which for each of its snapshots would take time by the square of its
length. So only what can still change is cut again.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adapters.content import Block, Content
from adapters.markdown import parse
from adapters.markdown_growing import GrowingMarkdown, parse_growing
from adapters.markdown_source import to_markdown

#: `Adapter.split` for one conversation.
Split = Callable[[str], list[str]]
#: Behind so many messages' worth of Markdown nothing changes the first one any more, whatever its marks.
_FAR: Final = 4
#: With so many messages the border behind the first one is settled: only the last block can still become another.
_SETTLED: Final = 3
#: A single block that fills messages is cut again when it has grown by a twentieth.
_GROWTH: Final = 1.05


@dataclass(frozen=True, slots=True)
class View:
    """What a message is to show: its Markdown, and the addresses that may be live in it."""

    text: str
    links: frozenset[str]


class Beginning:
    """The first message of one reply, as Markdown; asks nothing any more once it cannot change."""

    def __init__(self, split: Split, text_limit: int) -> None:
        self._split = split
        self._most = _FAR * text_limit
        #: What the settled message was cut from.
        self._source = ""
        self._first = ""

    def of(self, text: str) -> str:
        """Return what the first message holds of the text so far."""
        if self._source and text.startswith(self._source):
            return self._first
        head = text[: self._most]
        parts = self._split(head)
        is_settled = len(parts) >= _SETTLED or len(text) > self._most
        self._source, self._first = (head, parts[0]) if is_settled else ("", "")
        return parts[0]


class Ending:
    """The last message of one reply, as Markdown: of a reply that outgrew one message, what people wait for."""

    def __init__(self, split: Split) -> None:
        self._split = split
        self._begin()

    def _begin(self) -> None:
        self._text = ""
        self._growing = GrowingMarkdown()
        #: The first of the outermost blocks that is shown.
        self._from = 0
        self._last = ""
        #: Sizes of a block of several messages that are too close to what was cut last.
        self._too_soon = range(0)

    def of(self, text: str) -> str:
        """Return what the last message holds of the text so far."""
        if not text.startswith(self._text):
            self._begin()
        self._text = text
        blocks = self._growing.read(text).blocks
        shown = _markdown(blocks[self._from :])
        if len(shown) in self._too_soon:
            return self._last
        parts = self._split(shown)
        while len(parts) > 1 and self._from < len(blocks) - 1:
            self._from += self._fitting(blocks[self._from :])
            shown = _markdown(blocks[self._from :])
            parts = self._split(shown)
        self._too_soon = range(len(shown), int(len(shown) * _GROWTH)) if len(parts) > 1 else range(0)
        self._last = parts[-1]
        return self._last

    def _fitting(self, blocks: tuple[Block, ...]) -> int:
        """Count the first blocks that one message holds: one at least, and not all."""
        counts = range(1, len(blocks))
        is_too_long = bisect_left(
            counts, 1, key=lambda count: len(self._split(_markdown(blocks[:count]))) > 1
        )
        return max(1, is_too_long)


def as_content(markdown: str) -> Content:
    """Read what a message shows, half-open marks as if they were closed; a mark alone is shown as it is."""
    content = parse_growing(markdown)
    return content if content.blocks else parse(markdown)


def _markdown(blocks: tuple[Block, ...]) -> str:
    return to_markdown(Content(blocks))
