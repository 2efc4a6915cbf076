"""Reading parameters of the Bot API: each value is of its documented type and within its documented limits.

JSON bodies carry values as they are; query strings and forms carry text, in which objects and lists are JSON.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.adapters.telegram_bot.utf16 import is_sound

Check = Callable[[Any], Any]
#: More than a server's 52 bits is no id.
_BIGGEST: Final = 1 << 52
_USERNAME: Final = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}")


class Unfit(Exception):
    """A value is not what the documents say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What one parameter or field takes."""

    check: Check
    required: bool = False


def need(check: Check) -> Field:
    """Take a value that must be there."""
    return Field(check=check, required=True)


def may(check: Check) -> Field:
    """Take a value that may be there."""
    return Field(check=check)


def integer(least: int = -_BIGGEST, most: int = _BIGGEST) -> Check:
    """Take an Integer."""

    def check(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unfit("must be an Integer")
        if not least <= value <= most:
            raise Unfit(f"must be between {least} and {most}")
        return value

    return check


def text(least: int = 0, most: int | None = None, *, in_bytes: bool = False, pattern: str = "") -> Check:
    """Take a String, measured in characters or in bytes of UTF-8."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Unfit("must be a String")
        if not is_sound(value):
            raise Unfit("must be encoded in UTF-8")
        size = len(value.encode()) if in_bytes else len(value)
        if size < least or (most is not None and size > most):
            unit = "bytes" if in_bytes else "characters"
            raise Unfit(f"must have {least}-{'' if most is None else most} {unit}, not {size}")
        if pattern and not re.fullmatch(pattern, value):
            raise Unfit("has characters that are not allowed")
        return value

    return check


def boolean(value: Any) -> bool:
    """Take a Boolean."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise Unfit("must be a Boolean")
    return value


def one_of(*values: str) -> Check:
    """Take one of some Strings."""

    def check(value: Any) -> str:
        if value not in values:
            raise Unfit(f"must be one of {', '.join(values)}")
        return str(value)

    return check


def chat_id(value: Any) -> int | str:
    """Take an id of a chat, or a public name."""
    if isinstance(value, str) and _USERNAME.fullmatch(value):
        return value
    number: int = integer()(value)
    return number


def list_of(check: Check, most: int | None = None, least: int = 0) -> Check:
    """Take an Array."""

    def check_all(value: Any) -> list[Any]:
        items = _decoded(value, list, "an Array")
        if len(items) < least or (most is not None and len(items) > most):
            raise Unfit(f"must have {least}-{most} items, not {len(items)}")
        return [_within(f"[{index}]", check, item) for index, item in enumerate(items)]

    return check_all


def object_of(fields: Mapping[str, Field]) -> Check:
    """Take an object with these fields and no others."""

    def check(value: Any) -> dict[str, Any]:
        return checked(_decoded(value, dict, "an Object"), fields)

    return check


def variant(key: str, kinds: Mapping[str, Mapping[str, Field]]) -> Check:
    """Take an object whose fields depend on one of them."""

    def check(value: Any) -> dict[str, Any]:
        found = _decoded(value, dict, "an Object")
        kind = found.get(key)
        if kind not in kinds:
            raise Unfit(f"has no known {key}")
        return checked(found, {key: need(text())} | dict(kinds[kind]))

    return check


def checked(values: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Check what was passed under the names of its documented fields; raise Unfit."""
    if unknown := values.keys() - fields.keys():
        raise Unfit(f"has no {', '.join(sorted(unknown))}")
    if missing := {name for name, field in fields.items() if field.required} - values.keys():
        raise Unfit(f"lacks {', '.join(sorted(missing))}")
    return {name: _within(name, fields[name].check, value) for name, value in values.items()}


def _within(name: str, check: Check, value: Any) -> Any:
    try:
        return check(value)
    except Unfit as unfit:
        raise Unfit(f"{name} {unfit}") from unfit


def _decoded(value: Any, kind: type, called: str) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as exc:
            raise Unfit("is not JSON") from exc
    if not isinstance(value, kind):
        raise Unfit(f"must be {called}")
    return value
