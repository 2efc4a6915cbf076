"""Reads every layer once and makes the settings, or says everything that is wrong with them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from bot.errors import SettingsError
from bot.settings.layers import (
    CONFIG_VARIABLE,
    CommandLineLayer,
    EnvironmentLayer,
    Layer,
    SecretFileLayer,
    TomlLayer,
)
from bot.settings.model import Known, Settings, catalogue
from bot.settings.passwords import password_complaints

DEFAULT_CONFIG = Path("aside.toml")
DEFAULT_ORIGIN = "default"
HIDDEN = "********"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """One setting as it holds now."""

    name: str
    #: Fit to be printed: secrets are masked.
    shown: str
    #: Where it came from, in words.
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """The settings, and where each came from."""

    settings: Settings
    #: By setting name; what is missing is a default.
    origins: Mapping[str, str]

    def effective(self) -> tuple[Effective, ...]:
        """List every setting with its value, secrets masked, and its source."""
        return tuple(
            Effective(
                name=known.name,
                shown=_shown(known, known.of(self.settings)),
                source=self.origins.get(known.name, DEFAULT_ORIGIN),
            )
            for known in catalogue()
        )


def load_settings(
    options: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> LoadedSettings:
    """Read the settings: command line, environment, secret files, `aside.toml`, defaults; the first wins.

    `options` maps setting names (`"data_dir"`, `"engine.url"`) to the command line's values. `config` is the
    settings file; without it `ASIDE_CONFIG` names it, and without that `aside.toml` is read where it exists.
    Raises `SettingsError` with one sentence a mistake.
    """
    environ = os.environ if environ is None else environ
    known = catalogue()
    layers: list[Layer] = [
        CommandLineLayer(options or {}, known),
        EnvironmentLayer(environ, known),
        SecretFileLayer(environ, known),
    ]
    path = _config_path(config, environ)
    if path is not None:
        layers.append(TomlLayer(path, known))
    return _combine(layers, known)


def _config_path(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    if named is not None:
        return named.expanduser().absolute()
    return DEFAULT_CONFIG.absolute() if DEFAULT_CONFIG.is_file() else None


def _combine(layers: list[Layer], known: tuple[Known, ...]) -> LoadedSettings:
    complaints = [complaint for layer in layers for complaint in layer.complaints]
    origins: dict[str, str] = {}
    for layer in reversed(layers):
        origins.update(layer.origins)
    try:
        # pydantic-settings' own argument, hidden from type checkers by its dataclass-like signature.
        settings = Settings(_build_sources=(tuple(layers), {}))  # type: ignore[call-arg]
    except ValidationError as exc:
        raise SettingsError("\n".join([*complaints, *_sentences(exc, known, origins)])) from exc
    complaints += password_complaints("redis", settings.redis.url, settings.redis.password)
    complaints += password_complaints("database", settings.database.url, settings.database.password)
    if complaints:
        raise SettingsError("\n".join(complaints))
    absolute = settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})
    return LoadedSettings(settings=absolute, origins=origins)


def _sentences(
    error: ValidationError, catalogued: tuple[Known, ...], origins: Mapping[str, str]
) -> list[str]:
    by_name = {known.name: known for known in catalogued}
    sentences: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False):
        place = [str(step) for step in problem["loc"]]
        known = by_name.get(".".join(place[:2])) or by_name[place[0]]
        hidden = known.secret or _holds_password(problem["input"])
        value = HIDDEN if hidden else repr(problem["input"])
        origin = origins.get(known.name, DEFAULT_ORIGIN)
        sentences[known.name] = f"{known.name} is {value} ({origin}), but must be {known.allowed}."
    return list(sentences.values())


def _holds_password(value: Any) -> bool:
    return isinstance(value, str) and "://" in value and "@" in value


def _shown(known: Known, value: Any) -> str:
    if isinstance(value, SecretStr):
        return _masked(value.get_secret_value(), is_url=bool(known.secret and known.secret.is_url))
    if value is None or value in ("", ()):
        return "(empty)"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _masked(secret: str, *, is_url: bool) -> str:
    if not secret:
        return "(empty)"
    parts = urlsplit(secret)
    if not is_url or not parts.scheme:
        return HIDDEN
    server = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{HIDDEN + '@' if server[1] else ''}{server[2]}{parts.path}"
