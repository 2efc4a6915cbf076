"""What is attached to messages, in words: for the prompt, and for the person who attached it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from adapters.base import AttachmentKind

_NAMES: Final[Mapping[AttachmentKind, tuple[str, str]]] = {
    AttachmentKind.PICTURE: ("a picture", "pictures"),
    AttachmentKind.VOICE: ("a voice message", "voice messages"),
    AttachmentKind.AUDIO: ("a sound recording", "sound recordings"),
    AttachmentKind.VIDEO: ("a video", "videos"),
    AttachmentKind.DOCUMENT: ("a file", "files"),
    AttachmentKind.STICKER: ("a sticker", "stickers"),
    AttachmentKind.LOCATION: ("a location", "locations"),
    AttachmentKind.CONTACT: ("a contact", "contacts"),
    AttachmentKind.OTHER: ("something", "things"),
}


def attached_mark(kinds: Iterable[AttachmentKind]) -> str:
    """Render what is attached as a prompt says it, in a mark of ours; empty where nothing is."""
    named = _named(kinds)
    return f"‹attached: {named}; you cannot see it›" if named else ""


def unseen_note(kinds: Iterable[AttachmentKind]) -> str:
    """Tell a person that what came with their words is not seen; empty where nothing came."""
    named = _named(kinds)
    return (
        f"I cannot see or hear what you attached here ({named}): I answer your words only." if named else ""
    )


def unseen_reply(kinds: Iterable[AttachmentKind]) -> str:
    """Answer a person who sent nothing but attachments."""
    return (
        f"I got {_named(kinds)}, but I cannot see or hear what people attach here."
        " Please tell me in words what it is about."
    )


def _named(kinds: Iterable[AttachmentKind]) -> str:
    counted = Counter(kinds)
    return ", ".join(
        one if counted[kind] == 1 else f"{counted[kind]} {several}"
        for kind, (one, several) in _NAMES.items()
        if counted[kind]
    )
