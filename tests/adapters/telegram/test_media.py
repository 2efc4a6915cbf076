"""Attachments are opened in pieces, within limits, and our token goes to no other host."""

import pytest

from adapters.base import Attachment, AttachmentKind
from adapters.errors import Gone, MediaTooLarge, Rejected
from tests.adapters.telegram.conftest import Subject
from tests.adapters.telegram_bot.files import Upload

JPEG = b"\xff\xd8\xff\xe0" + b"x" * 200_000


async def opened(subject: Subject, attachment: Attachment, most_bytes: int = 1_000_000) -> bytes:
    assert subject.platform.media is not None
    async with subject.platform.media.open_media("bot", attachment, most_bytes=most_bytes) as pieces:
        return b"".join([piece async for piece in pieces])


async def attached(subject: Subject, **how) -> Attachment:
    ann = subject.control.people.user("Ann")
    upload = Upload(**{"body": JPEG, "kind": "photo", "mime": "image/jpeg"} | how)
    subject.control.talk.say(subject.control.people.private(ann), ann, upload=upload)
    async with subject.polling() as sink:
        (event,) = await sink.first()
    return event.attachments[0]


async def test_what_is_said_to_be_too_large_is_not_even_asked_for(subject: Subject) -> None:
    attachment = await attached(subject)
    with pytest.raises(MediaTooLarge):
        await opened(subject, attachment, len(JPEG) - 1)
    assert subject.control.journal.made("getFile") == []


async def test_what_telegram_hands_out_to_nobody_is_too_large(subject: Subject) -> None:
    attachment = await attached(subject, claimed_bytes=20_000_001)
    with pytest.raises(MediaTooLarge):
        await opened(subject, attachment, 30_000_000)


async def test_a_file_that_is_not_there_is_gone(subject: Subject) -> None:
    with pytest.raises(Gone):
        await opened(subject, Attachment(kind=AttachmentKind.PICTURE, ref="no-such-file"))


async def test_a_place_cannot_be_opened(subject: Subject) -> None:
    with pytest.raises(Rejected):
        await opened(subject, Attachment(kind=AttachmentKind.LOCATION, ref=""))
