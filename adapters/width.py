"""How wide characters are drawn where all columns are equally wide. Pure."""

import unicodedata


def width_of(text: str) -> int:
    """Return how many columns a text takes."""
    return sum(map(columns_of, text))


def columns_of(character: str) -> int:
    """Return how many columns a character takes: none for a mark, two for East Asian ones and emoji."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
