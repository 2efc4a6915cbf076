"""Every setting of a platform is told on its adapter's page, and no page tells of one that is not there."""

import re
from pathlib import Path
from textwrap import dedent

import pytest

from bot.settings import load_settings
from bot.settings.model import Settings, catalogue

ROOT = Path(__file__).parents[2]
PLATFORMS = ("telegram", "twilio")
_NAME = re.compile(r"`(\w+)`")
_TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)
#: What stands for an id in a page, and one that could be.
_PLACES = {'"AC..."': f'"AC{"0" * 32}"', '"SK..."': f'"SK{"0" * 32}"'}


def page(name: str) -> str:
    return (ROOT / "adapters" / name / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_table_of_settings_has_each_of_them(name: str) -> None:
    _, _, table = page(name).partition(f"| `[{name}]` |")
    rows, _, _ = table.partition("\n\n")
    told = {each for row in rows.splitlines()[2:] for each in _NAME.findall(row.partition(" | ")[0])}
    assert told <= set(Settings.model_fields[name].annotation.model_fields)
    assert set(Settings.model_fields[name].annotation.model_fields) - set(_NAME.findall(rows)) == set()


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_variable_a_page_names_is_one(name: str) -> None:
    known = {one.variable for one in catalogue()}
    known |= {f"{one.variable}_FILE" for one in catalogue() if one.secret}
    named = set(re.findall(r"\bASIDE_\w+", page(name) + (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named
    assert named - known == set()


@pytest.mark.parametrize("name", ["twilio", ""], ids=["twilio", "README"])
def test_what_a_page_shows_of_the_settings_file_is_accepted(name: str, tmp_path: Path) -> None:
    text = page(name) if name else (ROOT / "README.md").read_text(encoding="utf-8")
    every = [_as_written(shown, name) for shown in _TOML.findall(text)]
    assert every
    for number, written in enumerate(every):
        (file := tmp_path / f"{number}.toml").write_text(written, encoding="utf-8")
        load_settings(config=file, environ={})


def _as_written(shown: str, section: str) -> str:
    """Fill in what a page leaves open."""
    written = dedent(shown)
    for place, told in _PLACES.items():
        written = written.replace(place, told)
    return written if written.startswith("[") else f"[{section}]\n{written}"
