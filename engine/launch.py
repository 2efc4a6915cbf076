"""How to start vLLM here: its Python, a profile, a model, a place to listen, and a folder for what it writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.child import Command
from engine.errors import LaunchError
from engine.listen import Listen
from engine.profile import Profile

#: What vLLM's processes get of our environment. Everything else, secrets first of all, stays here.
_KEPT = frozenset({"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD"})
_KEPT_PREFIXES = ("CUDA_", "NVIDIA_", "NCCL_", "OMP_", "VLLM_")
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
    model_dir: Path
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
        if not self.python.is_file():
            raise LaunchError(
                f"the engine environment is missing, there is no {self.python}: run `make setup`, "
                "or set ASIDE_ENGINE_URL to an engine that runs elsewhere"
            )
        if not (self.model_dir / "config.json").is_file():
            raise LaunchError(f"there is no model in {self.model_dir}: run `make run`, which makes it once")
        self.listen.make_way()
        return Command(
            name="vLLM",
            argv=self.argv(),
            env=self.environment(environ),
            log=self.log,
            grace_s=self.profile.shutdown_timeout_s + _GRACE_SLACK_S,
        )

    def argv(self) -> tuple[str, ...]:
        """Return the command line; `vllm serve` itself fails in the CPU build, which has another name."""
        arguments = self.profile.arguments(model_dir=self.model_dir, listen=self.listen)
        return (str(self.python), "-m", "vllm.entrypoints.openai.api_server", *arguments)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return vLLM's whole environment; its caches are below the data directory unless ours says otherwise."""
        kept = {
            name: value for name, value in environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)
        }
        cache = self.data_dir / "cache"
        places = {
            "XDG_CACHE_HOME": str(cache),
            "VLLM_CACHE_ROOT": str(cache / "vllm"),
            "VLLM_CONFIG_ROOT": str(cache / "vllm-config"),
            "HF_HOME": str(cache / "huggingface"),
        }
        return {**places, **kept, **self.profile.environment, **_ALWAYS}
