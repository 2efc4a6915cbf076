"""Words that occur nowhere else, each of one chat: wherever one is found, it tells where it came from."""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator

_CANARY = re.compile(r"zq(\d{4})[a-z]\d")
_CANARY_BYTES = re.compile(_CANARY.pattern.encode())
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}")
#: One that is put where nothing may be seen or kept at all.
UNHEARD = "x"


def canary(chat: int, kind: str, number: int = 1) -> str:
    """Make a chat's word of a kind: one letter."""
    return f"zq{chat:04}{kind}{number}"


def canaries_in(text: str) -> list[str]:
    """Return every canary in a text, once each, in order."""
    return list(dict.fromkeys(found[0] for found in _CANARY.finditer(text)))


def chats_in(text: str) -> set[int]:
    """Return the chats whose canaries a text holds."""
    return {int(found[1]) for found in _CANARY.finditer(text)}


def clear_in(files: Iterable[bytes]) -> set[bytes]:
    """Return the canaries that stand in some bytes as they are."""
    return {found[0] for content in files for found in _CANARY_BYTES.finditer(content)}


def decoded(content: bytes) -> Iterator[bytes]:
    """Read what stands in base64 in some bytes, as JSON carries them, wherever it begins."""
    for run in _BASE64.finditer(content):
        for begin in range(4):
            whole = run[0][begin:]
            yield b64decode(whole[: len(whole) // 4 * 4])
