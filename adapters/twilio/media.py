"""Opening what people attach: asked for with our credentials at Twilio, found without any at its CDN.

https://www.twilio.com/docs/messaging/api/media-resource. Twilio answers with a redirect to a signed link on another
host; an Authorization header there would hand our key to whoever that is.
"""

import ipaddress
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from adapters.base import Attachment, AttachmentKind
from adapters.errors import AuthFailed, Gone, Unreachable
from adapters.media_bytes import guarded
from adapters.twilio.refusals import refusal
from adapters.twilio.rest import Rest
from adapters.twilio.settings import TwilioSettings
from adapters.twilio.transport import translated

_API: Final = "https://api.twilio.com"
_PATH: Final = "/2010-04-01/Accounts/{account}/Messages/{message}/Media/{media}"
_REDIRECTS: Final = 3
_PIECE_BYTES: Final = 64 * 1024
_MOVED: Final = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


class TwilioMedia:
    """A `Media` over the REST API."""

    def __init__(self, settings: TwilioSettings, rest: Rest) -> None:
        self._settings = settings
        self._rest = rest

    @asynccontextmanager
    async def open_media(
        self, account: str, attachment: Attachment, *, most_bytes: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open an attachment. Raises an `AdapterError`, also while it is read."""
        url = self._url(attachment)
        async with translated(changes_something=False), self._answered(url) as answer:
            pieces = guarded(
                answer.content.iter_chunked(_PIECE_BYTES),
                mime=attachment.mime,
                announced=answer.content_type,
                length=answer.content_length,
                most_bytes=most_bytes,
            )
            async with aclosing(_translated(pieces)) as read:
                yield read

    def _url(self, attachment: Attachment) -> str:
        message, _, media = attachment.ref.partition("/")
        if attachment.kind is AttachmentKind.LOCATION or not media:
            raise Gone("there is nothing to open")
        base = self._settings.api_base or _API
        return base + _PATH.format(account=self._settings.account_sid, message=message, media=media)

    @asynccontextmanager
    async def _answered(self, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Follow redirects by hand: credentials go with the first request alone."""
        settings = self._settings
        headers = {"Authorization": aiohttp.encode_basic_auth(settings.api_key, settings.api_secret)}
        for _ in range(_REDIRECTS + 1):
            async with self._rest.session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status == HTTPStatus.OK:
                    yield answer
                    return
                if answer.status not in _MOVED:
                    raise _refused(answer.status, is_ours=bool(headers))
                url = self._next(url, answer.headers.get("Location", ""))
                headers = {}
        raise Unreachable(f"an attachment is more than {_REDIRECTS} redirects away")

    def _next(self, url: str, location: str) -> str:
        """Read where a redirect leads. Raises `Unreachable` where nobody outside may be sent."""
        following = urljoin(url, location)
        parts = urlsplit(following)
        is_local_cloud = bool(self._settings.api_base)
        if not location or (not is_local_cloud and (parts.scheme != "https" or _is_inside(parts.hostname))):
            raise Unreachable("an attachment's redirect leads to where nothing may be fetched")
        return following


def _refused(status: int, *, is_ours: bool) -> Exception:
    if not is_ours and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        # The link has run out; our credentials were not asked for there.
        return Gone(f"the attachment's host answered {status}")
    error = refusal(status, None, None)
    return (
        error
        if isinstance(error, AuthFailed | Gone)
        else Unreachable(f"the attachment's host answered {status}")
    )


def _is_inside(host: str | None) -> bool:
    """Tell whether a host names this network rather than the world."""
    try:
        return not ipaddress.ip_address(host or "").is_global
    except ValueError:
        return not host or "." not in host or host.endswith((".local", ".internal", ".localhost"))


async def _translated(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    async with translated(changes_something=False):
        async for piece in pieces:
            yield piece
