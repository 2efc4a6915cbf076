"""Files that people send: an id for each, an address for a while, and their bytes."""

import hashlib
from dataclasses import dataclass
from typing import Any

from tests.adapters.telegram_bot.clock import VirtualClock
from tests.adapters.telegram_bot.refusals import bad_request
from tests.adapters.telegram_bot.rules import Rules
from tests.adapters.telegram_bot.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as somebody sends it."""

    body: bytes
    #: Which field of a message it is in: photo, document, voice, audio, video, animation, sticker.
    kind: str = "document"
    name: str = "file.bin"
    #: What the sender's app says it is, true or not.
    mime: str = "application/octet-stream"
    #: What the message says its size is, true or not; None is its size.
    claimed_bytes: int | None = None


class Files:
    """Keeps files and hands them out."""

    def __init__(self, store: Store, rules: Rules, clock: VirtualClock) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._known = {doc["file_id"]: doc for doc in store.read("file")}
        self._links: dict[str, tuple[str, float]] = {}

    def add(self, upload: Upload) -> dict[str, Any]:
        """Keep a file; return the fields that it gives to a message."""
        unique = hashlib.sha256(upload.body + upload.name.encode()).hexdigest()[:15]
        number = len(self._known) + 1
        # Ids of one file differ from message to message; only the unique one stays the same.
        wire: dict[str, Any] = {"file_id": f"AgACAgIAA{number:06d}-{unique}", "file_unique_id": unique}
        wire["file_size"] = len(upload.body) if upload.claimed_bytes is None else upload.claimed_bytes
        self._store.put_file(wire["file_id"], upload.body)
        self._known[wire["file_id"]] = wire | {"kind": upload.kind, "name": upload.name}
        self._store.put("file", wire["file_id"], self._known[wire["file_id"]])
        return _fields(upload, wire)

    def get(self, params: dict[str, Any]) -> dict[str, Any]:
        """Give a file an address for an hour."""
        known = self._known.get(params["file_id"])
        if known is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if known["file_size"] > self._rules.download_bytes:
            raise bad_request("file is too big")
        path = f"{known['kind']}s/file_{list(self._known).index(params['file_id'])}"
        self._links[path] = (params["file_id"], self._clock.now() + self._rules.file_s)
        shown = ("file_id", "file_unique_id", "file_size")
        return {name: known[name] for name in shown} | {"file_path": path}

    def body(self, path: str) -> bytes | None:
        """Read what stands at an address, while it does."""
        file_id, until = self._links.get(path, ("", 0.0))
        return self._store.file(file_id) if until > self._clock.now() else None


def _fields(upload: Upload, wire: dict[str, Any]) -> dict[str, Any]:
    if upload.kind == "photo":
        small = wire | {"file_id": wire["file_id"] + "-s", "file_unique_id": wire["file_unique_id"] + "s"}
        sizes = [
            small | {"width": 90, "height": 60, "file_size": 1200},
            wire | {"width": 1280, "height": 853},
        ]
        return {"photo": sizes}
    if upload.kind == "voice":
        return {"voice": wire | {"duration": 3, "mime_type": upload.mime}}
    if upload.kind in ("video", "animation"):
        size = {
            "width": 320,
            "height": 240,
            "duration": 3,
            "mime_type": upload.mime,
            "file_name": upload.name,
        }
        return {upload.kind: wire | size}
    if upload.kind == "audio":
        return {"audio": wire | {"duration": 3, "mime_type": upload.mime, "file_name": upload.name}}
    return {"document": wire | {"mime_type": upload.mime, "file_name": upload.name}}
