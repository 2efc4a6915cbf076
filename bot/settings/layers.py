"""Where settings come from: each layer reads one source and remembers where every value stood.

A layer is one of pydantic-settings' sources; the first that has a setting wins. What a layer finds and nobody
knows is kept as a complaint, so that a person sees all mistakes at once.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from bot.errors import SettingsError
from bot.settings.model import ENVIRONMENT_PREFIX, Known, Settings
from bot.settings.nearest import did_you_mean

#: Names the settings file itself; it is no setting.
CONFIG_VARIABLE = "ASIDE_CONFIG"
#: Options that are not called like the setting they give.
OPTIONS = {"engine.profile": "--profile", "engine.weights": "--model"}
#: Switches of the test suite, which is free to name them.
TEST_PREFIX = "ASIDE_TEST_"


class Layer(PydanticBaseSettingsSource):
    """One source of settings, read when it is made."""

    def __init__(self) -> None:
        super().__init__(Settings)
        self.values: dict[str, Any] = {}
        #: Where each setting stood, by its name, in words.
        self.origins: dict[str, str] = {}
        self.complaints: list[str] = []

    def __call__(self) -> dict[str, Any]:
        """Give what was read, nested by section."""
        return self.values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Give one section's values; pydantic-settings asks for it where it builds sources itself."""
        return self.values.get(field_name), field_name, False

    def _take(self, known: Known, value: Any, origin: str) -> None:
        holder = self.values.setdefault(known.section, {}) if known.section else self.values
        holder[known.key] = value
        self.origins[known.name] = origin


class CommandLineLayer(Layer):
    """Options of the `aside` command, by setting name: `{"data_dir": "/srv/aside"}`."""

    def __init__(self, options: Mapping[str, Any], catalogue: Sequence[Known]) -> None:
        super().__init__()
        by_name = {known.name: known for known in catalogue}
        for name, value in options.items():
            option = OPTIONS.get(name, f"--{name.replace('_', '-')}")
            self._take(by_name[name], value, f"option {option}")


class EnvironmentLayer(Layer):
    """`ASIDE_<SECTION>_<KEY>`; lists are separated by commas."""

    def __init__(self, environ: Mapping[str, str], catalogue: Sequence[Known]) -> None:
        super().__init__()
        by_variable = {known.variable: known for known in catalogue}
        files = {f"{known.variable}_FILE" for known in catalogue if known.secret}
        for variable, text in sorted(environ.items()):
            if variable in by_variable:
                known = by_variable[variable]
                value = _listed(text) if known.is_list else text
                self._take(known, value, f"environment variable {variable}")
            elif _meant_for_us(variable) and variable not in files:
                nearest = did_you_mean(variable, [*by_variable, *files], prefix=ENVIRONMENT_PREFIX)
                self.complaints.append(
                    f"The environment variable {variable} is not a setting.{nearest} "
                    "`aside settings` lists all of them."
                )


class SecretFileLayer(Layer):
    """`ASIDE_<SECTION>_<KEY>_FILE`: the path of a file that holds a secret."""

    def __init__(self, environ: Mapping[str, str], catalogue: Sequence[Known]) -> None:
        super().__init__()
        for known in catalogue:
            variable = f"{known.variable}_FILE"
            if not known.secret or variable not in environ:
                continue
            if known.variable in environ:
                self.complaints.append(
                    f"Both {known.variable} and {variable} are set. "
                    "Keep one: the value, or the file that holds it."
                )
                continue
            self._read(known, variable, Path(environ[variable]))

    def _read(self, known: Known, variable: str, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "it is not text"
            self.complaints.append(f"The file {path}, named by {variable}, cannot be read: {reason}.")
            return
        if text:
            self._take(known, text, f"file {path} named by {variable}")
        else:
            self.complaints.append(
                f"The file {path}, named by {variable}, is empty; it must hold {known.name}."
            )


class TomlLayer(Layer):
    """`aside.toml`: a table a section. Relative paths in it start at the file's own directory."""

    def __init__(self, path: Path, catalogue: Sequence[Known]) -> None:
        super().__init__()
        self._path = path
        self._by_name = {known.name: known for known in catalogue}
        self._sections = {known.section for known in catalogue if known.section}
        for name, value in _parsed(path).items():
            if name in self._sections:
                self._read_table(name, value)
            else:
                self._read_value(name, value, f"{path}: {name}")

    def _read_table(self, section: str, table: Any) -> None:
        if not isinstance(table, dict):
            self.complaints.append(
                f"In {self._path}, {section} is a value, but must be a table: [{section}]."
            )
            return
        for key, value in table.items():
            self._read_value(f"{section}.{key}", value, f"{self._path}: [{section}] {key}")

    def _read_value(self, name: str, value: Any, origin: str) -> None:
        known = self._by_name.get(name)
        if known is None:
            section, dot, _ = name.rpartition(".")
            nearest = did_you_mean(name, [*self._by_name, *self._sections], prefix=section + dot)
            self.complaints.append(
                f"In {self._path}, {name} is not a setting.{nearest} `aside settings` lists all of them."
            )
            return
        if known.is_path and isinstance(value, str) and value:
            value = self._path.parent / Path(value).expanduser()
        self._take(known, value, origin)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _meant_for_us(variable: str) -> bool:
    return (
        variable.startswith(ENVIRONMENT_PREFIX)
        and variable != CONFIG_VARIABLE
        and not variable.startswith(TEST_PREFIX)
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"{path} is not valid TOML: {exc}.") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{path} is not valid TOML: it is not UTF-8 text.") from exc
    except OSError as exc:
        raise SettingsError(f"The settings file {path} cannot be read: {exc.strerror}.") from exc
