"""What people attach is opened in pieces: never more than asked for, never something else, and never with our keys."""

import base64

import pytest

from adapters.base import AttachmentKind
from adapters.errors import AdapterError, MediaMislabelled, MediaTooLarge
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.elsewhere import PNG, noting
from tests.contracts.adapters.harness import File
from tests.contracts.adapters.subjects import having


async def read(harness, media, attachment, most_bytes: int = 1 << 20) -> bytes:
    async with media.open_media(harness.account, attachment, most_bytes=most_bytes) as pieces:
        return b"".join([piece async for piece in pieces])


@having(Ability.MEDIA)
async def test_what_is_attached_is_told_and_nothing_of_it_is_fetched(harness) -> None:
    attachment = await harness.attach(File(body=PNG))
    assert (attachment.mime, attachment.kind in AttachmentKind) == ("image/png", True)
    assert not any(secret in attachment.ref for secret in harness.secrets)


@having(Ability.MEDIA)
async def test_a_file_is_read_whole(harness) -> None:
    attachment = await harness.attach(File(body=PNG))
    assert await read(harness, harness.media, attachment, len(PNG)) == PNG


@having(Ability.MEDIA)
@pytest.mark.parametrize("hides_size", [False, True], ids=["told", "not told"])
async def test_a_file_that_is_too_large_is_given_up(harness, hides_size) -> None:
    attachment = await harness.attach(File(body=PNG, hides_size=hides_size))
    with pytest.raises(MediaTooLarge):
        await read(harness, harness.media, attachment, len(PNG) - 1)


@having(Ability.MEDIA)
@pytest.mark.parametrize(
    "body", [b"<html>" * 20, b"MZ", b"%PDF-1.7 ..........."], ids=["html", "short", "pdf"]
)
async def test_a_file_that_is_something_else_is_refused(harness, body) -> None:
    attachment = await harness.attach(File(body=body))
    with pytest.raises(MediaMislabelled):
        await read(harness, harness.media, attachment)


@having(Ability.MEDIA)
async def test_an_address_that_leads_to_another_host_carries_no_credentials_there(harness) -> None:
    async with (
        noting() as (url, asked),
        harness.led_away(f"{url.replace('127.0.0.1', 'localhost')}/leaked") as (media, attachment),
    ):
        try:
            assert await read(harness, media, attachment) == PNG
        except AdapterError:
            assert asked == []
    for request in asked:
        assert "authorization" not in request.lower()
        assert not any(form in request for secret in harness.secrets for form in forms_of(secret))


def forms_of(secret: str) -> tuple[str, ...]:
    """Write a secret as it may go over the wire."""
    return secret, base64.b64encode(secret.encode()).decode().rstrip("=")
