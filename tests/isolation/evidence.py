"""What a run left behind, everywhere that anything could be: what the judge looks at."""

from dataclasses import dataclass, field
from pathlib import Path

from engine.base import ChatRequest
from tests.isolation.cast import Scene


@dataclass(kw_only=True)
class Evidence:
    """Everything that was seen, sent, told and written; whatever the surface, as it stood there."""

    scenes: tuple[Scene, ...]
    #: The number of each chat, by the core's own id, and of each turn's.
    chat_of: dict[str, int] = field(default_factory=dict)
    turn_of: dict[str, int] = field(default_factory=dict)
    #: What the engine was asked.
    requests: tuple[ChatRequest, ...] = ()
    #: What people see in each chat, with all that stood there before.
    shown: dict[int, list[str]] = field(default_factory=dict)
    #: What must hold no words of anybody, by its name.
    wordless: dict[str, list[bytes]] = field(default_factory=dict)

    def keep(self, surface: str, *found: bytes | str) -> None:
        """Note what stood on a surface that may hold no words."""
        kept = self.wordless.setdefault(surface, [])
        kept += [one.encode("utf-8", "surrogatepass") if isinstance(one, str) else one for one in found]

    def keep_files(self, surface: str, folder: Path, pattern: str) -> None:
        """Note the bytes of files; one that is renamed meanwhile is read under its other name."""
        for path in sorted(folder.glob(pattern)):
            if path.is_file():
                self.keep(surface, path.read_bytes())
