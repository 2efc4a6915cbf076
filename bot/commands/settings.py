"""`aside settings`: every setting as it holds now, and where it came from."""

from argparse import Namespace

from bot.commands.base import Command
from bot.settings import Effective, LoadedSettings


def _run(_: Namespace, loaded: LoadedSettings) -> int:
    rows = loaded.effective()
    name_width = max(len(row.name) for row in rows)
    value_width = min(40, max(len(row.shown) for row in rows))
    for row in rows:
        print(_line(row, name_width, value_width))
    return 0


def _line(row: Effective, name_width: int, value_width: int) -> str:
    return f"{row.name:<{name_width}}  {row.shown:<{value_width}}  {row.source}"


SETTINGS = Command(name="settings", summary="list every setting, its value and where it came from", run=_run)
