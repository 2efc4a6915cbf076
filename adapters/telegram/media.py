"""Opening what is attached to messages: `getFile`, then its bytes from the Bot API server and from nowhere else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from adapters.base import Attachment
from adapters.errors import Gone, MediaTooLarge, Rejected
from adapters.media_bytes import guarded
from adapters.telegram.calls import Calls
from adapters.telegram.refusals import Answered, meaning_of, translated
from adapters.telegram.settings import TelegramSettings

_PIECE_BYTES = 64 * 1024


class TelegramMedia:
    """A `Media` by HTTP; connections are open while it is entered."""

    def __init__(self, settings: TelegramSettings, calls: Calls) -> None:
        self._settings = settings
        self._calls = calls
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        """Make the client."""
        settings = self._settings
        # A file's address holds the token: it is followed to no other place.
        self._client = httpx.AsyncClient(
            follow_redirects=False, timeout=httpx.Timeout(settings.call_s, connect=settings.connect_s)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections; safe to repeat."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @asynccontextmanager
    async def open_media(
        self, account: str, attachment: Attachment, *, most_bytes: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open an attachment to read it in pieces."""
        if not attachment.ref:
            raise Rejected("nothing of this attachment can be opened")
        if (attachment.size_bytes or 0) > most_bytes:
            raise MediaTooLarge(f"it is said to have {attachment.size_bytes} bytes")
        path = await self._path(attachment)
        assert self._client is not None, "the adapter's lifetime has not begun"
        url = f"{self._settings.base_file_url}{self._settings.token}/{quote(path)}"
        with translated():
            async with asyncio.timeout(self._settings.media_s), self._client.stream("GET", url) as answer:
                _require_file(answer)
                yield guarded(
                    answer.aiter_bytes(_PIECE_BYTES),
                    mime=attachment.mime,
                    # The server says application/octet-stream of every file.
                    announced=None,
                    length=_length(answer),
                    most_bytes=most_bytes,
                )

    async def _path(self, attachment: Attachment) -> str:
        file: Any = await self._calls("getFile", file_id=attachment.ref)
        path = file.get("file_path") if isinstance(file, dict) else None
        if not isinstance(path, str) or not path:
            raise Gone("Telegram has no such file any more")
        if path.startswith("/"):
            raise Rejected(
                "the Bot API server runs with --local and keeps files on its own disk: run it without that option"
            )
        return path


def _require_file(answer: httpx.Response) -> None:
    """Raise what an answer without a file means; one that leads elsewhere is not followed."""
    if answer.status_code == HTTPStatus.OK:
        return
    if answer.is_redirect:
        raise Rejected("the file's address leads elsewhere, where our token must not go")
    if answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise Gone("the file's address is no longer good")
    raise meaning_of(Answered(answer.status_code, "", {}))


def _length(answer: httpx.Response) -> int | None:
    announced = answer.headers.get("Content-Length", "")
    return int(announced) if announced.isascii() and announced.isdigit() else None
