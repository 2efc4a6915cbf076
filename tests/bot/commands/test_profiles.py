"""Choosing an engine on the command line: the list of profiles, the printed command, and what stops a start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.commands.engine import for_shell
from bot.commands.profiles import describe
from bot.launching import plan_launch
from bot.settings import load_settings
from engine.profile import Profile

WITNESS = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


def world(**environ: str) -> dict[str, str]:
    """An environment without settings of our own and without a GPU."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ASIDE_")}
    return {**clean, "PATH": "/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": "", **environ}


def aside(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in that world."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=world(**environ),
        timeout=60,
        check=False,
    )


def test_profiles_lists_every_profile_and_marks_the_one_that_is_set(tmp_path: Path) -> None:
    shown = aside("profiles", cwd=tmp_path, ASIDE_ENGINE_PROFILE="scout-2xh100")
    assert (shown.returncode, shown.stderr) == (0, "")
    heads = [line for line in shown.stdout.splitlines() if line and not line.startswith(" ")]
    names = [profile.name for profile in Profile.all_bundled()]
    assert heads[: len(names)] == [
        "scout-2xh100  (set now)" if name == "scout-2xh100" else name for name in names
    ]


def test_none_is_marked_where_the_engine_runs_elsewhere(tmp_path: Path) -> None:
    shown = aside("profiles", cwd=tmp_path, ASIDE_ENGINE_URL="http://gpu:8000")
    assert "(set now)" not in shown.stdout


def test_a_profile_is_described_with_its_terms_and_the_way_to_its_model() -> None:
    assert describe(Profile.bundled("llama-70b-4x80gb"), width=200).splitlines() == [
        "llama-70b-4x80gb",
        "  for       Llama 3.3 70B, dense and text only, on four GPUs, A100 too: about a hundred warm chats",
        "  hardware  four GPUs of 80 GB (A100, H100 or newer)",
        "  model     meta-llama/Llama-3.3-70B-Instruct",
        '  licence   Llama 3.3 Community License: show "Built with Llama".',
        (
            "  access    gated: accept its terms at https://huggingface.co/meta-llama/Llama-3.3-70B-Instruct, "
            "then download it"
        ),
    ]


def test_the_embedded_profile_has_nothing_to_download() -> None:
    lines = describe(Profile.bundled("embedded"), width=200).splitlines()
    assert "  model     made here, once, by `make run`" in lines
    assert not any(line.startswith("  access") for line in lines)


@pytest.mark.parametrize("width", [20, 60, 110])
def test_no_line_is_wider_than_the_terminal_but_for_a_word_that_is(width: int) -> None:
    for profile in Profile.all_bundled():
        for line in describe(profile, width=width).splitlines()[1:]:
            assert len(line) <= max(width, 24) or len(line.split()) <= 2


def test_the_printed_command_runs_in_a_shell_as_exactly_what_would_be_started(tmp_path: Path) -> None:
    """An interpreter that only tells what it was given stands in for vLLM's."""
    witness = tmp_path / "a python"
    witness.write_text(f"#!{sys.executable} -I\n{WITNESS}\n")
    witness.chmod(0o755)
    named = {"ASIDE_ENGINE_PYTHON": str(witness)}
    environ = {"VLLM_LOGGING_LEVEL": "it's $HOME", "VLLM_API_KEY": "hunter2"}
    printed = aside("engine", "--profile", "maverick-8xh200", "--print", cwd=tmp_path, **environ, **named)
    assert (printed.returncode, printed.stderr) == (0, "")
    ran = subprocess.run(["sh", "-c", printed.stdout], capture_output=True, text=True, timeout=60, check=True)
    arguments, environment = json.loads(ran.stdout)
    options = {"data_dir": str(tmp_path / "var"), "engine.profile": "maverick-8xh200"}
    launch = plan_launch(load_settings(options, environ=named).settings)
    assert (str(witness), *arguments) == launch.argv()
    # Python itself sets LC_CTYPE where no language is set.
    assert {"LC_CTYPE": ""} | environment == {"LC_CTYPE": environment.get("LC_CTYPE", "")} | (
        launch.environment(world(**environ))
    )
    assert environment["VLLM_LOGGING_LEVEL"] == "it's $HOME"
    assert "hunter2" not in printed.stdout


def test_printing_makes_nothing(tmp_path: Path) -> None:
    assert aside("engine", "--print", cwd=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_an_argument_stands_in_one_line_with_its_value() -> None:
    text = for_shell({"B": "x y", "A": "1"}, ("python", "-m", "it", "--one", "a b", "--two"))
    assert text == "env -i \\\n  A=1 \\\n  'B=x y' \\\n  python -m it \\\n  --one 'a b' \\\n  --two"


def test_another_model_is_printed_in_place_of_the_profiles(tmp_path: Path) -> None:
    printed = aside(
        "engine", "--profile", "scout-2xh100", "--model", "somebody/Else", "--print", cwd=tmp_path
    )
    assert "  --model somebody/Else \\\n" in printed.stdout
    assert "Scout" not in printed.stdout


@pytest.mark.parametrize("command", ["up", "engine"])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--profile", "scout-1xh200"], "aside: the profile scout-1xh200 needs one H200 (141 GB), and what"),
        (["--profile", "huge"], "aside: engine.profile: there is no profile 'huge'; there are: embedded,"),
        (["--model", "/none"], "aside: engine.weights (--model): there is no folder /none\n"),
        (["--model", "a/b"], "aside: engine.weights (--model) is 'a/b': there is no such folder, and"),
    ],
    ids=["no GPU", "no such profile", "no such folder", "an id on the processor"],
)
def test_what_cannot_be_started_is_one_sentence_before_anything_is(
    tmp_path: Path, command: str, options: list[str], sentence: str
) -> None:
    stopped = aside(command, *options, cwd=tmp_path)
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert stopped.stderr.startswith(sentence)
    assert len(stopped.stderr.splitlines()) == 1
    assert list((tmp_path / "var" / "valkey").iterdir()) == []
    assert list((tmp_path / "var" / "db").iterdir()) == []


@pytest.mark.parametrize("option", ["--profile", "--model"])
def test_an_engine_here_and_one_elsewhere_are_not_chosen_between_in_silence(
    tmp_path: Path, option: str
) -> None:
    stopped = aside("up", option, "embedded", cwd=tmp_path, ASIDE_ENGINE_URL="http://gpu:8000")
    assert stopped.returncode == 2
    assert stopped.stderr == (
        f"aside: {option} starts an engine here, but engine.url (environment variable ASIDE_ENGINE_URL) names "
        "one that runs elsewhere: give one of the two.\n"
    )


def test_an_empty_profile_is_a_wrong_setting_named_by_its_option(tmp_path: Path) -> None:
    stopped = aside("up", "--profile", "", cwd=tmp_path)
    assert stopped.returncode == 2
    assert stopped.stderr == (
        "aside: engine.profile is '' (option --profile), but must be a text of 1 to 200 characters.\n"
    )
