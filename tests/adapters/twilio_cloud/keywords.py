"""The words that Twilio itself obeys, on SMS alone: whoever says one of them and nothing else.

https://help.twilio.com/articles/223134027. The webhook is told of such messages too.
"""

from typing import Final

from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.segments import count_segments
from tests.adapters.twilio_cloud.shown import Channel, Direction
from tests.adapters.twilio_cloud.sids import new_sid

_WORDS: Final = {
    "STOP": frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}),
    "START": frozenset({"START", "YES", "UNSTOP"}),
    "HELP": frozenset({"HELP", "INFO"}),
}
_ANSWERS: Final = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages. Reply START to "
    "resubscribe.",
    "START": "You have successfully been re-subscribed. Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


def meaning_of(body: str) -> str | None:
    """Tell which of STOP, START and HELP a message is, if any."""
    word = body.strip().upper()
    return next((meaning for meaning, words in _WORDS.items() if word in words), None)


def opted_out(record: Record, sender: str, person: str) -> bool:
    """Tell whether a person wants nothing from a sender."""
    found = record.scalar("SELECT 1 FROM optouts WHERE sender = ? AND person = ?", sender, person)
    return found is not None


def obey(record: Record, sender: str, person: str, body: str) -> None:
    """Do what Twilio does by itself."""
    meaning = meaning_of(body)
    # START and YES mean nothing to whoever is subscribed.
    if meaning is None or (meaning == "START" and not opted_out(record, sender, person)):
        return
    if meaning != "HELP":
        record.opt(sender, person, out=meaning == "STOP")
    _answer(record, sender, person, _ANSWERS[meaning])


def _answer(record: Record, sender: str, person: str, body: str) -> None:
    sid = new_sid("SM")
    record.add(
        sid=sid,
        direction=str(Direction.REPLY),
        channel=str(Channel.SMS),
        sender=sender,
        person=person,
        body=body,
        status="queued",
        segments=count_segments(body),
        service="",
        operation="",
        purpose="",
        may_be_duplicate=False,
    )
    record.change(sid, "delivered", sent_at=record.clock.now())
