"""A form as it was posted: every field, blank ones too, and each of its values where a name comes twice. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote_plus


class Form(Mapping[str, str]):
    """Reads as the first value of each field; Twilio's library asks `getall` for what a signature is made of."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    @classmethod
    def of(cls, body: bytes) -> "Form":
        """Read a posted body. Raises `ValueError` where it is no form."""
        return cls(_pair(pair) for pair in body.decode().split("&") if pair)

    def __getitem__(self, name: str) -> str:
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getall(self, name: str) -> list[str]:
        """Return every value of a field. Raises `KeyError`."""
        return self._values[name]


def _pair(written: str) -> tuple[str, str]:
    name, _, value = written.partition("=")
    return _read(name), _read(value)


def _read(written: str) -> str:
    """Read a name or a value; most are plain words, and looked at once."""
    return unquote_plus(written) if "%" in written or "+" in written else written
