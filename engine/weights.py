"""Where a model's files are on this machine: in a folder, or in the Hugging Face cache. Nothing is ever fetched."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from engine.errors import LaunchError

_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_INDEX = "model.safetensors.index.json"


def is_hub_id(text: str) -> bool:
    """Tell whether this reads like `organisation/model` at the Hugging Face hub."""
    return _HUB_ID.fullmatch(text) is not None


def hub_cache(environment: Mapping[str, str]) -> Path:
    """Return the hub's cache for a process with this environment, as the huggingface_hub package finds it."""
    if cache := environment.get("HF_HUB_CACHE"):
        return Path(cache)
    home = environment.get("HF_HOME")
    return (Path(home) if home else Path.home() / ".cache" / "huggingface") / "hub"


def cached(model: str, cache: Path) -> Path | None:
    """Find the folder of a hub's model in the cache, or None where it was never downloaded.

    Layout: huggingface.co/docs/huggingface_hub/guides/manage-cache.
    """
    repository = cache / f"models--{model.replace('/', '--')}"
    try:
        commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    folder = repository / "snapshots" / commit
    return folder if folder.is_dir() else None


def require_whole(folder: Path) -> None:
    """Raise `LaunchError` where the folder holds no model, or not all of its files."""
    if not folder.is_dir():
        raise LaunchError(f"there is no folder {folder}")
    if not (folder / "config.json").is_file():
        raise LaunchError(f"there is no model in {folder}: it has no config.json")
    lacking = sorted(name for name in _shards(folder) if not (folder / name).is_file())
    if lacking:
        raise LaunchError(
            f"the model in {folder} is not whole, {len(lacking)} of its files are missing, the first is "
            f"{lacking[0]}: copy or download it again"
        )


def longest_context(folder: Path) -> int | None:
    """Read from its configuration how many tokens a model can take; None where it does not say."""
    config = _table(folder / "config.json")
    inner = config.get("text_config")
    positions = (inner if isinstance(inner, dict) else config).get("max_position_embeddings")
    return positions if isinstance(positions, int) and positions > 0 else None


def _shards(folder: Path) -> set[str]:
    index = folder / _INDEX
    names = _table(index).get("weight_map") if index.is_file() else None
    return {str(name) for name in names.values()} if isinstance(names, dict) else set()


def _table(path: Path) -> dict[str, object]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise LaunchError(f"{path} cannot be read: {exc}") from exc
    return table if isinstance(table, dict) else {}
