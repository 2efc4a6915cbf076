"""Which messages match what somebody looks for. Pure."""

import unicodedata
from dataclasses import dataclass

from adapters.base import Purpose
from adapters.webchat.entries import Entry

#: The longest question, in characters.
MAX_QUERY = 200
#: Entries looked at for one question, newest first: what is older is found by asking in one room.
MAX_LOOKED_AT = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A message that matches."""

    room: str
    entry: Entry


def words_of(query: str) -> tuple[str, ...]:
    """Return what a message must hold, all of it; nothing for a question without a word."""
    return tuple(_folded(query[:MAX_QUERY]).split())


def matches(entry: Entry, words: tuple[str, ...]) -> bool:
    """Whether a message holds every word, whatever its case; what was taken back and passing notices do not count."""
    if not entry.is_message or entry.withdrawn or entry.purpose not in (None, Purpose.REPLY):
        return False
    text = _folded(entry.text or entry.markdown)
    return all(word in text for word in words)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
