"""Telegram counts in UTF-16 code units: lengths, places and pieces of a text in them."""


def units(text: str) -> int:
    """Count the UTF-16 code units of a text."""
    return len(text) + sum(character > "\uffff" for character in text)


def index_of(text: str, offset: int) -> int | None:
    """Find the code point that begins at an offset; None within a surrogate pair or outside the text."""
    position = 0
    for index, character in enumerate(text):
        if position >= offset:
            return index if position == offset else None
        position += 2 if character > "\uffff" else 1
    return len(text) if position == offset else None


def piece(text: str, offset: int, length: int) -> str | None:
    """Cut a piece out of a text; None where it would split a surrogate pair or leave the text."""
    start, end = index_of(text, offset), index_of(text, offset + length)
    if offset < 0 or length < 0 or start is None or end is None:
        return None
    return text[start:end]


def is_sound(text: str) -> bool:
    """Say whether a text can be written in UTF-8 at all: no surrogate stands alone."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
