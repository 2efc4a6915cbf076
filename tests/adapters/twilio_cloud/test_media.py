"""Media are asked for with credentials, and fetched from a CDN that must not see them."""

from http import HTTPStatus

import pytest

from tests.adapters.twilio_cloud.harness import basic
from tests.adapters.twilio_cloud.people import Picture
from tests.adapters.twilio_cloud.shown import Endpoint, Fault

PNG = b"\x89PNG\r\n\x1a\nand more"


def url_of(cloud, **picture) -> str:
    """Let Ann send a picture, and give the URL that the webhook would name."""
    sid = cloud.say("look", pictures=[Picture(data=PNG, **picture)])
    media = cloud.record.bubble(sid).media[0]
    return f"{cloud.url}/2010-04-01/Accounts/{cloud.account.sid}/Messages/{sid}/Media/{media}"


async def redirected(caller, url: str) -> tuple[int, str]:
    async with caller.session.get(url, headers=caller.auth, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "")


async def fetched(caller, url: str, **options) -> tuple[int, bytes, str]:
    async with caller.session.get(url, **options) as answer:
        return answer.status, await answer.read(), answer.content_type


async def test_the_api_leads_to_another_host(cloud, caller):
    status, link = await redirected(caller, url_of(cloud))
    assert status == HTTPStatus.TEMPORARY_REDIRECT
    assert link.startswith(cloud.cdn_url)
    assert cloud.cdn_url.rsplit(":", 1) != cloud.url.rsplit(":", 1)
    assert await fetched(caller, link) == (HTTPStatus.OK, PNG, "image/png")
    assert cloud.violations() == []


@pytest.mark.parametrize("user", ["", "AC" + "0" * 32], ids=["nobody", "a stranger"])
async def test_the_api_wants_credentials(cloud, caller, user):
    headers = basic(user, "secret") if user else {}
    status, _, _ = await fetched(caller, url_of(cloud), headers=headers, allow_redirects=False)
    assert status == HTTPStatus.UNAUTHORIZED


async def test_credentials_at_the_cdn_are_a_violation(cloud, caller):
    _, link = await redirected(caller, url_of(cloud))
    status, data, _ = await fetched(caller, link, headers=caller.auth)
    assert (status, data) == (HTTPStatus.BAD_REQUEST, b"")
    assert cloud.violations() == ["credentials were shown to the CDN"]


async def test_links_end(cloud, caller):
    _, link = await redirected(caller, url_of(cloud))
    cloud.advance(5 * 3600)
    assert (await fetched(caller, link))[0] == HTTPStatus.FORBIDDEN


async def test_a_changed_link_opens_nothing(cloud, caller):
    _, link = await redirected(caller, url_of(cloud))
    assert (await fetched(caller, link + "0"))[0] == HTTPStatus.FORBIDDEN


async def test_media_can_be_deleted(cloud, caller):
    url = url_of(cloud)
    _, link = await redirected(caller, url)
    async with caller.session.delete(url, headers=caller.auth) as answer:
        assert answer.status == HTTPStatus.NO_CONTENT
    assert (await redirected(caller, url))[0] == HTTPStatus.NOT_FOUND
    assert (await fetched(caller, link))[0] == HTTPStatus.NOT_FOUND


async def test_the_cdn_may_call_a_file_something_else(cloud, caller):
    url = url_of(cloud, labelled="text/html")
    _, link = await redirected(caller, url)
    assert (await fetched(caller, link))[2] == "text/html"
    _, described = await caller.get(url + ".json")
    assert described["content_type"] == "image/png"


async def test_a_redirect_may_lead_anywhere(cloud, caller):
    where = "http://169.254.169.254/latest/meta-data"
    assert (await redirected(caller, url_of(cloud, redirect=where)))[1] == where


async def test_a_file_may_come_without_its_length(cloud, caller):
    _, link = await redirected(caller, url_of(cloud, lengthless=True))
    async with caller.session.get(link) as answer:
        assert answer.content_length is None
        assert await answer.read() == PNG


async def test_the_cdn_fails_when_asked_to(cloud, caller):
    _, link = await redirected(caller, url_of(cloud))
    cloud.fault(Fault.UNAVAILABLE, endpoint=Endpoint.CDN)
    assert (await fetched(caller, link))[0] == HTTPStatus.SERVICE_UNAVAILABLE
    assert (await fetched(caller, link))[0] == HTTPStatus.OK
