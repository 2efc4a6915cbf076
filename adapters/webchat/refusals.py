"""Why the house does not do what somebody asked: a code for the page and a sentence for the person."""

from enum import StrEnum


class RefusalCode(StrEnum):
    """What kind of no it is, by what the page can do about it."""

    #: There is no such room, message or invitation; drop it.
    NOT_FOUND = "not_found"
    #: The person is not in that room; leave its page.
    NOT_MEMBER = "not_member"
    #: Somebody is called that already, or nearly so; ask for another name.
    NAME_TAKEN = "name_taken"
    #: The name or title cannot be read or shown; ask for another.
    NAME_BAD = "name_bad"
    #: Shorten it; nothing was stored.
    TOO_LONG = "too_long"
    #: It was there and was taken back; show it as gone.
    GONE = "gone"
    #: The invitation admitted as many people as it was for; ask for a new one.
    USED_UP = "used_up"
    #: The invitation's time is over; ask for a new one.
    EXPIRED = "expired"
    #: It is not this person's to do.
    FORBIDDEN = "forbidden"
    #: A limit of the house is reached; make room first.
    TOO_MANY = "too_many"
    #: The request makes no sense; a fault of the page.
    MALFORMED = "malformed"


class Refused(Exception):
    """The house says no. `text` is a kind sentence for the person and repeats nothing anybody wrote."""

    def __init__(self, code: RefusalCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
