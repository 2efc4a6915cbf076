"""A form as it was posted: every field, blank ones too, and each of its values where a name comes twice. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl


class Form(Mapping[str, str]):
    """Reads as the first value of each field; Twilio's library asks `getall` for what a signature is made of."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    @classmethod
    def of(cls, body: bytes) -> "Form":
        """Read a posted body. Raises `ValueError` where it is no form."""
        return cls(parse_qsl(body.decode(), keep_blank_values=True))

    def __getitem__(self, name: str) -> str:
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getall(self, name: str) -> list[str]:
        """Return every value of a field. Raises `KeyError`."""
        return self._values[name]
