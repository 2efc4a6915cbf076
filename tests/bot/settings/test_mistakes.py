"""Every mistake in the settings is a sentence that names it, where it stands and what is allowed."""

from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import load_settings
from bot.settings.model import catalogue

ALL = "`aside settings` lists all of them."


def complaint(tmp_path: Path, toml: str = "", environ: dict | None = None) -> str:
    config = tmp_path / "aside.toml"
    config.write_text(toml)
    with pytest.raises(SettingsError) as caught:
        load_settings(config=config, environ=environ or {})
    return str(caught.value).replace(str(tmp_path), "DIR")


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        pytest.param(
            "[engine]\ntemprature = 1\n",
            f"In DIR/aside.toml, engine.temprature is not a setting. Did you mean engine.temperature? {ALL}",
            id="typo in a key",
        ),
        pytest.param(
            "[enginee]\nurl = 'http://h'\n",
            f"In DIR/aside.toml, enginee is not a setting. Did you mean engine? {ALL}",
            id="typo in a table",
        ),
        pytest.param(
            "[engine]\nxyzzy = 1\n",
            f"In DIR/aside.toml, engine.xyzzy is not a setting. {ALL}",
            id="nothing near",
        ),
        pytest.param(
            "worker = 3\n",
            "In DIR/aside.toml, worker is a value, but must be a table: [worker].",
            id="value for a table",
        ),
        pytest.param(
            "[worker]\nslots = 'many'\n",
            "worker.slots is 'many' (DIR/aside.toml: [worker] slots), but must be a whole number from 1 to 1024.",
            id="text for a number",
        ),
        pytest.param(
            "[worker]\nslots = 0\n",
            "worker.slots is 0 (DIR/aside.toml: [worker] slots), but must be a whole number from 1 to 1024.",
            id="too small",
        ),
        pytest.param(
            "[privacy]\nmode = 'recent'\n",
            "privacy.mode is 'recent' (DIR/aside.toml: [privacy] mode), but must be mentions or quoted.",
            id="a mode that only a chat may choose",
        ),
        pytest.param(
            "[turns]\ndeadline_s = nan\n",
            "turns.deadline_s is nan (DIR/aside.toml: [turns] deadline_s), "
            "but must be a number of seconds above 0, at most 86400.",
            id="not a number",
        ),
        pytest.param(
            "[webchat]\npublic_url = 'https://h/chat'\n",
            "webchat.public_url is 'https://h/chat' (DIR/aside.toml: [webchat] public_url), but must be "
            "https://HOST or http://HOST:PORT without a path, or empty where no proxy serves it.",
            id="a path in the page's address",
        ),
        pytest.param(
            "[webchat]\ncreate = 'everybody'\n",
            "webchat.create is 'everybody' (DIR/aside.toml: [webchat] create), "
            "but must be auto, anyone or members.",
            id="none of the choices",
        ),
        pytest.param(
            "[webchat]\nsso_header = 'X User'\n",
            "webchat.sso_header is 'X User' (DIR/aside.toml: [webchat] sso_header), "
            "but must be the name of an HTTP header, such as X-Forwarded-User, or empty.",
            id="no header's name",
        ),
        pytest.param(
            "[persona]\nname = 'the bot'\n",
            "persona.name is 'the bot' (DIR/aside.toml: [persona] name), "
            "but must be 1 to 32 letters, digits, _ or -, without spaces and without @.",
            id="a name nobody can mention",
        ),
        pytest.param(
            "[persona]\naliases = 'bot'\n",
            "persona.aliases is 'bot' (DIR/aside.toml: [persona] aliases), "
            "but must be a list of names, each of 1 to 32 letters, digits, _ or -, without spaces and without @.",
            id="text for a list",
        ),
        pytest.param(
            "[engine]\napi_key = 7\n",
            "engine.api_key is ******** (DIR/aside.toml: [engine] api_key), but must be a text.",
            id="an ill-typed secret stays secret",
        ),
        pytest.param(
            "[engine]\nurl = 'http://me:hunter2@h'\n",
            "engine.url is ******** (DIR/aside.toml: [engine] url), but must be http://HOST:PORT/v1 or "
            "https://HOST/v1 without a user or password, or empty for the embedded one.",
            id="a password in the engine's URL",
        ),
        pytest.param(
            "[log]\nlevel = 'loud'\n",
            "log.level is 'loud' (DIR/aside.toml: [log] level), but must be debug, info, warning or error.",
            id="not one of a set",
        ),
        pytest.param(
            "[[worker\n",
            "DIR/aside.toml is not valid TOML: Expected ']]' at the end of an array declaration (at line 1, column 9).",
            id="not TOML",
        ),
    ],
)
def test_a_mistake_in_the_file(tmp_path, toml, sentence):
    assert complaint(tmp_path, toml) == sentence


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        pytest.param(
            {"ASIDE_ENGINE_URI": "x"},
            "The environment variable ASIDE_ENGINE_URI is not a setting. "
            f"Did you mean ASIDE_ENGINE_URL? {ALL}",
            id="unknown variable",
        ),
        pytest.param(
            {"ASIDE_PERSONA_NAME_FILE": "/x"},
            "The environment variable ASIDE_PERSONA_NAME_FILE is not a setting. "
            f"Did you mean ASIDE_PERSONA_NAME? {ALL}",
            id="only secrets come from files",
        ),
        pytest.param(
            {"ASIDE_GATEWAY_PORT": "http"},
            "gateway.port is 'http' (environment variable ASIDE_GATEWAY_PORT), "
            "but must be a port from 1 to 65535, or 0 for any free one.",
            id="ill-typed",
        ),
        pytest.param(
            {"ASIDE_DATABASE_URL": "mysql://me:hunter2@h/n"},
            "database.url is ******** (environment variable ASIDE_DATABASE_URL), but must be "
            "postgresql://USER:PASSWORD@HOST/NAME, sqlite:////FILE, or empty for SQLite in the data directory.",
            id="another database",
        ),
        pytest.param(
            {"ASIDE_ENGINE_API_KEY": "a", "ASIDE_ENGINE_API_KEY_FILE": "/b"},
            "Both ASIDE_ENGINE_API_KEY and ASIDE_ENGINE_API_KEY_FILE are set. "
            "Keep one: the value, or the file that holds it.",
            id="a secret by value and by file",
        ),
        pytest.param(
            {"ASIDE_ENGINE_API_KEY_FILE": "/nowhere/key"},
            "The file /nowhere/key, named by ASIDE_ENGINE_API_KEY_FILE, cannot be read: "
            "No such file or directory.",
            id="a secret's file is missing",
        ),
        pytest.param(
            {"ASIDE_REDIS_URL_FILE": "/dev/null"},
            "The file /dev/null, named by ASIDE_REDIS_URL_FILE, is empty; it must hold redis.url.",
            id="a secret's file is empty",
        ),
    ],
)
def test_a_mistake_in_the_environment(tmp_path, environ, sentence):
    assert complaint(tmp_path, environ=environ) == sentence


def test_all_mistakes_are_told_at_once(tmp_path):
    told = complaint(tmp_path, "[worker]\nslots = 0\nslot = 1\n", {"ASIDE_LOG_LEVEL": "loud"})
    assert [line.split(" is ")[0] for line in told.splitlines()] == [
        "In DIR/aside.toml, worker.slot",
        "worker.slots",
        "log.level",
    ]


def test_a_named_file_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match=r"The settings file .*/none\.toml cannot be read: No such file"):
        load_settings(config=tmp_path / "none.toml", environ={})


def test_a_file_that_is_not_text_is_an_error(tmp_path):
    (tmp_path / "aside.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is not valid TOML: it is not UTF-8 text"):
        load_settings(config=tmp_path / "aside.toml", environ={})


def test_every_setting_says_what_is_allowed_and_has_a_variable_of_its_own():
    settings = catalogue()
    assert len(settings) > 25
    assert all(known.allowed for known in settings)
    assert len({known.variable for known in settings}) == len(settings)
