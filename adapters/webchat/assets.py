"""The page's files: read once, compressed once, named by what they hold so that browsers keep them for good."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "static"
SHELL = Path(__file__).parent / "shell.html"
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_FOR_GOOD = "public, max-age=31536000, immutable"
#: Smaller files gain nothing by compression.
_WORTH_BYTES = 256


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    content_type: str
    plain: bytes
    zipped: bytes | None


class Assets:
    """All files below a folder, under one hash of all of them: modules that belong together are never mixed."""

    def __init__(self, files: Mapping[str, Asset], version: str) -> None:
        self._files = files
        self.version = version

    @property
    def root(self) -> str:
        """Where they are, without a slash at the end."""
        return f"/static/{self.version}"

    @classmethod
    def load(cls, folder: Path = FOLDER, shell: Path = SHELL) -> "Assets":
        """Read and compress every file."""
        paths = {
            path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
        }
        digest = hashlib.sha256(shell.read_bytes())
        files: dict[str, Asset] = {}
        for name, path in paths.items():
            body = path.read_bytes()
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
            files[name] = _asset(path, body)
        return cls(files, digest.hexdigest()[:16])

    def answer(self, request: web.Request) -> web.Response:
        """Answer with a file; one of another version is not there, so that no page gets halves of two."""
        asset = self._files.get(request.match_info["name"])
        if asset is None or request.match_info["version"] != self.version:
            raise web.HTTPNotFound
        headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
        body = asset.plain
        if asset.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = asset.zipped
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, content_type=asset.content_type, charset="utf-8", headers=headers)


def _asset(path: Path, body: bytes) -> Asset:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    zipped = gzip.compress(body, 9, mtime=0) if len(body) >= _WORTH_BYTES else None
    return Asset(kind, body, zipped if zipped and len(zipped) < len(body) else None)
