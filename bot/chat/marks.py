"""Our marks in what a model wrote: small models imitate them, and a false one could pose as somebody. Pure."""

import re

from bot.chat.plain import MARK_WORDS, inert, whole, without_mark_likes

#: A mark like ours in a reply, also one that is still being written; other quotations between ‹ and › stay.
_MARK = re.compile(
    "‹(?:{words})\\b[^›\\n]*›?|‹(?:{begun})?$".format(
        words="|".join(MARK_WORDS),
        begun="|".join(sorted({word[:n] for word in MARK_WORDS for n in range(1, len(word))}, reverse=True)),
    )
)


def without_marks(text: str) -> str:
    """Take out marks like ours that a model wrote, also such as only appear when others within them are gone."""
    if "‹" not in text:
        return text
    found = 1
    while found:
        text, found = _MARK.subn("", text)
    return text.lstrip()


def past_reply(text: str) -> str:
    """Return a reply as later prompts hold it: as the engine gave it, but for marks and control words.

    A half of a character is no text: engines refuse it, and would refuse every prompt that holds it.
    """
    return inert(without_mark_likes(without_marks(whole(text))))
