"""Where a text names the assistant: `@name` as a word of its own, in any script, and nowhere else.

A name is not found inside an e-mail address, a URL, a longer handle or another word. Scripts written without
spaces between words (Han, Kana, Hangul particles, Thai, Lao, Khmer, Myanmar) end a name that is written in
another script, because people type `@assistant翻译` and `@assistant야`.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

#: The signs that open a mention: the ASCII one, and the full-width one that East Asian keyboards type.
_SIGNS = "@\uff20"
_SIGN_SET = frozenset(_SIGNS)
#: Characters that hold two halves of one word together: low line, soft hyphen, zero-width (non-)joiner.
_JOINERS = "_\u00ad\u200c\u200d"
#: Behind a letter these still belong to the local part of an e-mail address, or to a path.
_LOCAL_PART_END = "+-_%/=" + _SIGNS
#: Before a letter these go on with a handle, a host or a path: `@name.example`, `@name-two`, `@name@host`.
_HANDLE_GOES_ON = ".-/" + _SIGNS
#: `@name:host.example`, somebody's address on a federated server.
_FEDERATED = re.compile(r":[\w-]+\.\w")
_SPACELESS = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Myanmar
    "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Kana and iteration marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "]"
)


class Span(NamedTuple):
    """A mention's place in a text, the sign included; `end` is behind its last character."""

    start: int
    end: int


class Names:
    """The names a person may call the assistant by, prepared for searching. Immutable."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """Prepare the names; a leading `@` and surrounding spaces are no part of one."""
        cleaned = [name.strip().lstrip(_SIGNS).strip() for name in names]
        spellings = {form for name in cleaned if name for form in _forms(name)}
        longest_first = sorted(spellings, key=lambda name: (-len(name), name))
        flags = re.IGNORECASE
        self._each = tuple(re.compile(_spelled(name), flags) for name in longest_first)
        either = "|".join(_spelled(name) for name in longest_first) or r"(?!)"
        self._mention = re.compile(f"[{_SIGNS}](?:{either})", flags)
        self._command_suffix = re.compile(f"@(?:{either})", flags)

    def maybe_in(self, text: str) -> bool:
        """Tell cheaply that a text cannot name the assistant: False is certain, True is not."""
        return "@" in text or "\uff20" in text

    def named_in(self, text: str) -> bool:
        """Tell whether a text names the assistant anywhere."""
        return self.maybe_in(text) and next(self.spans(text), None) is not None

    def spans(self, text: str) -> Iterator[Span]:
        """Find every mention, from left to right."""
        for found in self._mention.finditer(text):
            span = self.at(text, found.start())
            if span is not None:
                yield span

    def at(self, text: str, start: int) -> Span | None:
        """Find the mention whose sign is at `start`; a shorter name may fit where a longer one does not."""
        if text[start : start + 1] not in _SIGN_SET or not _opens(text, start):
            return None
        for name in self._each:
            found = name.match(text, start + 1)
            if found is not None and _closes(text, found.end()):
                return Span(start, found.end())
        return None

    def is_suffix(self, suffix: str) -> bool:
        """Tell whether `@name` behind a command is one of ours."""
        return self._command_suffix.fullmatch(suffix) is not None


def _forms(name: str) -> set[str]:
    """Spell a name as keyboards do: with composed and with combining accents."""
    return {unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)}


def _spelled(name: str) -> str:
    return r"\s+".join(re.escape(word) for word in name.split())


def _in_word(character: str) -> bool:
    """Tell whether a character is part of a word; the accents that combine with a letter are."""
    if character.isalnum():
        return True
    if character.isascii():
        return False
    return unicodedata.category(character) in ("Mn", "Mc") and not _is_selector(character)


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f"  # asks for an emoji's or a text's look; no part of a word


def _opens(text: str, start: int) -> bool:
    """Tell whether a sign stands where a mention may begin, and not in an address, a path or a word."""
    at = start - 1
    if at < 0:
        return True
    if text[at] == "/":
        return False  # https://host/@name
    while at >= 0 and text[at] in _LOCAL_PART_END:
        at -= 1
    return at < 0 or not _in_word(text[at]) or (at == start - 1 and _SPACELESS.match(text[at]) is not None)


def _closes(text: str, end: int) -> bool:
    """Tell whether a name that ends here is whole, and not the beginning of something longer."""
    at = end
    if text[at : at + 1].isspace():
        return True
    while at < len(text) and text[at] in _JOINERS:
        at += 1
    if _word_at(text, at):
        return at == end and _script_changes(text, end)
    if at < len(text) and text[at] in _HANDLE_GOES_ON and _word_at(text, at + 1):
        return False
    return _FEDERATED.match(text, at) is None


def _word_at(text: str, at: int) -> bool:
    return at < len(text) and _in_word(text[at])


def _script_changes(text: str, end: int) -> bool:
    spaceless_name = _SPACELESS.match(text, end - 1) is not None
    return not spaceless_name and _SPACELESS.match(text, end) is not None
