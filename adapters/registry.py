"""Which adapters there are: every folder here with a `manifest.toml`."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from adapters.base import Idempotency, SendsFrom

_FOLDER = Path(__file__).parent
_Closed = TypeVar("_Closed", bound=StrEnum)
_KEYS = ("name", "description", "sends_from", "class")


class PlatformClass(StrEnum):
    """What a platform offers against duplicates, in the words of the manifest."""

    A = "A"
    B = "B"
    C = "C"

    @property
    def idempotency(self) -> Idempotency:
        """The same in the contract's words."""
        return {"A": Idempotency.KEYED, "B": Idempotency.READ_BACK, "C": Idempotency.NONE}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an adapter says of itself."""

    name: str
    description: str
    sends_from: SendsFrom
    platform_class: PlatformClass


class ManifestError(Exception):
    """A manifest is missing something or says something unknown; names the file and the key."""


def manifests(folder: Path = _FOLDER) -> tuple[Manifest, ...]:
    """Read every adapter's manifest, by name. Raises `ManifestError`."""
    return tuple(read_manifest(path) for path in sorted(folder.glob("*/manifest.toml")))


def read_manifest(path: Path) -> Manifest:
    """Read one manifest. Raises `ManifestError`."""
    data = _loaded(path)
    name = data["name"]
    if name != path.parent.name:
        raise ManifestError(f"{path}: name is {name!r}, but its folder is {path.parent.name!r}")
    return Manifest(
        name=name,
        description=data["description"],
        sends_from=_member(path, "sends_from", SendsFrom, data),
        platform_class=_member(path, "class", PlatformClass, data),
    )


def _loaded(path: Path) -> dict[str, str]:
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ManifestError(f"{path}: not TOML: {exc}") from exc
    for key in _KEYS:
        if not isinstance(data.get(key), str) or not data[key]:
            raise ManifestError(f"{path}: {key} is missing or not a text")
    if unknown := sorted(set(data) - set(_KEYS)):
        raise ManifestError(f"{path}: {unknown[0]} is not a key of a manifest ({', '.join(_KEYS)})")
    return data


def _member(path: Path, key: str, kind: type[_Closed], data: dict[str, str]) -> _Closed:
    try:
        return kind(data[key])
    except ValueError as exc:
        allowed = ", ".join(member.value for member in kind)
        raise ManifestError(f"{path}: {key} is {data[key]!r}; allowed are {allowed}") from exc
