"""Ids that cannot be guessed, and the names of streams and records made of them. Pure but for the randomness."""

import hashlib
import re
import secrets

_ID = re.compile(r"[rp][A-Za-z0-9_-]{22}\Z")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_RANDOM_BYTES = 16  # 22 url-safe characters
#: No record of a room's log has a longer key.
MAX_REF = 160

SECRETS = "secret"
LOGS = "log/"
FEEDBACK = "feedback/"


def new_room_id() -> str:
    """Make a room's id."""
    return "r" + secrets.token_urlsafe(_RANDOM_BYTES)


def new_person_id() -> str:
    """Make a person's id."""
    return "p" + secrets.token_urlsafe(_RANDOM_BYTES)


def new_code() -> str:
    """Make the secret part of an invitation's link."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def new_invitation_id() -> str:
    """Make an invitation's id, which admits nobody."""
    return secrets.token_urlsafe(6)


def is_room_id(text: str) -> bool:
    """Whether it has a room id's form."""
    return text.startswith("r") and _ID.match(text) is not None


def is_person_id(text: str) -> bool:
    """Whether it has a person id's form."""
    return text.startswith("p") and _ID.match(text) is not None


def is_client_id(text: str) -> bool:
    """Whether a page may name its own messages so."""
    return _CLIENT_ID.match(text) is not None


def room_stream(room: str) -> str:
    """Name the stream of a room's state."""
    return f"room/{room}"


def log_stream(room: str) -> str:
    """Name the stream of what was said in a room."""
    return f"{LOGS}{room}"


def feedback_stream(room: str) -> str:
    """Name the stream of what people think of the replies in a room."""
    return f"{FEEDBACK}{room}"


def person_stream(person: str) -> str:
    """Name the stream of a person's own things."""
    return f"person/{person}"


def invite_stream(code: str) -> str:
    """Name the stream that says where a code leads; the code itself is stored nowhere."""
    return f"invite/{hashlib.sha256(code.encode()).hexdigest()}"


def said_key(person: str, client_id: str) -> str:
    """Name a person's message; the page's id makes it idempotent."""
    return f"said:{person}:{client_id}"


def sent_key(op_id: str) -> str:
    """Name a message of the assistant; the operation id makes it idempotent."""
    return f"sent:{op_id}"


def change_key(ref: str) -> str:
    """Name the news that a message was edited or taken back: one a message, the newest."""
    return f"change:{ref}"


def react_key(ref: str, person: str, emoji: str) -> str:
    """Name the news that a person reacted to a message, or no longer does."""
    return f"react:{ref}:{person}:{emoji}"


def event_key(what: str, version: int) -> str:
    """Name what happened to a room when its state reached a version."""
    return f"event:{what}:{version}"
