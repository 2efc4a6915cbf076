"""The pure cases of every adapter, found by its manifest."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import adapters
from adapters.registry import manifests
from tests.contracts.adapters.pure.cases import Parser, Writer

#: What reads what comes in is named so.
READERS = ("parse*.py", "frames.py", "form.py", "keywords.py", "status.py")


def cases_of(name: str) -> ModuleType:
    """Load an adapter's cases. Raises `ModuleNotFoundError` for an adapter without."""
    return import_module(f"tests.contracts.adapters.pure.{name}")


def parsers() -> dict[str, Parser]:
    """List every parser under its adapter's name and its own."""
    return {f"{each.name}-{one.name}": one for each in manifests() for one in cases_of(each.name).PARSERS}


def writers() -> dict[str, Writer]:
    """List every writer likewise."""
    return {f"{each.name}-{one.name}": one for each in manifests() for one in cases_of(each.name).WRITERS}


def readers_in(name: str) -> set[str]:
    """Name an adapter's modules that read what comes in."""
    (root,) = adapters.__path__
    folder = Path(root) / name
    return {path.stem for pattern in READERS for path in folder.glob(pattern)}
