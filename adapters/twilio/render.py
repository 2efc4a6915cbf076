"""Write content for WhatsApp and for SMS, and cut it for either. Pure.

A link comes out live, so that `links.only_known` belongs before this; an address that stands in a text is broken
(`broken.py` says why and how).
"""

import re
from collections.abc import Callable, Sequence

from adapters.base import TextUnit
from adapters.content import Content
from adapters.links import NO_LINKS, only_known
from adapters.runs import Run
from adapters.split import measure_in, split_markdown
from adapters.twilio.lines import Writing, lines_of
from adapters.twilio.markup import guarded, write_code, write_line
from adapters.twilio.segments import in_gsm7

#: The longest body that Twilio takes. Whether it counts characters or UTF-16 units is not written down: we count units,
#: which are never fewer.
BODY_LIMIT = 1_600

_Render = Callable[[Content], str]


def _bare(runs: Sequence[Run]) -> str:
    return "".join(run.text for run in runs)


_WHATSAPP = Writing(
    line=write_line,
    guarded=guarded,
    code=write_code,
    bullets=("-", "◦", "▪"),
    rule="\N{EM DASH}" * 3,
    has_grids=True,
)
_SMS = Writing(
    line=_bare, guarded=lambda line: line, code=lambda text: text, bullets=("-",), rule="---", has_grids=False
)


def render_whatsapp(content: Content) -> str:
    """Write a message with WhatsApp's marks. Pure; never raises."""
    return _tidy(lines_of(content.blocks, _WHATSAPP))


def render_sms(content: Content) -> str:
    """Write a message without marks, in the cheap alphabet where that loses nothing. Pure; never raises."""
    return in_gsm7(_tidy(lines_of(content.blocks, _SMS)))


def longest_whatsapp(content: Content) -> str:
    """Write a message as long as it can become, whatever of its links is live."""
    return render_whatsapp(only_known(content, NO_LINKS))


def longest_sms(content: Content) -> str:
    """Write a message as long as it can become, whatever of its links is live."""
    return render_sms(only_known(content, NO_LINKS))


def body_length(text: str) -> int:
    """Count what Twilio limits."""
    return measure_in(TextUnit.UTF16)(text)


def split(markdown: str, longest: _Render, limit: int = BODY_LIMIT) -> list[str]:
    """Cut Markdown into texts that each render within the limit, by `longest_whatsapp` or `longest_sms`. Pure."""
    return split_markdown(markdown, longest, body_length, limit)


def _tidy(lines: Sequence[str]) -> str:
    """Join lines without white space at their ends, and without empty ones at the message's ends."""
    return re.sub(r"[ \t]+(?=\n|\Z)", "", "\n".join(lines)).strip("\n")
