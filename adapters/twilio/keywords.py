"""The words that Twilio obeys by itself on SMS: STOP, START and HELP, said alone. Pure.

https://help.twilio.com/articles/223134027. Twilio answers them and keeps what it was told: whoever stopped gets nothing
from us, whatever we send. A Messaging Service says what it made of a word; elsewhere we know them from this list.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from adapters.twilio.people import is_whatsapp


class Keyword(StrEnum):
    """What a person asked Twilio for."""

    #: Nothing more from this sender.
    STOP = "STOP"
    #: Messages again.
    START = "START"
    #: What this number is.
    HELP = "HELP"


_WORDS: Final = {
    **dict.fromkeys(
        ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), Keyword.STOP
    ),
    **dict.fromkeys(("START", "YES", "UNSTOP"), Keyword.START),
    **dict.fromkeys(("HELP", "INFO"), Keyword.HELP),
}


def keyword_of(fields: Mapping[str, str]) -> Keyword | None:
    """Tell what Twilio made of a message; a START means something only to whoever had stopped."""
    told = fields.get("OptOutType", "").upper()
    if told in Keyword.__members__:
        return Keyword(told)
    if is_whatsapp(fields.get("From", "")):
        return None
    return _WORDS.get(fields.get("Body", "").strip().upper())
