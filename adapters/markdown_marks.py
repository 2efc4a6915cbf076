"""Close the marks that the end of a growing text leaves open: `**bo` reads as bold before its end has come. Pure."""

import re

#: Marks farther from the end than this are not looked for: a paragraph of a chat is shorter.
_REACH = 5_000
_HALF_LINK = re.compile(r"!?\[(?P<text>(?:[^\[\]\\]|\\.)*)\]\([^()\n]*\Z")
_RUN = re.compile(r"\\.|`+|\*+|_+|~~")


def closed(text: str) -> str:
    """Return the text with its last link reduced to its words and its open marks closed."""
    head, tail = text[:-_REACH], text[-_REACH:]
    return head + _marks_closed(_HALF_LINK.sub(lambda found: found["text"], tail))


def _marks_closed(text: str) -> str:
    waiting: list[str] = []
    at = 0
    while found := _RUN.search(text, at):
        run, start, at = found[0], found.start(), found.end()
        if run[0] == "`":
            if (end := _end_of_code(text, run, at)) < 0:
                return _ended(text + run if at < len(text) else text[:start], waiting)
            at = end
        elif run[0] != "\\":
            _take(run, text[start - 1] if start else " ", text[at : at + 1], waiting)
    return _ended(text, waiting)


def _end_of_code(text: str, run: str, at: int) -> int:
    found = re.compile(rf"(?<!`){run}(?!`)").search(text, at)
    return found.end() if found else -1


def _take(run: str, before: str, after: str, waiting: list[str]) -> None:
    """Close and open marks with a run; one at the very end stays if it closes, and waits to be left out if not."""
    left = len(run)
    while left and waiting and not before.isspace() and waiting[-1][0] == run[0] and len(waiting[-1]) <= left:
        left -= len(waiting.pop())
    is_within_word = before.isalnum() and after.isalnum() and (run[0] == "_" or run == "*")
    if left and not after.isspace() and not is_within_word:
        waiting += [run[0] * 2] * (left // 2) + [run[0]] * (left % 2)


def _ended(text: str, waiting: list[str]) -> str:
    """Leave out marks at the end that wait for their words, then close the others."""
    while waiting and text.endswith(waiting[-1]):
        text = text.removesuffix(waiting.pop())
    bare = text.rstrip()
    return bare + "".join(reversed(waiting)) if waiting else text
