"""Every sentence the assistant says about a turn on its own account, in one place to be rewritten."""

from bot.turns.model import NoticeKind

NOTICES: dict[NoticeKind, str] = {
    NoticeKind.UNREADABLE: (
        "I could not read that message: it does not look like text. Please send it again as plain text."
    ),
    NoticeKind.TOO_LONG: "That message is longer than I can take. Please send the part that matters most.",
    NoticeKind.BUSY: "I have as many questions waiting here as I can keep. Please ask again in a few minutes.",
    NoticeKind.EXPIRED: "I did not get to this in time, sorry. Please ask again if you still need it.",
    NoticeKind.FAILED: (
        "I tried several times and could not answer this, sorry. It has been kept for the people who run me."
    ),
    NoticeKind.STOPPED: "Stopped.",
    NoticeKind.FORGOTTEN: "Done: it is forgotten.",
    NoticeKind.INTRODUCED: "I am an AI assistant, and can be wrong. `/privacy` says what I see and keep here.",
}

#: Said instead of FAILED where some of the reply arrived, or may have: nobody is told that there is none.
MAY_HAVE_ARRIVED = (
    "I tried several times to bring my answer here and cannot tell whether all of it arrived, sorry. "
    "If you do not see it, please ask again."
)

#: Closes a reply that a person stopped.
STOPPED_MARK = "*(stopped)*"

#: Stands for a message that the platform will never take.
UNSHOWN_PART = (
    "I have an answer here that cannot be shown in this chat, sorry. Please ask again in other words."
)
