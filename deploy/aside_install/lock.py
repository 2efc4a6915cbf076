"""A lock file: pinned packages with their hashes, as `uv pip compile --generate-hashes` writes them."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*==")


@dataclass(frozen=True, slots=True)
class Lock:
    """The text of a lock file."""

    text: str

    @classmethod
    def read(cls, path: Path) -> "Lock":
        """Read a lock file."""
        return cls(path.read_text(encoding="utf-8"))

    @property
    def sha256(self) -> str:
        """Name this very lock."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def count(self) -> int:
        """How many packages it pins."""
        return len(self.pins())

    def pins(self) -> list[str]:
        """List its entries: a pinned version with the hashes that follow it."""
        entries: list[list[str]] = []
        for line in self.text.splitlines():
            if _PIN.match(line):
                entries.append([line])
            elif entries and line.startswith("    --hash="):
                entries[-1].append(line)
        return ["\n".join(entry) for entry in entries]

    def only(self, package: str) -> str:
        """Cut out one package's entry, as a lock of its own; an empty text where it is not pinned."""
        return next((pin + "\n" for pin in self.pins() if pin.startswith(f"{package}==")), "")
