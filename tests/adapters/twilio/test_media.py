"""Opening what people attach: with credentials at Twilio alone, never too much, never something else."""

from contextlib import aclosing
from dataclasses import replace

import pytest

from adapters.base import Attachment, AttachmentKind
from adapters.errors import AuthFailed, Gone, MediaMislabelled, Unreachable
from tests.adapters.twilio.world import TwilioHarness
from tests.adapters.twilio_cloud.account import WHATSAPP_SENDER
from tests.adapters.twilio_cloud.people import Picture

PNG = b"\x89PNG\r\n\x1a\n" + b"." * 200_000


async def opened(twilio: TwilioHarness, picture: Picture, *, most_bytes: int = 1 << 20) -> bytes:
    """Have Ann send a picture, and read it."""
    await twilio.say("look", pictures=[picture])
    return await read(twilio, twilio.sink.events[-1].attachments[0], most_bytes=most_bytes)


async def read(twilio: TwilioHarness, attachment: Attachment, *, most_bytes: int = 1 << 20) -> bytes:
    media = twilio.platform.media
    assert media is not None
    async with media.open_media(WHATSAPP_SENDER, attachment, most_bytes=most_bytes) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_it_is_read_and_no_credential_goes_to_another_host(twilio):
    assert await opened(twilio, Picture(data=PNG)) == PNG
    assert twilio.cloud.violations() == []


async def test_what_comes_under_another_type_than_was_said_is_refused(twilio):
    with pytest.raises(MediaMislabelled):
        await opened(twilio, Picture(data=PNG, labelled="text/html"))


async def test_what_was_deleted_is_gone(twilio):
    await twilio.say("look", pictures=[Picture()])
    attachment = twilio.sink.events[-1].attachments[0]
    twilio.cloud.record.execute("UPDATE media SET deleted = 1")
    with pytest.raises(Gone):
        await read(twilio, attachment)


@pytest.mark.parametrize("ref", ["", "52.5,13.4"], ids=["nothing", "a place"])
async def test_what_has_no_bytes_is_gone(twilio, ref):
    with pytest.raises(Gone):
        await read(twilio, Attachment(kind=AttachmentKind.LOCATION, ref=ref))


async def test_wrong_credentials_are_the_operators(twilio):
    await twilio.say("look", pictures=[Picture()])
    twilio.cloud.account.keys.clear()
    with pytest.raises(AuthFailed):
        await read(twilio, twilio.sink.events[-1].attachments[0])


@pytest.mark.parametrize(
    "where",
    ["http://cdn.example.org/x", "https://127.0.0.1/x", "https://192.168.1.1/x", "https://printer/x", ""],
)
async def test_a_redirect_into_our_own_network_is_not_followed(twilio, where):
    media = twilio.platform.media
    media._settings = replace(twilio.settings, api_base="")
    with pytest.raises(Unreachable):
        media._next("https://api.twilio.com/x", where)


async def test_endless_redirects_end(twilio):
    await twilio.say("look", pictures=[Picture()])
    attachment = twilio.sink.events[-1].attachments[0]
    message, _, media = attachment.ref.partition("/")
    here = (
        f"{twilio.cloud.url}/2010-04-01/Accounts/{twilio.cloud.account.sid}/Messages/{message}/Media/{media}"
    )
    twilio.cloud.record.execute("UPDATE media SET redirect = ?", here)
    with pytest.raises((Unreachable, Gone)):
        await read(twilio, attachment)


@pytest.mark.parametrize("fault", ["lost_response", "server_error"])
async def test_a_cdn_that_breaks_is_unreachable(twilio, fault):
    await twilio.say("look", pictures=[Picture()])
    twilio.cloud.fault(fault, endpoint="cdn")
    with pytest.raises(Unreachable):
        await read(twilio, twilio.sink.events[-1].attachments[0])


async def test_whoever_stops_reading_leaves_nothing_open(twilio):
    await twilio.say("look", pictures=[Picture(data=PNG)])
    media = twilio.platform.media
    async with (
        media.open_media(
            WHATSAPP_SENDER, twilio.sink.events[-1].attachments[0], most_bytes=1 << 20
        ) as pieces,
        aclosing(pieces),
    ):
        async for _ in pieces:
            break
