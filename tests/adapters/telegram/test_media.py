"""Attachments are opened in pieces, within limits, and our token goes to no other host."""

import pytest
from aiohttp import web

from adapters.base import Attachment, AttachmentKind
from adapters.errors import AdapterError, Gone, MediaMislabelled, MediaTooLarge, Rejected
from tests.adapters.telegram.conftest import Subject, subject_on
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


async def test_a_picture_is_read_whole(subject: Subject) -> None:
    assert await opened(subject, await attached(subject)) == JPEG


async def test_what_is_said_to_be_too_large_is_not_even_asked_for(subject: Subject) -> None:
    attachment = await attached(subject)
    with pytest.raises(MediaTooLarge):
        await opened(subject, attachment, len(JPEG) - 1)
    assert subject.control.journal.made("getFile") == []


async def test_what_turns_out_too_large_is_given_up(subject: Subject) -> None:
    attachment = await attached(subject, claimed_bytes=10)
    with pytest.raises(MediaTooLarge):
        await opened(subject, attachment, 1000)


async def test_what_telegram_hands_out_to_nobody_is_too_large(subject: Subject) -> None:
    attachment = await attached(subject, claimed_bytes=20_000_001)
    with pytest.raises(MediaTooLarge):
        await opened(subject, attachment, 30_000_000)


async def test_what_is_no_picture_is_mislabelled(subject: Subject) -> None:
    attachment = await attached(subject, body=b"<html>" + b"x" * 100)
    with pytest.raises(MediaMislabelled):
        await opened(subject, attachment)


async def test_a_file_that_is_not_there_is_gone(subject: Subject) -> None:
    with pytest.raises(Gone):
        await opened(subject, Attachment(kind=AttachmentKind.PICTURE, ref="no-such-file"))


async def test_a_place_cannot_be_opened(subject: Subject) -> None:
    with pytest.raises(Rejected):
        await opened(subject, Attachment(kind=AttachmentKind.LOCATION, ref=""))


@pytest.fixture
async def elsewhere():
    """Another host: whatever it is asked for, with which headers."""
    asked: list[str] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(f"{request.path_qs} {dict(request.headers)}")
        return web.Response(body=JPEG)

    async def lead(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"http://localhost:{port}/leaked"})

    app = web.Application()
    app.add_routes([web.get("/leaked", note), web.get("/file/{rest:.*}", lead)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}", asked
    await runner.cleanup()


async def test_an_address_that_leads_elsewhere_is_not_followed(telegram, elsewhere) -> None:
    url, asked = elsewhere
    async with subject_on(telegram, base_file_url=f"{url}/file/bot") as subject:
        attachment = await attached(subject)
        with pytest.raises(AdapterError):
            await opened(subject, attachment)
    assert asked == []
