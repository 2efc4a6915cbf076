"""Where the embedded Valkey's socket goes, and what its configuration says."""

import os
from pathlib import Path

import pytest

from bot.errors import StartupError
from bot.servers.valkey_config import valkey_config
from bot.servers.valkey_paths import make_private_directory, socket_path, valkey_binary

TEMPORARY = Path("/tmp")  # noqa: S108 - a name only


def test_the_socket_is_in_the_data_directory():
    assert socket_path(Path("/var/aside"), TEMPORARY) == Path("/var/aside/valkey.sock")


@pytest.mark.parametrize(
    ("length", "near"),
    [pytest.param(100, True, id="at the limit"), pytest.param(101, False, id="above it")],
)
def test_a_path_above_the_limit_of_a_socket_goes_below_the_temporary_directory(length, near):
    directory = Path("/" + "d" * (length - len("//valkey.sock")))
    found = socket_path(directory, TEMPORARY)
    assert (found.parent == directory) == near
    assert near or found.parent.parent == TEMPORARY
    assert len(os.fsencode(found)) <= 100


def test_the_limit_counts_bytes_not_letters():
    assert socket_path(Path("/" + "ü" * 50), TEMPORARY).parent.parent == TEMPORARY


def test_two_long_directories_do_not_share_a_socket():
    one, two = (socket_path(Path(f"/{'d' * 120}/{name}"), TEMPORARY) for name in "ab")
    assert one != two
    assert one == socket_path(Path(f"/{'d' * 120}/a"), TEMPORARY)


def test_a_private_directory_is_made_once_and_found_again(tmp_path):
    for _ in range(2):
        make_private_directory(tmp_path / "ours")
    assert (tmp_path / "ours").stat().st_mode & 0o777 == 0o700


def test_a_directory_that_others_may_enter_is_refused(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(StartupError, match="only this user"):
        make_private_directory(tmp_path / "open")


def test_a_link_in_place_of_the_private_directory_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StartupError, match="only this user"):
        make_private_directory(tmp_path / "link")


def test_the_configuration_names_every_promise():
    lines = valkey_config(data=Path("/d/a b"), socket=Path('/d/"s"')).splitlines()
    assert 'dir "/d/a b"' in lines
    assert 'unixsocket "/d/\\"s\\""' in lines
    for promise in ("port 0", "appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"):
        assert promise in lines


def test_a_path_that_would_break_a_line_is_refused():
    with pytest.raises(ValueError, match="control characters"):
        valkey_config(data=Path("/d/a\nport 6379"), socket=Path("/s"))


def test_an_unknown_machine_is_told_what_to_set(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "vax")
    with pytest.raises(StartupError, match="ASIDE_REDIS_URL"):
        valkey_binary()
