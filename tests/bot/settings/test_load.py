"""Settings come from four layers and defaults; the first that has one wins, and each knows where it came from."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import LoadedSettings, Settings, load_settings


def load(
    tmp_path: Path, toml: str = "", *, options: dict | None = None, environ: dict | None = None
) -> LoadedSettings:
    config = tmp_path / "aside.toml"
    config.write_text(toml)
    return load_settings(options, config=config, environ=environ or {})


def source(loaded: LoadedSettings, name: str) -> str:
    return next(row.source for row in loaded.effective() if row.name == name)


def shown(loaded: LoadedSettings, name: str) -> str:
    return next(row.shown for row in loaded.effective() if row.name == name)


def test_without_anything_every_setting_has_its_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = load_settings(environ={})
    assert loaded.settings == Settings(data_dir=tmp_path / "var")
    assert {row.source for row in loaded.effective()} == {"default"}


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path):
    toml = 'data_dir = "toml"\n[engine]\nmodel = "toml"\n[worker]\nslots = 2\n'
    environ = {"ASIDE_DATA_DIR": "/environment", "ASIDE_ENGINE_MODEL": "environment"}
    loaded = load(tmp_path, toml, options={"data_dir": "/option"}, environ=environ)
    assert (loaded.settings.data_dir, loaded.settings.engine.model, loaded.settings.worker.slots) == (
        Path("/option"),
        "environment",
        2,
    )
    assert [source(loaded, name) for name in ("data_dir", "engine.model", "worker.slots")] == [
        "option --data-dir",
        "environment variable ASIDE_ENGINE_MODEL",
        f"{tmp_path / 'aside.toml'}: [worker] slots",
    ]


def test_a_secret_file_wins_over_the_settings_file(tmp_path):
    secret = tmp_path / "key"
    secret.write_text("from-file\n")
    loaded = load(
        tmp_path, '[engine]\napi_key = "from-toml"\n', environ={"ASIDE_ENGINE_API_KEY_FILE": str(secret)}
    )
    assert loaded.settings.engine.api_key.get_secret_value() == "from-file"
    assert source(loaded, "engine.api_key") == f"file {secret} named by ASIDE_ENGINE_API_KEY_FILE"


def test_an_environment_variable_wins_over_one_of_several_keys_of_a_table(tmp_path):
    loaded = load(tmp_path, "[turns]\nattempts = 5\ndeadline_s = 60\n", environ={"ASIDE_TURNS_ATTEMPTS": "4"})
    assert (loaded.settings.turns.attempts, loaded.settings.turns.deadline_s) == (4, 60.0)


def test_the_vaults_key_file_is_a_setting_and_not_a_secret_by_file(tmp_path):
    loaded = load(tmp_path, environ={"ASIDE_VAULT_KEY_FILE": "/keys/one"})
    assert loaded.settings.vault_key_file == Path("/keys/one")


def test_lists_in_the_environment_are_separated_by_commas(tmp_path):
    loaded = load(tmp_path, environ={"ASIDE_PERSONA_ALIASES": "bot, helper,"})
    assert loaded.settings.persona.aliases == ("bot", "helper")


def test_an_empty_variable_unsets_what_the_file_sets(tmp_path):
    loaded = load(
        tmp_path,
        '[context]\nbudget_tokens = 4096\n[engine]\nurl = "http://gpu:8000/v1"\n',
        environ={"ASIDE_CONTEXT_BUDGET_TOKENS": "", "ASIDE_ENGINE_URL": ""},
    )
    assert (loaded.settings.context.budget_tokens, loaded.settings.engine.url) == (None, "")


def test_relative_paths_in_the_file_start_at_its_own_directory(tmp_path):
    loaded = load(tmp_path, 'data_dir = "data"\n[vault]\nkey_file = "k/one"\n')
    assert loaded.settings.data_dir == tmp_path / "data"
    assert loaded.settings.vault_key_file == tmp_path / "k" / "one"


def test_relative_paths_on_the_command_line_start_at_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(tmp_path, options={"data_dir": "here"}).settings.data_dir == tmp_path / "here"


def test_the_settings_file_can_be_named_by_the_environment(tmp_path):
    config = tmp_path / "other.toml"
    config.write_text('[log]\nlevel = "debug"\n')
    assert load_settings(environ={"ASIDE_CONFIG": str(config)}).settings.log.level == "debug"


@pytest.mark.parametrize(
    ("written", "used"),
    [
        pytest.param("postgres://u@h/n", "postgresql+asyncpg://u@h/n", id="postgres"),
        pytest.param("postgresql://u@h/n", "postgresql+asyncpg://u@h/n", id="postgresql"),
        pytest.param("sqlite:////data/a.db", "sqlite+aiosqlite:////data/a.db", id="sqlite"),
    ],
)
def test_a_database_url_gets_the_driver_that_is_installed(tmp_path, written, used):
    assert load(tmp_path, environ={"ASIDE_DATABASE_URL": written}).settings.database_url == used


def test_without_a_url_the_database_is_in_the_data_directory(tmp_path):
    settings = Settings(data_dir=tmp_path)
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/db/aside.sqlite"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        pytest.param("ASIDE_ENGINE_API_KEY", "hunter2", "********", id="key"),
        pytest.param(
            "ASIDE_REDIS_URL", "redis://me:hunter2@h:1/0", "redis://********@h:1/0", id="url with password"
        ),
        pytest.param("ASIDE_REDIS_URL", "redis://h:1/0", "redis://h:1/0", id="url without one"),
        pytest.param(
            "ASIDE_DATABASE_URL",
            "postgresql://h/n?password=hunter2",
            "postgresql+asyncpg://h/n",
            id="password in the query",
        ),
    ],
)
def test_secrets_are_shown_masked(tmp_path, variable, value, expected):
    loaded = load(tmp_path, environ={variable: value})
    name = variable.removeprefix("ASIDE_").lower().replace("_", ".", 1)
    assert shown(loaded, name) == expected
    assert "hunter2" not in repr(loaded) + repr(loaded.settings) + str(loaded.settings.model_dump())


def test_settings_cannot_be_changed(tmp_path):
    settings = load(tmp_path).settings
    with pytest.raises(ValidationError, match="frozen"):
        settings.worker.slots = 3


def test_settings_made_in_code_read_nothing_from_the_environment(monkeypatch):
    monkeypatch.setenv("WORKER", '{"slots": 99}')
    monkeypatch.setenv("DATA_DIR", "/elsewhere")
    assert Settings() == Settings.model_construct(**Settings().__dict__)
    assert (Settings().worker.slots, Settings().data_dir) == (8, Path("var"))
