"""From settings to the engine that is started here: its profile, its model, its Python, and what is missing."""

import os
from pathlib import Path

from bot.errors import StartupError
from bot.servers.platforms import embedded_servers_run_here
from bot.settings import Settings
from engine.errors import EngineSetupError, ProfileError
from engine.gpu_vllm import require_gpu_vllm
from engine.gpus import list_gpus, require_gpus
from engine.launch import Launch
from engine.listen import Listen
from engine.processor import cpu_flags
from engine.profile import Device, Profile
from engine.weights import is_hub_id, longest_context


def plan_launch(settings: Settings) -> Launch:
    """Say how the engine is started; nothing needs to be here yet. Raise `StartupError` for a wrong profile."""
    try:
        profile = Profile.bundled(settings.engine.profile).on_processor(cpu_flags())
    except ProfileError as exc:
        raise StartupError(f"engine.profile: {exc}") from exc
    data = settings.data
    own_python = data.engine_python if profile.device is Device.CPU else data.gpu_engine_python
    try:
        profile = _loading(profile, settings.engine.weights)
        return Launch(
            profile=profile,
            python=settings.engine.python or own_python,
            model_dir=data.embedded_model if profile.model is None else None,
            listen=Listen.on_socket(data.engine_socket),
            data_dir=data.root,
        )
    except EngineSetupError as exc:
        raise StartupError(str(exc)) from exc


def require_launchable(settings: Settings) -> Launch:
    """Plan the launch and look for everything it needs; raise `StartupError` with what is missing.

    Asks NVIDIA's tool and the engine's interpreter where the profile is for GPUs, which takes a second.
    """
    launch = plan_launch(settings)
    if launch.profile.device is Device.CPU and not embedded_servers_run_here():
        raise StartupError(
            "the embedded engine needs Linux on x86-64 with AVX2: set ASIDE_ENGINE_URL to an OpenAI-compatible "
            "server such as vLLM, and everything else runs here"
        )
    weights = settings.engine.weights
    if weights and not is_hub_id(launch.profile.model or ""):
        _require_model(launch, named=True)
    try:
        if launch.profile.device is Device.GPU:
            require_gpus(launch.profile, list_gpus(os.environ))
        launch.require_python()
        if launch.profile.device is Device.GPU:
            require_gpu_vllm(launch.python)
    except EngineSetupError as exc:
        raise StartupError(str(exc)) from exc
    _require_model(launch, named=bool(weights))
    return launch


def _require_model(launch: Launch, *, named: bool) -> None:
    try:
        launch.require_model(os.environ)
    except EngineSetupError as exc:
        raise StartupError(f"engine.weights (--model): {exc}" if named else str(exc)) from exc


def _loading(profile: Profile, weights: str) -> Profile:
    """Put the model of engine.weights into the profile: a folder where there is one, else a Hugging Face id."""
    if not weights:
        return profile
    folder = Path(weights).expanduser().absolute()
    if folder.is_dir() or not is_hub_id(weights):
        known = (folder / "config.json").is_file()
        return profile.loading(str(folder), longest=longest_context(folder) if known else None)
    if profile.device is Device.CPU:
        raise StartupError(
            f"engine.weights (--model) is {weights!r}: there is no such folder, and a Hugging Face id needs a "
            f"profile for GPUs, which {profile.name} is not; `aside profiles` lists them, and --profile chooses one"
        )
    return profile.loading(weights)
