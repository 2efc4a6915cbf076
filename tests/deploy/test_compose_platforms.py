"""deploy/compose.NAME.yml adds a platform to docker-compose.yml: its secrets as files, and a way out for workers."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from adapters.records_memory import MemoryRecordStore
from bot.additions import Ground
from bot.bootstrap.platforms import built_in
from bot.engine_view import EngineView
from bot.settings import load_settings
from tests.fixtures.clocks import ManualClock
from tests.fixtures.compose import ROOT, ComposeFile

SCHEMA = json.loads((Path(__file__).parent / "schema" / "compose-spec.json").read_text())
ROLES = ("gateway", "worker")
#: What an operator writes into `.env`, and into the files of the secrets.
ENV = {
    "telegram": {},
    "twilio": {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_API_KEY": "SK" + "0" * 32,
        "TWILIO_PUBLIC_URL": "https://bot.example.org",
        "TWILIO_WHATSAPP_FROM": "+14155238886",
        "TWILIO_WHATSAPP_POLICY_ACKNOWLEDGED": "true",
        "TWILIO_COUNTRIES": "+49,DE",
    },
}
SECRETS = {"telegram_token": "123456789:a-token-that-guards-nothing-at-all"}

every_platform = pytest.mark.parametrize("name", ENV)


def added(name: str) -> ComposeFile:
    return ComposeFile.read(ROOT / "deploy" / f"compose.{name}.yml", ENV[name])


def whole(name: str) -> ComposeFile:
    return ComposeFile.read().with_file(added(name))


def test_every_file_beside_the_main_one_is_tested_here() -> None:
    assert {path.name for path in (ROOT / "deploy").glob("compose.*.yml")} == {
        f"compose.{name}.yml" for name in ENV
    }


@every_platform
def test_alone_and_with_the_main_file_it_is_what_the_compose_specification_allows(name: str) -> None:
    for content in (added(name).content, whole(name).content):
        assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(content)] == []


@every_platform
def test_it_changes_the_two_roles_alike_and_nothing_of_how_they_are_guarded(name: str) -> None:
    services = added(name).services
    assert services.keys() == set(ROLES)
    assert services["gateway"] == services["worker"]
    assert services["worker"].keys() == {"environment", "networks", "secrets"}


@every_platform
def test_workers_reach_the_platform_and_nobody_else_gains_a_way_out(name: str) -> None:
    inside = {net for net, how in whole(name).content["networks"].items() if how.get("internal")}
    with_a_way_out = {
        service for service, how in whole(name).services.items() if set(how.get("networks", [])) - inside
    }
    assert with_a_way_out == set(ROLES)


@every_platform
def test_what_is_secret_comes_as_a_file_that_is_mounted_and_beside_the_others(name: str) -> None:
    file = added(name)
    for secret, where in file.content["secrets"].items():
        assert where == {"file": f"./var/secrets/{secret}"}
        assert f"> var/secrets/{secret}" in file.text
    worker = file.services["worker"]
    files = {value for value in worker["environment"].values() if value.startswith("/run/secrets/")}
    assert files == {f"/run/secrets/{secret}" for secret in worker["secrets"]}


@every_platform
def test_with_it_both_roles_have_the_platform(name: str, tmp_path: Path) -> None:
    file = whole(name)
    for role in ROLES:
        environ = dict(file.services[role]["environment"])
        for secret in file.services[role]["secrets"]:
            (tmp_path / secret).write_text(SECRETS.get(secret, f"the {secret}"))
        environ = {key: str(value).replace("/run/secrets", str(tmp_path)) for key, value in environ.items()}
        settings = load_settings(environ=environ).settings
        ground = Ground(clock=ManualClock(), records=lambda _: MemoryRecordStore())
        assert name in built_in(settings, ground, EngineView())


def test_what_must_be_set_is_not_left_empty_in_silence() -> None:
    with pytest.raises(KeyError, match="TWILIO_ACCOUNT_SID"):
        ComposeFile.read(ROOT / "deploy" / "compose.twilio.yml")


@every_platform
def test_what_env_can_hold_is_listed_in_the_first_lines(name: str) -> None:
    file = added(name)
    head = file.text.partition("\nx-")[0]
    assert {variable for variable in file.variables if variable not in head} == set()
    assert set(ENV[name]) <= file.variables
