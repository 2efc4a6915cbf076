"""Checks a TOML table against a dataclass: every key known, none missing, every value of its field's type."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from engine.errors import ProfileError

_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


def checked(cls: type[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the table's values as the fields' types; raise `ProfileError` naming the key."""
    types = get_type_hints(cls)
    if unknown := sorted(given.keys() - types.keys()):
        raise ProfileError(f"unknown key {unknown[0]!r}; known are: {', '.join(sorted(types))}")
    required = {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}
    if missing := sorted(required - given.keys()):
        raise ProfileError(f"the key {missing[0]!r} is missing")
    return {key: _converted(key, value, types[key]) for key, value in given.items()}


def _converted(key: str, value: Any, wanted: Any) -> Any:
    """Return a TOML value as its field's type."""
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        if value not in tuple(wanted):
            raise ProfileError(f"{key} must be one of {', '.join(wanted)}, not {value!r}")
        return wanted(value)
    if get_origin(wanted) is tuple:
        _require(key, value, list, "a list of strings", all_strings=True)
        return tuple(value)
    if get_origin(wanted) is Mapping:
        _require(key, value, dict, "a table of strings", all_strings=True)
        return dict(value)
    kind = next(kind for kind in get_args(wanted) or (wanted,) if kind is not NoneType)
    _require(key, value, kind, _WORDS[kind])
    return value


def _require(key: str, value: Any, kind: type, words: str, *, all_strings: bool = False) -> None:
    # A bool is an int to isinstance, but not to a person.
    fits = type(value) is kind
    if fits and all_strings:
        fits = all(isinstance(item, str) for item in (value.values() if kind is dict else value))
    if not fits:
        raise ProfileError(f"{key} must be {words}, not {value!r}")
