"""An answer as the one variable of a template: WhatsApp takes no line breaks, tabs or long spaces in it. Pure."""

import re
from typing import Final

#: WhatsApp allows 1,024 characters with the template's own words.
_MOST_CHARS: Final = 700


def in_one_line(body: str) -> str:
    """Write a message on one line, cut where it is too long; never empty."""
    line = re.sub(r"\s+", " ", body).strip() or "\N{EM DASH}"
    if len(line) <= _MOST_CHARS:
        return line
    head = line[: _MOST_CHARS - 1]
    return (head.rpartition(" ")[0] or head) + "\N{HORIZONTAL ELLIPSIS}"
