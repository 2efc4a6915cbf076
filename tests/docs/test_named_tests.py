"""What README and docs name as proof is there: every test file, every test in it, and every other path."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "adapters/telegram/README.md",
    "adapters/terminal/README.md",
    "adapters/twilio/README.md",
    "adapters/webchat/README.md",
    "docs/adapters.md",
    "docs/architecture.md",
    "docs/privacy.md",
    "docs/reliability.md",
)
_QUOTED = re.compile(r"`([^`\n]+)`")
_TEST = re.compile(r"(?:(?P<folder>tests/[\w/]*/))?(?P<file>test_\w+\.py)?(?:::(?P<name>test_\w+))?")
_PATH = re.compile(r"(?:tests|bot|adapters|engine|bench|docs|migrations|deploy)/[\w./-]+")


def quoted_in(page: str) -> Iterator[str]:
    return (found[1] for found in _QUOTED.finditer((ROOT / page).read_text(encoding="utf-8")))


@cache
def files() -> dict[str, list[Path]]:
    """Find every test file by its name."""
    found: dict[str, list[Path]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        found.setdefault(path.name, []).append(path)
    return found


@cache
def defined_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


def is_there(named: str) -> bool:
    """Tell whether a quoted test or path exists; anything else is not ours to judge."""
    found = _TEST.fullmatch(named)
    if found and (found["file"] or found["name"]):
        paths = (
            files().get(found["file"], [])
            if found["file"]
            else [one for all_ in files().values() for one in all_]
        )
        paths = [path for path in paths if not found["folder"] or path.parent == ROOT / found["folder"]]
        return any(not found["name"] or found["name"] in defined_in(path) for path in paths)
    return not _PATH.fullmatch(named) or (ROOT / named).exists()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page: str) -> None:
    named = set(quoted_in(page))
    assert named
    assert [one for one in sorted(named) if not is_there(one)] == []


@pytest.mark.parametrize(
    "missing",
    [
        "tests/bot/chat/test_nothing.py",
        "test_nothing.py",
        "test_forgetting.py::test_that_is_not",
        "::test_that_is_not",
        "tests/connected/test_forgetting.py",
        "bot/nothing.py",
    ],
)
def test_what_is_missing_is_found_out(missing: str) -> None:
    assert not is_there(missing)
