"""From settings to an engine that can be started here, or to the sentence that says what is missing."""

import json
import os
from pathlib import Path

import pytest

from bot.doctor.engine import check_engine
from bot.doctor.finding import Level
from bot.engines import require_engine
from bot.errors import StartupError
from bot.launching import plan_launch, require_launchable
from bot.settings import Settings
from bot.settings.sections import EngineSection

H200 = "0, GPU-a, 143771, NVIDIA H200"
SCOUT = "nvidia/Llama-4-Scout-17B-16E-Instruct-FP8"


def settings_in(folder: Path, **engine: object) -> Settings:
    return Settings(data_dir=folder / "var", engine=EngineSection(**engine))


def program(path: Path, body: str) -> Path:
    """Put a script in a program's place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def model_in(folder: Path, **config: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture
def gpu_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with one H200 according to its tool; what else it has is the test's business."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    tools = program(tmp_path / "tools" / "nvidia-smi", f"echo '{H200}'").parent
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def gpu_python(folder: Path) -> Path:
    return program(folder / "var" / "env" / "engine-gpu" / "bin" / "python", "echo 0.32.0")


def download(folder: Path, model: str) -> None:
    """Put a model into the hub's cache below the data directory."""
    repository = folder / "var" / "cache" / "huggingface" / "hub" / f"models--{model.replace('/', '--')}"
    model_in(repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")


def test_without_any_setting_it_is_the_embedded_model_on_the_processor(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    launch = plan_launch(settings)
    assert (launch.profile.name, launch.python, launch.model_dir) == (
        "embedded",
        settings.data.engine_python,
        settings.data.embedded_model,
    )
    assert settings.embedded_model_answers


@pytest.mark.parametrize(
    "engine",
    [{"url": "http://gpu:8000"}, {"weights": "/models/other"}, {"profile": "scout-1xh200"}],
    ids=["elsewhere", "other weights", "other profile"],
)
def test_a_real_model_is_not_called_the_embedded_one(tmp_path: Path, engine: dict[str, str]) -> None:
    assert not settings_in(tmp_path, **engine).embedded_model_answers


def test_a_profile_for_gpus_has_an_environment_of_its_own(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, profile="scout-1xh200")
    launch = plan_launch(settings)
    assert launch.python == tmp_path / "var" / "env" / "engine-gpu" / "bin" / "python"
    assert launch.argv()[launch.argv().index("--model") + 1] == SCOUT


def test_the_interpreter_can_be_named(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, profile="scout-1xh200", python=Path("/opt/vllm/bin/python"))
    assert plan_launch(settings).argv()[0] == "/opt/vllm/bin/python"


def test_a_profile_that_is_none_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(
        StartupError, match=r"engine\.profile: there is no profile 'big'; there are: embedded, "
    ):
        plan_launch(settings_in(tmp_path, profile="big"))


def test_another_folder_takes_the_models_place_with_its_own_name_and_length(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "Tiny-Chat", max_position_embeddings=2048)
    argv = plan_launch(settings_in(tmp_path, weights=str(folder))).argv()
    said = {
        name: argv[argv.index(name) + 1] for name in ("--model", "--served-model-name", "--max-model-len")
    }
    assert said == {"--model": str(folder), "--served-model-name": "Tiny-Chat", "--max-model-len": "2048"}


def test_a_relative_folder_starts_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = model_in(tmp_path / "models" / "tiny")
    monkeypatch.chdir(tmp_path)
    assert plan_launch(settings_in(tmp_path, weights="models/tiny")).profile.model == str(folder)


def test_a_hugging_face_id_goes_with_a_profile_for_gpus(tmp_path: Path) -> None:
    launch = plan_launch(settings_in(tmp_path, profile="scout-2xh100", weights="somebody/Else-7B"))
    assert (launch.profile.model, launch.profile.served_model_name) == ("somebody/Else-7B", "Else-7B")


def test_a_hugging_face_id_on_the_processor_names_both_options(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"engine\.weights \(--model\) is 'a/b': .* --profile chooses one"):
        plan_launch(settings_in(tmp_path, weights="a/b"))


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda folder: None, "there is no folder"),
        (lambda folder: folder.mkdir(), "there is no model in"),
    ],
    ids=["no folder", "no model"],
)
def test_a_folder_without_a_model_names_its_setting_first_of_all(
    tmp_path: Path, prepare: object, sentence: str
) -> None:
    """Also on a machine where everything else is missing as well."""
    prepare(tmp_path / "it")
    with pytest.raises(StartupError, match=rf"engine\.weights \(--model\): {sentence} {tmp_path / 'it'}"):
        require_launchable(settings_in(tmp_path, weights=str(tmp_path / "it")))


def test_a_configuration_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "it")
    (folder / "config.json").write_text("{")
    with pytest.raises(StartupError, match=r"config\.json cannot be read"):
        plan_launch(settings_in(tmp_path, weights=str(folder)))


def test_an_engine_elsewhere_asks_for_nothing_here(tmp_path: Path) -> None:
    require_engine(settings_in(tmp_path, url="http://gpu:8000", profile="scout-1xh200"))


def test_without_a_gpu_the_profile_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartupError, match=r"scout-1xh200 needs one H200 .* no NVIDIA GPU.*ASIDE_ENGINE_URL"):
        require_engine(settings_in(tmp_path, profile="scout-1xh200"))


def test_without_vllm_for_gpus_one_sentence_says_how_to_get_it(gpu_machine: Path) -> None:
    with pytest.raises(StartupError) as refused:
        require_engine(settings_in(gpu_machine, profile="scout-1xh200"))
    environment = gpu_machine / "var" / "env" / "engine-gpu"
    assert str(refused.value) == (
        f"the Python environment with vLLM for GPUs is missing, there is no {environment}/bin/python: "
        f"`python3 -m venv {environment}` and `{environment}/bin/pip install '.[engine-gpu]'` make it; or name "
        "one with ASIDE_ENGINE_PYTHON, or set ASIDE_ENGINE_URL to an engine that runs elsewhere"
    )


def test_a_gated_model_that_was_not_downloaded_says_where_to_agree_and_how_to_get_it(
    gpu_machine: Path,
) -> None:
    python = gpu_python(gpu_machine)
    with pytest.raises(StartupError) as refused:
        require_engine(settings_in(gpu_machine, profile="scout-1xh200"))
    cache = gpu_machine / "var" / "cache" / "huggingface" / "hub"
    hub = python.parent / "hf"
    assert str(refused.value) == (
        f"the model {SCOUT} is not on this machine, there is none in {cache}: it is gated, so accept its terms "
        f"at https://huggingface.co/{SCOUT} and run `{hub} auth login` first; then `HF_HUB_CACHE={cache} {hub} "
        f"download {SCOUT}` fetches it; or name a folder that holds it with --model or ASIDE_ENGINE_WEIGHTS"
    )


def test_a_profile_starts_where_everything_is_here(gpu_machine: Path) -> None:
    gpu_python(gpu_machine)
    download(gpu_machine, SCOUT)
    launch = require_launchable(settings_in(gpu_machine, profile="scout-1xh200"))
    assert launch.command(os.environ).env["HF_HUB_OFFLINE"] == "1"


def test_a_folder_stands_in_for_a_gated_model(gpu_machine: Path) -> None:
    gpu_python(gpu_machine)
    folder = model_in(gpu_machine / "scout", text_config={"max_position_embeddings": 10485760})
    settings = settings_in(gpu_machine, profile="scout-1xh200", weights=str(folder))
    assert require_launchable(settings).profile.max_model_len == 32768


def test_the_doctor_says_what_a_profile_lacks(gpu_machine: Path) -> None:
    finding = check_engine(settings_in(gpu_machine, profile="scout-1xh200"))
    assert finding.level is Level.FAIL
    assert "vLLM for GPUs is missing" in finding.what


def test_the_doctor_is_content_with_a_profile_that_can_start(gpu_machine: Path) -> None:
    gpu_python(gpu_machine)
    download(gpu_machine, SCOUT)
    finding = check_engine(settings_in(gpu_machine, profile="scout-1xh200"))
    assert (finding.level, finding.what) == (Level.OK, f"profile scout-1xh200, {SCOUT}")
