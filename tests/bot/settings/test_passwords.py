"""A server's password may come beside its URL, as a file of its own."""

from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import load_settings
from bot.store.database import parse_url
from bot.store.redis_client import open_redis


@pytest.mark.parametrize(
    ("variable", "url", "used"),
    [
        pytest.param("REDIS", "redis://h:1/0", "redis://:p%40ss%2F%3A@h:1/0", id="redis"),
        pytest.param("REDIS", "rediss://me@h:1/0", "rediss://me:p%40ss%2F%3A@h:1/0", id="redis with a user"),
        pytest.param("REDIS", "unix:///s.sock", "unix://:p%40ss%2F%3A@/s.sock", id="redis by socket"),
        pytest.param(
            "DATABASE", "postgresql://me@h:1/n", "postgresql+asyncpg://me:p%40ss%2F%3A@h:1/n", id="postgresql"
        ),
        pytest.param(
            "DATABASE",
            "postgresql://me@/n?host=/sockets",
            "postgresql+asyncpg://me:p%40ss%2F%3A@/n?host=/sockets",
            id="postgresql by socket",
        ),
    ],
)
def test_a_password_from_a_file_is_put_into_the_url(
    tmp_path: Path, variable: str, url: str, used: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("p@ss/:\n")
    environ = {f"ASIDE_{variable}_URL": url, f"ASIDE_{variable}_PASSWORD_FILE": str(secret)}
    settings = load_settings(environ=environ).settings
    assert (settings.redis_url if variable == "REDIS" else settings.database_url) == used


async def test_the_drivers_read_the_password_that_was_put_in() -> None:
    settings = load_settings(
        environ={
            "ASIDE_REDIS_URL": "unix:///s.sock",
            "ASIDE_REDIS_PASSWORD": "p@ss/:",
            "ASIDE_DATABASE_URL": "postgresql://me@h/n",
            "ASIDE_DATABASE_PASSWORD": "p@ss/:",
        }
    ).settings
    async with open_redis(settings.redis_url) as client:
        options = client.connection_pool.connection_kwargs
    assert (options["password"], options["path"]) == ("p@ss/:", "/s.sock")
    assert parse_url(settings.database_url).password == "p@ss/:"  # noqa: S105 - no real one


def test_without_a_password_the_url_stays_as_it_is() -> None:
    settings = load_settings(environ={"ASIDE_REDIS_URL": "redis://me:secret@h:1/0"}).settings
    assert settings.redis_url == "redis://me:secret@h:1/0"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        pytest.param(
            {"ASIDE_REDIS_PASSWORD": "hunter2"},
            "redis.password is set, but redis.url is not: set the URL, or remove the password.",
            id="no URL",
        ),
        pytest.param(
            {"ASIDE_REDIS_URL": "redis://:hunter1@h/0", "ASIDE_REDIS_PASSWORD": "hunter2"},
            "Both redis.password and a password in redis.url are set. Keep one.",
            id="two passwords",
        ),
        pytest.param(
            {"ASIDE_DATABASE_URL": "sqlite:////d/a.db", "ASIDE_DATABASE_PASSWORD": "hunter2"},
            "database.password is set, but database.url is SQLite, which has none: remove the password.",
            id="SQLite",
        ),
        pytest.param(
            {"ASIDE_DATABASE_URL": "postgresql://h/n", "ASIDE_DATABASE_PASSWORD": "hunter2"},
            "database.password is set, but database.url names no user: write postgresql://USER@HOST/NAME.",
            id="no user",
        ),
    ],
)
def test_a_password_that_fits_nothing_is_a_mistake(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ)
    assert str(caught.value) == sentence


def test_a_password_is_never_shown() -> None:
    loaded = load_settings(environ={"ASIDE_REDIS_URL": "redis://h/0", "ASIDE_REDIS_PASSWORD": "hunter2"})
    assert {row.name: row.shown for row in loaded.effective()}["redis.password"] == "********"
    assert "hunter2" not in repr(loaded)
