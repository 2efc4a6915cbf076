"""Proof that an environment was installed to its end: written last; an interrupted one is made again."""

import hashlib
import json
import os
import sys
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What an environment was made from. Scripts in it name its place, so a moved one is another one."""

    lock_sha256: str
    python: str
    place: str

    def file(self, environment: Path, name: str) -> Path:
        """Tell where a stamp of this name lies."""
        return environment / f".installed-{name}"

    def stands(self, environment: Path, name: str) -> bool:
        """Tell whether exactly this was installed, to its end."""
        try:
            return bool(json.loads(self.file(environment, name).read_text(encoding="utf-8")) == asdict(self))
        except (OSError, ValueError):
            return False

    def write(self, environment: Path, name: str) -> None:
        """Stamp an environment, atomically."""
        draft = environment / f".installed-{name}.draft"
        draft.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        draft.replace(self.file(environment, name))


def stamp_for(lock_sha256: str, environment: Path, python: str) -> Stamp:
    """Make the stamp of a lock in a place, under a Python such as `3.11`."""
    return Stamp(lock_sha256=lock_sha256, python=python, place=str(environment.absolute()))


def project_sha256(root: Path) -> str:
    """Name the project as its installed command knows it: its metadata and its place."""
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    # Settings of linters and tests change nothing that is installed.
    installed = {name: table.get(name) for name in ("project", "build-system")}
    packaging = table.get("tool", {}).get("hatch")
    seen = hashlib.sha256(json.dumps([installed, packaging], sort_keys=True).encode())
    seen.update(os.fsencode(root.absolute()))
    return seen.hexdigest()


def begin(environment: Path) -> None:
    """Note that an installation goes on, and forget what was installed before."""
    environment.mkdir(parents=True, exist_ok=True)
    for stamp in environment.glob(".installed-*"):
        stamp.unlink()
    _unfinished(environment).touch()


def end(environment: Path) -> None:
    """Note that the installation came to its end."""
    _unfinished(environment).unlink(missing_ok=True)


def was_interrupted(environment: Path) -> bool:
    """Tell whether an installation began here and never ended."""
    return _unfinished(environment).exists()


def running_python() -> str:
    """Name the release of the Python that runs the installer: `3.11`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _unfinished(environment: Path) -> Path:
    return environment / ".installing"
