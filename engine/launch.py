"""How to start vLLM here: its Python, a profile, a model, a place to listen, and a folder for what it writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.child import Command
from engine.errors import LaunchError
from engine.gpu_vllm import how_to_make
from engine.listen import Listen
from engine.profile import Device, Profile
from engine.weights import cached, hub_cache, is_hub_id, require_whole

#: What vLLM's processes get of our environment. Everything else, secrets first of all, stays here.
_KEPT = frozenset(
    {
        *("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD"),
        *("HF_HOME", "HF_HUB_CACHE"),
    }
)
_KEPT_PREFIXES = ("CUDA_", "NVIDIA_", "NCCL_", "OMP_", "VLLM_")
#: Also of those: vLLM needs no key to load a model, and our client on its private socket has none.
_SECRET_SUFFIXES = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
#: What never varies: no look-ups, no reports to anyone, no plugins that happen to be installed.
_ALWAYS = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_PLUGINS": ""}
#: Between vLLM's own end of its shutdown timeout and our SIGKILL.
_GRACE_SLACK_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One engine to be started, as often as needed."""

    profile: Profile
    #: The engine environment's interpreter.
    python: Path
    #: The embedded model's folder, for a profile that names no model.
    model_dir: Path | None = None
    listen: Listen
    #: The project's data directory: logs and caches go below it.
    data_dir: Path

    @property
    def log(self) -> Path:
        """The engine's own log file."""
        return self.data_dir / "logs" / "engine.log"

    def command(self, environ: Mapping[str, str]) -> Command:
        """Look whether it can be started, clear the way, and say how; call it before every start.

        Raise `LaunchError` with a sentence that names what is missing.
        """
        self.require_python()
        self.require_model(environ)
        self.listen.make_way()
        return Command(
            name="vLLM",
            argv=self.argv(),
            env=self.environment(environ),
            log=self.log,
            grace_s=self.profile.shutdown_timeout_s + _GRACE_SLACK_S,
        )

    def require_python(self) -> None:
        """Raise `LaunchError`, with how to get it, where there is no interpreter."""
        if self.python.is_file():
            return
        if self.profile.device is Device.CPU:
            raise LaunchError(
                f"the engine environment is missing, there is no {self.python}: run `make setup`, "
                "or set ASIDE_ENGINE_URL to an engine that runs elsewhere"
            )
        raise LaunchError(
            f"the Python environment with vLLM for GPUs is missing, there is no {self.python}: "
            f"{how_to_make(self.python.parents[1])}; or name one with ASIDE_ENGINE_PYTHON, or set "
            "ASIDE_ENGINE_URL to an engine that runs elsewhere"
        )

    def require_model(self, environ: Mapping[str, str]) -> None:
        """Raise `LaunchError`, with how to get it, where the model is not on this machine."""
        if self.model_dir is not None:
            if not (self.model_dir / "config.json").is_file():
                raise LaunchError(
                    f"there is no model in {self.model_dir}: run `make run`, which makes it once"
                )
            return
        model = self.profile.model
        assert model is not None, "a profile that names no model is launched with a folder"
        if is_hub_id(model):
            self._require_download(model, environ)
        else:
            require_whole(Path(model))

    def _require_download(self, model: str, environ: Mapping[str, str]) -> None:
        environment = self.environment(environ)
        cache = hub_cache(environment)
        folder = cached(model, cache)
        if folder is not None:
            require_whole(folder)
            return
        tool = f"HF_HUB_CACHE={cache} {self.python.parent / 'hf'}"
        gate = (
            f"it is gated, so accept its terms at https://huggingface.co/{model} and run "
            f"`{self.python.parent / 'hf'} auth login` first; then "
            if self.profile.gated
            else ""
        )
        raise LaunchError(
            f"the model {model} is not on this machine, there is none in {cache}: {gate}"
            f"`{tool} download {model}` fetches it; or name a folder that holds it with --model "
            "or ASIDE_ENGINE_WEIGHTS"
        )

    def argv(self) -> tuple[str, ...]:
        """Return the command line; `vllm serve` itself fails in the CPU build, which has another name."""
        arguments = self.profile.arguments(model_dir=self.model_dir, listen=self.listen)
        return (str(self.python), "-m", "vllm.entrypoints.openai.api_server", *arguments)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return vLLM's whole environment; its caches are below the data directory unless ours says otherwise."""
        kept = {
            name: value
            for name, value in environ.items()
            if (name in _KEPT or name.startswith(_KEPT_PREFIXES)) and not name.endswith(_SECRET_SUFFIXES)
        }
        cache = self.data_dir / "cache"
        places = {
            "XDG_CACHE_HOME": str(cache),
            "VLLM_CACHE_ROOT": str(cache / "vllm"),
            "VLLM_CONFIG_ROOT": str(cache / "vllm-config"),
            "HF_HOME": str(cache / "huggingface"),
        }
        return {**places, **kept, **self.profile.environment, **_ALWAYS}
