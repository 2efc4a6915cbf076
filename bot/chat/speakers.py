"""What prompts call people: one short line that shows all of itself, and what makes two such names alike. Pure."""

import re
import unicodedata

from bot.chat.plain import cleaned, inert

_NAME_CHARS = 32
#: What of a name is looked at: a name may be as long as its platform lets it.
_NAME_LOOK_CHARS = 256
#: Who has no name.
NAMELESS = "someone"
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
#: Letters, marks and symbols that show nothing.
_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
#: A number behind a name: only ours may stand there.
_NUMBERED = re.compile(
    "(?:\\s*(?:[(\\[{\uff08]\\s*\\d+\\s*[)\\]}\uff09]|[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793]))+$"
)
#: A time behind a name, as our marks tell it: only ours may stand there.
_TIMED = re.compile(r",\s*(?:mon|tues|wednes|thurs|fri|satur|sun)day\b.*", re.IGNORECASE)
_ONE_CALLED = "one called "
_CALLED = re.compile(f"^(?:{_ONE_CALLED})+", re.IGNORECASE)
#: Small letters and signs that are drawn like a Latin letter, by that letter (after Unicode TR 39's confusables).
_DRAWN_LIKE = {
    "a": "\u0430\u03b1\u0251",
    "b": "\u0432\u03b2\u044c",
    "c": "\u0441\u03f2",
    "d": "\u0501\u0111\u0257",
    "e": "\u0435\u03b5\u0454",
    "g": "\u0261\u0581",
    "h": "\u04bb\u043d\u0570\u0127",
    "j": "\u0458\u03f3",
    "k": "\u043a\u03ba",
    "l": "i1|!\u04cf\u0456\u03b9\u0131\u0142\u0269",
    "m": "\u043c",
    "n": "\u043f\u03b7\u0578",
    "o": "0\u043e\u03bf\u03c3\u0585\u00f8",
    "p": "\u0440\u03c1",
    "q": "\u051b\u0566",
    "r": "\u0433",
    "s": "\u0455",
    "t": "\u0442\u03c4",
    "u": "\u03c5\u057d",
    "v": "\u0475\u03bd",
    "w": "\u051d\u03c9\u0461",
    "x": "\u0445\u03c7",
    "y": "\u0443\u03b3",
}
_AS_LATIN = {ord(sign): letter for letter, signs in _DRAWN_LIKE.items() for sign in signs}


def shown_name(name: str) -> str:
    """Make a person's name safe to stand in a mark: one line, nothing hidden, at most 32 characters."""
    visible = "".join(char for char in cleaned(name[:_NAME_LOOK_CHARS]) if char.isspace() or _is_seen(char))
    line = _TIMED.sub("", re.sub(r"\s+", " ", visible))
    short = line.strip()[:_NAME_CHARS].strip()
    # What was hidden may have stood between the halves of a control word.
    return inert(_NUMBERED.sub("", _CALLED.sub("", short)).strip()) or NAMELESS


def likeness(shown: str) -> str:
    """Return what all names have in common that people or a model could take for this one.

    Letter case, accents, styles, spaces and signs make no difference, nor do letters of other scripts that are drawn
    alike. Names that it takes for one without need are only told apart by a number.
    """
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", shown).casefold())
    drawn = "".join(char for char in apart if not unicodedata.combining(char)).translate(_AS_LATIN)
    letters = "".join(char for char in drawn if char.isalnum()).replace("rn", "m").replace("vv", "w")
    return letters or "".join(apart.split())


def numbered(shown: str, number: int) -> str:
    """Call the bearers of like names so that each is another: the first by the name alone."""
    return shown if number == 1 else f"{shown} ({number})"


def one_called(shown: str) -> str:
    """Call somebody of whom no more is known than the name, which several bear."""
    return f"{_ONE_CALLED}{shown}"


def name_in(called: str) -> str:
    """Return the name within what a prompt calls a person."""
    return _NUMBERED.sub("", called.removeprefix(_ONE_CALLED))


def _is_seen(char: str) -> bool:
    return unicodedata.category(char) not in _HIDDEN and char not in _EMPTY
