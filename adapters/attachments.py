"""What is attached to a message: told with the message, opened only when somebody needs it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class AttachmentKind(StrEnum):
    """What it is, as far as the platform says."""

    PICTURE = "picture"
    VOICE = "voice"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One attached thing. What the platform claims of it is a claim: nobody looked inside."""

    kind: AttachmentKind
    #: Opaque, of the adapter's own making; holds no credential.
    ref: str
    mime: str | None = None
    size_bytes: int | None = None
    #: The file's name, where it has one.
    name: str = ""
    #: Until when the platform hands it out; None where it does not say.
    expires_at: datetime | None = None


class Media(Protocol):
    """An adapter that can open what is attached to messages."""

    def open_media(
        self, account: str, attachment: Attachment, *, most_bytes: int
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open an attachment to read it in pieces, within the adapter's own timeout.

        Raises `MediaTooLarge` as soon as more than `most_bytes` came or are announced, `MediaMislabelled` where the
        bytes are not what the platform said, `Gone` where it is no longer there, and any other `AdapterError`. No
        credential of ours goes to another host than the platform's own.
        """
        ...
