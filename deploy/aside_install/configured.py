"""The two settings that decide what is installed and where, read as `aside` itself reads them."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aside_install.errors import InstallError


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """Where the data directory is, and whether an engine runs elsewhere."""

    data_dir: Path
    engine_url: str


def read_configured(root: Path, data_dir: str | None, environ: Mapping[str, str] | None = None) -> Configured:
    """Read option, environment, `aside.toml`, default. Raises `InstallError` for a broken file."""
    environ = os.environ if environ is None else environ
    config = Path(environ.get("ASIDE_CONFIG") or root / "aside.toml").expanduser()
    table = _table(config)
    engine = table.get("engine")
    from_file = engine.get("url", "") if isinstance(engine, dict) else ""
    return Configured(
        data_dir=_data_dir(data_dir or environ.get("ASIDE_DATA_DIR"), table, config.parent) or root / "var",
        engine_url=str(environ.get("ASIDE_ENGINE_URL", from_file)),
    )


def _data_dir(named: str | None, table: dict[str, Any], folder: Path) -> Path | None:
    if named:
        return Path(named).expanduser().absolute()
    written = table.get("data_dir")
    return (folder / Path(str(written)).expanduser()).absolute() if written else None


def _table(config: Path) -> dict[str, Any]:
    if not config.is_file():
        return {}
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise InstallError(f"{config} cannot be read: {exc}") from exc
