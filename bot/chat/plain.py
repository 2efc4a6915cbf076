"""What people and models wrote, made safe for a prompt: no marks of ours, no control words, nothing hidden. Pure."""

import re

#: What opens our marks, and every sign that could be taken for it; only before a word of ours, where it is a mark.
_LOOK_ALIKES = (
    "\u2039\u276e\u276c\u27e8\u02c2\u3008\u300a\u27ea\u29fc\u2991\u2770\uff1c\ufe64\u1438\u227a\u22d6\u02f1"
)
#: How our marks begin.
MARK_WORDS = (
    "from",
    "time",
    "quote",
    "attached",
    "recent from",
    "end of",
    "about this chat",
    "summary of what was said",
    "summary wanted",
)
#: What may stand between a sign and a word without being seen.
_UNSEEN = (
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064\u2800\u3164\ufeff\uffa0]*"
)
_MARK_LIKE = re.compile(f"[{_LOOK_ALIKES}](?={_UNSEEN}(?:{'|'.join(MARK_WORDS)})\\b)", re.IGNORECASE)
#: Our marks and their nearest look-alikes become plain ones; line ends become one kind; other controls go.
_PLAIN = (
    dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
    | {ord(char): "<" for char in "‹❮❬⟨˂"}
    | {ord(char): ">" for char in "›❯❭⟩˃"}
    | {ord("\n"): "\n", ord("\t"): "\t", 0x2028: "\n", 0x2029: "\n", 0x85: "\n"}
)
# A flag of a region keeps its letters; all others are text that nobody sees.
_TAGS = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]{3,6}\U000e007f)|[\U000e0000-\U000e007f]+")
# One selector belongs to the sign before it; further ones spell what nobody sees.
_SELECTORS = re.compile("([\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
# One joiner or break belongs between two letters; rows of them spell what nobody sees.
_BREAKS = re.compile("([\u200b-\u200d\u2060-\u2064\ufeff])[\u200b-\u200d\u2060-\u2064\ufeff]+")
#: Changes of direction, which show people another order than the one that is read.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u206f]")
#: The words without bars that the embedded model's vocabulary takes for control words.
_BARE_WORDS = (
    *("repo_name", "reponame", "file_sep", "filename", "gh_stars"),
    *("issue_start", "issue_comment", "issue_closed"),
    *("jupyter_start", "jupyter_text", "jupyter_code", "jupyter_output", "jupyter_script", "empty_output"),
)
#: How a control word of a chat template begins: `<|...|>`, with either bar, or one of the bare words.
_CONTROL = re.compile(f"<(?=[|｜]|(?:{'|'.join(_BARE_WORDS)})>)")  # noqa: RUF001 - DeepSeek's bar is the full-width one


def cleaned(text: str) -> str:
    """Make a person's text safe for a prompt: no marks of ours, no control words, no broken or hidden characters."""
    plain = whole(text).replace("\r\n", "\n").replace("\r", "\n").translate(_PLAIN)
    # Last: what was taken out may have stood between the halves of a control word.
    return inert(without_mark_likes(plain if plain.isascii() else _seen(plain)))


def whole(text: str) -> str:
    """Put halves of characters together; one without the other becomes a sign that something was lost."""
    return (
        text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    )


def inert(text: str) -> str:
    """Break up a chat template's own control words, which the engine would otherwise obey."""
    return _CONTROL.sub("< ", text) if "<" in text else text


def without_mark_likes(text: str) -> str:
    """Make plain what looks like the beginning of a mark of ours; other quotations stay."""
    return text if text.isascii() else _MARK_LIKE.sub("<", text)


def _seen(text: str) -> str:
    """Take out what models read and people do not see, and leave what their scripts and emoji need."""
    text = _TURNS.sub("", text)
    text = _TAGS.sub(r"\1", text)
    return _BREAKS.sub(r"\1", _SELECTORS.sub(r"\1", text))
