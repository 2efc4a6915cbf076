"""The `aside` command as a person meets it: clear sentences, exit statuses, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.commands.doctor import verdict
from bot.commands.registry import COMMANDS
from bot.commands.status import render
from bot.doctor.finding import fail, ok, warn


def aside(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ASIDE_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**clean, **environ},
        timeout=60,
        check=False,
    )


def test_settings_lists_every_setting_with_its_source(tmp_path):
    (tmp_path / "aside.toml").write_text("[worker]\nslots = 3\n")
    shown = aside("settings", cwd=tmp_path, ASIDE_ENGINE_API_KEY="hunter2")
    rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in shown.stdout.splitlines()}
    assert (shown.returncode, shown.stderr) == (0, "")
    assert rows["worker.slots"].split(maxsplit=1) == ["3", f"{tmp_path / 'aside.toml'}: [worker] slots"]
    assert rows["engine.api_key"].split(maxsplit=1) == [
        "********",
        "environment variable ASIDE_ENGINE_API_KEY",
    ]
    assert "hunter2" not in shown.stdout


def test_the_data_directory_can_be_given_after_the_command(tmp_path):
    shown = aside("settings", "--data-dir", "here", cwd=tmp_path)
    assert shown.stdout.splitlines()[0].split(maxsplit=1)[1].split("  ")[0] == str(tmp_path / "here")
    assert shown.stdout.splitlines()[0].endswith("option --data-dir")


@pytest.mark.parametrize(
    "command", ["settings", "migrate", "status", "doctor", "up", "worker", "gateway", "engine"]
)
def test_a_wrong_setting_stops_every_command_with_one_sentence(tmp_path, command):
    stopped = aside(command, cwd=tmp_path, ASIDE_WORKER_SLOTS="many")
    assert (stopped.returncode, stopped.stdout) == (2, "")
    assert stopped.stderr == (
        "aside: worker.slots is 'many' (environment variable ASIDE_WORKER_SLOTS), "
        "but must be a whole number from 1 to 1024.\n"
    )


def test_several_wrong_settings_are_listed(tmp_path):
    stopped = aside("settings", cwd=tmp_path, ASIDE_WORKER_SLOTS="many", ASIDE_WORKERS="3")
    assert stopped.returncode == 2
    assert stopped.stderr.splitlines()[0] == "aside: 2 things are wrong:"
    assert len(stopped.stderr.splitlines()) == 3


def test_a_settings_file_that_is_missing_is_named(tmp_path):
    stopped = aside("settings", "--config", "none.toml", cwd=tmp_path)
    assert stopped.returncode == 2
    assert (
        stopped.stderr
        == f"aside: The settings file {tmp_path / 'none.toml'} cannot be read: No such file or directory.\n"
    )


def test_an_unusable_data_directory_is_one_sentence(tmp_path):
    (tmp_path / "data").write_text("")
    stopped = aside("migrate", "--data-dir", "data", cwd=tmp_path)
    assert stopped.returncode == 1
    assert stopped.stderr.startswith(f"aside: The data directory {tmp_path / 'data'} cannot be used")
    assert "Traceback" not in stopped.stderr


def test_migrate_makes_the_database_and_may_be_repeated(tmp_path):
    first, second = (aside("migrate", cwd=tmp_path) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert (tmp_path / "var" / "db" / "aside.sqlite").stat().st_mode & 0o777 == 0o600


def test_status_says_when_nothing_runs(tmp_path):
    # Port 1 is reserved; nothing of ours ever listens there.
    answer = aside("status", cwd=tmp_path, ASIDE_GATEWAY_PORT="1")
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout.startswith("Aside is not running: nothing answers at http://127.0.0.1:1/status.")


def test_doctor_fails_where_something_is_missing(tmp_path):
    answer = aside("doctor", cwd=tmp_path)
    lines = answer.stdout.splitlines()
    assert answer.returncode == 1, answer.stderr
    assert any(line.startswith("fail  engine       its environment is missing") for line in lines)
    assert lines[-1].endswith("checks failed: mend them, then run `aside doctor` again.")


def test_an_unknown_command_is_refused_with_the_list(tmp_path):
    refused = aside("fly", cwd=tmp_path)
    assert refused.returncode == 2
    assert "invalid choice: 'fly'" in refused.stderr


def test_output_that_nobody_reads_is_no_traceback(tmp_path):
    command = [sys.executable, "-m", "bot", "settings"]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        piped = subprocess.run(
            command, stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path, timeout=60, check=False
        )
    finally:
        os.close(writer)
    assert piped.stderr == b""


def test_every_command_has_a_name_of_its_own_and_a_summary():
    names = [command.name for command in COMMANDS]
    assert len(names) == 17
    assert len(set(names)) == len(names)
    assert all(command.summary for command in COMMANDS)


def test_a_status_is_put_into_lines_for_a_person():
    body = {
        "waiting": 3,
        "oldest_s": 130.0,
        "running": 8,
        "done": 41,
        "dead": 1,
        "engine": {"state": "ready", "model": "embedded", "detail": ""},
        "adapters": {"terminal": "connected"},
    }
    assert render(body).splitlines() == [
        "engine    ready · embedded",
        "waiting   3 (the oldest for 2 min)",
        "running   8",
        "done      41",
        "dead      1 (given up: see `aside dead list`)",
        "adapters  terminal connected",
    ]


def test_what_the_cache_saves_is_told_where_it_is_known():
    body = {"waiting": 0, "cached_share": 0.9384}
    assert "cached    93.8% of the prompts' tokens since the start" in render(body).splitlines()


def test_what_is_counted_only_so_far_is_said_to_be_more():
    body = {"waiting": 0, "done": 10_000, "dead": 9_999, "most_counted": 10_000}
    assert "done      10000 or more" in render(body).splitlines()
    assert "dead      9999 (given up: see `aside dead list`)" in render(body).splitlines()


@pytest.mark.parametrize(
    ("findings", "sentence"),
    [
        pytest.param([ok("a", "b")], "Everything Aside needs is here.", id="all well"),
        pytest.param(
            [ok("a", "b"), warn("c", "d", "e")],
            "Everything Aside needs is here; 1 to know about.",
            id="a warning",
        ),
        pytest.param(
            [fail("a", "b", "c"), ok("a", "b")],
            "1 of 2 checks failed: mend them, then run `aside doctor` again.",
            id="a failure",
        ),
    ],
)
def test_the_doctor_sums_up(findings, sentence):
    assert verdict(findings) == sentence
