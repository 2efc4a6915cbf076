"""The data directory is made for its owner alone, or the reason why not is said."""

import stat
from pathlib import Path

import pytest

from bot.errors import StartupError
from bot.settings import DataDirectory


def test_everything_is_made_for_the_owner_alone_and_again_without_harm(tmp_path):
    data = DataDirectory(tmp_path / "a" / "data")
    data.create()
    data.create()
    private = (data.root, data.run, data.logs, data.keys, data.valkey, data.database.parent, data.models)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in private} == {0o700}


def test_a_directory_that_was_open_to_others_is_closed(tmp_path):
    data = DataDirectory(tmp_path)
    data.keys.mkdir(mode=0o755)
    data.create()
    assert stat.S_IMODE(data.keys.stat().st_mode) == 0o700


def test_a_file_in_its_place_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(
        StartupError, match=r"cannot be used: .* choose another with --data-dir or ASIDE_DATA_DIR"
    ):
        DataDirectory(tmp_path / "data").create()


def test_a_path_too_long_for_sockets_is_an_error():
    with pytest.raises(StartupError, match="too long a path"):
        DataDirectory(Path("/nowhere") / ("x" * 100)).create()
