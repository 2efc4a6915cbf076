"""What is attached to a message. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.base import Attachment, AttachmentKind
from adapters.telegram.parse_people import Wire, part, words

#: By the field it stands in. An animation comes with a `document` of the same file, so it stands first.
_FILES: Mapping[str, AttachmentKind] = {
    "animation": AttachmentKind.VIDEO,
    "document": AttachmentKind.DOCUMENT,
    "voice": AttachmentKind.VOICE,
    "audio": AttachmentKind.AUDIO,
    "video": AttachmentKind.VIDEO,
    "video_note": AttachmentKind.VIDEO,
    "sticker": AttachmentKind.STICKER,
}
_OTHERS: Mapping[str, AttachmentKind] = {
    "venue": AttachmentKind.LOCATION,
    "location": AttachmentKind.LOCATION,
    "contact": AttachmentKind.CONTACT,
    "poll": AttachmentKind.OTHER,
    "dice": AttachmentKind.OTHER,
    "story": AttachmentKind.OTHER,
    "paid_media": AttachmentKind.OTHER,
}
_FIELDS = frozenset({"photo", *_FILES, *_OTHERS})
#: A photo is always sent as one.
_PHOTO_MIME = "image/jpeg"
_LONGEST_REF = 200


def attachments(message: Wire) -> tuple[Attachment, ...]:
    """List what a message carries: one thing at most, an album being several messages."""
    # Most messages are words alone, and are looked at once.
    return () if _FIELDS.isdisjoint(message) else tuple(_found(message))[:1]


def _found(message: Wire) -> Iterator[Attachment]:
    photo = message.get("photo")
    if isinstance(photo, list) and photo and isinstance(photo[-1], dict):
        # Sizes of one picture, the largest last.
        yield from _file(photo[-1], AttachmentKind.PICTURE, _PHOTO_MIME)
    for name, kind in _FILES.items():
        if (file := part(message, name)) is not None:
            yield from _file(file, kind, words(file.get("mime_type")) or None)
    for name, kind in _OTHERS.items():
        if part(message, name) is not None:
            yield Attachment(kind=kind, ref="")


def _file(file: Mapping[str, Any], kind: AttachmentKind, mime: str | None) -> Iterator[Attachment]:
    ref, size = words(file.get("file_id")), file.get("file_size")
    if 0 < len(ref) <= _LONGEST_REF:
        yield Attachment(
            kind=kind,
            ref=ref,
            mime=mime,
            size_bytes=size if isinstance(size, int) and not isinstance(size, bool) else None,
            name=words(file.get("file_name"))[:200],
        )
