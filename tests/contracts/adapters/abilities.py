"""What a platform may have beside sending: every case of the contract names what it needs of these."""

from enum import StrEnum


class Ability(StrEnum):
    """One thing that some platforms have and others do not; a harness says why its platform lacks one."""

    #: The same operation twice is one message: class A.
    KEYED = "keyed"
    #: Nobody can tell whether a message arrived: class C, whose messages say that they may be there twice.
    UNSURE = "unsure"
    #: Messages of ours can be changed and taken back.
    CHANGES = "changes"
    #: Connections that are opened and closed around everything else.
    LIFETIME = "lifetime"

    #: People's messages come in by it.
    TAKES_IN = "takes_in"
    #: It takes them in by a connection or a server of its own.
    RUNS = "runs"
    #: The platform calls us, and proves itself.
    WEBHOOK = "webhook"
    #: What proves the platform covers the body.
    BODY_SIGNED = "body_signed"
    #: What it posts are forms.
    FORMS = "forms"
    #: It tells when a message was written, and there is an age behind which nobody waits for an answer.
    HORIZON = "horizon"
    #: Other programs write there, and their messages reach us.
    OTHER_BOTS = "other_bots"
    #: It tells us of our own messages.
    ECHOES = "echoes"

    #: Conversations of several people, in which a message must address us.
    GROUPS = "groups"
    #: Words under a picture.
    CAPTIONS = "captions"
    #: Somebody can reply to a message, of theirs or of ours.
    QUOTES = "quotes"
    #: Several files are sent in one go.
    TOGETHER = "together"

    #: People's edits are told.
    EDITS = "edits"
    #: Messages that people take back are told.
    WITHDRAWALS = "withdrawals"
    #: People can ask to stop by something else than words.
    STOPS = "stops"
    #: Buttons under our messages.
    PRESSES = "presses"
    #: Conversations get another reference.
    MOVES = "moves"
    #: It tells who comes and goes, or who wants nothing more from us.
    MEMBERSHIPS = "memberships"
    #: It reports what became of our messages.
    REPORTS = "reports"

    #: It asks us to wait.
    RATE_LIMITS = "rate_limits"
    #: Answers of it can be lost on the way.
    LOST_ANSWERS = "lost_answers"
    #: There are times at which nobody may be written to.
    WINDOWS = "windows"
    #: What is attached can be opened.
    MEDIA = "media"


#: What is handed to the core beside messages; each can be told again.
HAPPENINGS = (
    Ability.EDITS,
    Ability.WITHDRAWALS,
    Ability.STOPS,
    Ability.PRESSES,
    Ability.MOVES,
    Ability.MEMBERSHIPS,
    Ability.REPORTS,
)
