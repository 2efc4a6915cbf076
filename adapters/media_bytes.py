"""Reading what is attached in pieces: never more than was asked for, and never something else than was said."""

from collections.abc import AsyncIterator
from typing import Final

from adapters.errors import MediaMislabelled, MediaTooLarge

#: How the bytes of each type begin, behind so many that vary; what is not here begins anyhow.
_BEGINNINGS: Final[dict[str, tuple[tuple[int, bytes], ...]]] = {
    "image/jpeg": ((0, b"\xff\xd8\xff"),),
    "image/png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "image/gif": ((0, b"GIF87a"), (0, b"GIF89a")),
    "image/webp": ((8, b"WEBP"),),
    "audio/ogg": ((0, b"OggS"),),
    "audio/mp4": ((4, b"ftyp"),),
    "video/mp4": ((4, b"ftyp"),),
    "video/3gpp": ((4, b"ftyp"),),
    "audio/amr": ((0, b"#!AMR"),),
    "application/pdf": ((0, b"%PDF-"),),
}
#: Enough to see how any of them begins.
_ENOUGH: Final = 16


async def guarded(
    pieces: AsyncIterator[bytes],
    *,
    mime: str | None,
    announced: str | None,
    length: int | None,
    most_bytes: int,
) -> AsyncIterator[bytes]:
    """Pass pieces on as long as all is well.

    `mime` is what the platform told with the message, `announced` and `length` what comes with the bytes. Raises
    `MediaTooLarge` as soon as too much came or is announced, `MediaMislabelled` where the three do not agree.
    """
    if length is not None and length > most_bytes:
        raise MediaTooLarge(f"{length} bytes are announced, more than {most_bytes}")
    _require_same_kind(mime, announced)
    head, came, is_checked = b"", 0, False
    async for piece in pieces:
        came += len(piece)
        if came > most_bytes:
            raise MediaTooLarge(f"more than {most_bytes} bytes came")
        if is_checked:
            yield piece
            continue
        head += piece
        if len(head) >= _ENOUGH:
            require_beginning(head, mime)
            is_checked = True
            yield head
    if not is_checked and head:
        require_beginning(head, mime)
        yield head


def require_beginning(head: bytes, mime: str | None) -> None:
    """Raise `MediaMislabelled` where bytes do not begin as their type does. Pure."""
    beginnings = _BEGINNINGS.get(_bare(mime))
    if beginnings and not any(head[at : at + len(start)] == start for at, start in beginnings):
        raise MediaMislabelled(f"the bytes are no {_bare(mime)}")


def _require_same_kind(mime: str | None, announced: str | None) -> None:
    told, found = _bare(mime).partition("/")[0], _bare(announced).partition("/")[0]
    if (
        told
        and found
        and found != told
        and _bare(announced) not in ("application/octet-stream", "binary/octet-stream")
    ):
        raise MediaMislabelled(f"{_bare(mime)} was told, and {_bare(announced)} came")


def _bare(mime: str | None) -> str:
    return (mime or "").partition(";")[0].strip().lower()
