"""A role of the next version, as far as this one can tell: `python -m tests.roll.newer worker --data-dir DIR`.

What `NEWER` names (`said`, `context`, `live`, separated by commas) it writes in a format of version 2; it reads both.
"""

import json
import os
import sys
from typing import Any, Final

from bot.__main__ import main
from bot.chat import redis_context
from bot.chat.context_entry import from_wire, to_wire
from bot.chat.vault import Place
from bot.turns import live_wire
from bot.turns.journal import changing, claim, plan
from bot.turns.journal.sealed import open_said, seal_said
from bot.turns.model import Exchange

VARIABLE: Final = "NEWER"


class Translating:
    """A vault in front of the real one, through which what people said passes as version 2."""

    def __init__(self, vault: Any) -> None:
        self._vault = vault

    def seal(self, key: bytes, text: str, place: Place) -> bytes:
        body = json.loads(text)
        words = body.pop("text")
        return self._vault.seal(key, json.dumps({**body, "v": 2, "words": words}), place)

    def open(self, key: bytes, blob: bytes, place: Place) -> str:
        text = self._vault.open(key, blob, place)
        body = json.loads(text)
        return json.dumps({**body, "v": 1, "text": body["words"]}) if body["v"] == 2 else text


def _say_anew() -> None:
    def seal(vault: Any, *where: Any, **what: Any) -> bytes:
        return seal_said(Translating(vault), *where, **what)

    def opened(vault: Any, *where: Any) -> Any:
        return open_said(Translating(vault), *where)

    for module in (plan, changing, claim):
        for name, function in (("seal_said", seal), ("open_said", opened)):
            if hasattr(module, name):
                setattr(module, name, function)


def _remember_anew() -> None:
    def written(exchange: Exchange) -> str:
        return json.dumps({"v": 2, "exchange": json.loads(to_wire(exchange))})

    def read(text: str) -> Exchange:
        body = json.loads(text)
        return from_wire(json.dumps(body["exchange"]) if isinstance(body, dict) else text)

    redis_context.to_wire, redis_context.from_wire = written, read


def _show_anew() -> None:
    loaded = live_wire._load

    def load(payload: bytes) -> dict[str, Any]:
        body = json.loads(payload)
        return loaded(payload) if body.get("v") == 2 else body

    live_wire._VERSION, live_wire._load = 2, load


CHANGES: Final = {"said": _say_anew, "context": _remember_anew, "live": _show_anew}

if __name__ == "__main__":
    for change in os.environ[VARIABLE].split(","):
        CHANGES[change]()
    sys.exit(main())
