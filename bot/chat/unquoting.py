"""Taking one person out of what others said: their quotes of that person, and what they overheard. Pure."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass

from bot.chat.plain import cleaned
from bot.chat.speakers import name_in, shown_name

_QUOTE = re.compile("‹quote by ([^›\n]*)›\n(.*?)\n‹end of quote›\n?", re.DOTALL)
# What was overheard ends where the next mark of ours begins: nobody else can write one.
_OVERHEARD = re.compile("‹recent from ([^›\n]*)›[^‹]*")
_NOTHING_OVERHEARD = re.compile("^‹end of recent messages›\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom to take out: by every name they were known by, and by what they wrote."""

    names: frozenset[str]
    texts: frozenset[str]

    @classmethod
    def of(cls, names: Collection[str], texts: Collection[str]) -> "Person":
        """Make one; empty names and texts name nobody."""
        return cls(names=frozenset(filter(None, names)), texts=frozenset(filter(None, texts)))

    def __or__(self, other: "Person") -> "Person":
        """Put together what is known of one person."""
        return Person(names=self.names | other.names, texts=self.texts | other.texts)

    def is_quoted(self, author: str, quoted: str) -> bool:
        """Tell whether a quote is of this person: by the author's name, or by the words."""
        return author in self.names or quoted in self.texts


def said_without(body: str, person: Person) -> str:
    """Take a quote of a person out of a stored message (its JSON); the same text where there is none."""
    said = json.loads(body)
    if not person.is_quoted(said["quoted_author"], said["quoted_text"]):
        return body
    return json.dumps({**said, "quoted_author": "", "quoted_text": ""})


def prompt_without(prompt: str, person: Person) -> str:
    """Take quotes of a person, and what was overheard of them, out of a user's message as a prompt held it."""
    names = {shown_name(name) for name in person.names}
    texts = {cleaned(text) for text in person.texts}

    def quote(found: re.Match[str]) -> str:
        return "" if name_in(found[1]) in names or found[2] in texts else found[0]

    def overheard(found: re.Match[str]) -> str:
        return "" if name_in(found[1]) in names else found[0]

    without = _OVERHEARD.sub(overheard, _QUOTE.sub(quote, prompt))
    return _NOTHING_OVERHEARD.sub("", without)
