"""Rules for the names of people and rooms: readable, short, and never to be mistaken for the assistant's."""

import unicodedata

#: Characters of a name, after normalising.
MAX_NAME = 32
#: Letters that Unicode counts as letters and nobody sees.
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5")
_ALLOWED_SIGNS = frozenset(" ._-'")
#: Cyrillic, Greek and phonetic letters and digits by the Latin letter they are drawn like (a practical part of UTS 39).
_LOOKALIKES = {
    ord(twin): letter
    for letter, twins in {
        "a": "\u0430\u03b1\u0251",
        "b": "\u0432",
        "c": "\u0441\u03f2",
        "d": "\u0501",
        "e": "\u0435\u03b53",
        "g": "\u0261",
        "h": "\u04bb\u043d",
        "i": "\u0456\u03b9\u0131\u0269\u026a1l",
        "j": "\u0458",
        "k": "\u043a\u03ba",
        "m": "\u043c",
        "n": "\u0578\u03b7",
        "o": "\u043e\u03bf0",
        "p": "\u0440\u03c1",
        "q": "\u051b",
        "s": "\u04555",
        "t": "\u0442\u03c47",
        "u": "\u03c5",
        "v": "\u03bd",
        "w": "\u051d",
        "x": "\u0445",
        "y": "\u0443",
    }.items()
    for twin in twins
}


class NameRefused(ValueError):
    """A name that cannot be used; the message says why, to the person."""


def normalise(name: str, what: str = "name") -> str:
    """Return a name as it is shown. Raises `NameRefused`."""
    shown = unicodedata.normalize("NFKC", name).strip()
    if not shown:
        raise NameRefused(f"A {what} cannot be empty.")
    if len(shown) > MAX_NAME:
        raise NameRefused(f"That {what} is too long: at most {MAX_NAME} characters.")
    if not all(_is_allowed(character) for character in shown) or "  " in shown:
        raise NameRefused(f"A {what} may hold letters, digits, spaces and . _ - ' only.")
    if not any(character.isalnum() for character in shown):
        raise NameRefused(f"A {what} needs a letter or a digit.")
    return shown


def person_name(name: str, assistant_names: tuple[str, ...]) -> str:
    """Return a person's name as it is shown. Raises `NameRefused`, also for one like the assistant's."""
    shown = normalise(name)
    if skeleton(shown) in {skeleton(taken) for taken in assistant_names}:
        raise NameRefused(f"{shown!r} looks like the assistant's name. Please take another.")
    return shown


def identity(shown: str) -> str:
    """Return what makes two spellings the same person or room: case does not count."""
    return unicodedata.normalize("NFKC", shown.casefold())


def skeleton(name: str) -> str:
    """Reduce a name to what the eye sees: no case, accents, signs or invisible characters, lookalikes as one."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(letter for letter in letters if letter.isalnum()).translate(_LOOKALIKES)


def _is_allowed(character: str) -> bool:
    if character in _ALLOWED_SIGNS:
        return True
    return unicodedata.category(character)[0] in "LMN" and character not in _INVISIBLE_LETTERS
