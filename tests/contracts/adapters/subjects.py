"""Every adapter under the contract, by name; a test says what it needs, and runs on those that have it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.base import Idempotency
from adapters.registry import PlatformClass
from tests.adapters.telegram.world import TelegramHarness
from tests.adapters.twilio.world import TwilioHarness
from tests.contracts.adapters.abilities import HAPPENINGS, Ability
from tests.contracts.adapters.cloud_world import CloudContract
from tests.contracts.adapters.loopback_world import LoopbackHarness
from tests.contracts.adapters.sink import HeardSink
from tests.contracts.adapters.terminal_world import TerminalHarness
from tests.contracts.adapters.webchat_world import WebchatHarness

#: By the adapter's name, with what makes it another one behind a dash.
HARNESSES: Mapping[str, Callable[[], Any]] = {
    "terminal": TerminalHarness,
    "webchat": WebchatHarness,
    "loopback": lambda: LoopbackHarness(Idempotency.NONE),
    "loopback-keyed": lambda: LoopbackHarness(Idempotency.KEYED),
    "loopback-read-back": lambda: LoopbackHarness(Idempotency.READ_BACK),
    "cloud_a": lambda: CloudContract(PlatformClass.A),
    "cloud_b": lambda: CloudContract(PlatformClass.B),
    "cloud_c": lambda: CloudContract(PlatformClass.C),
    "twilio": lambda: TwilioHarness(HeardSink()),
    "telegram": TelegramHarness,
    "telegram-polling": lambda: TelegramHarness(is_polling=True),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """One adapter that a case runs on, and after how many seconds it gives a call up."""

    name: str
    call_s: float


def those_with(*abilities: Ability) -> list[str]:
    """Name the adapters that have all of these. Raises `AssertionError` where there is none."""
    names = [name for name, make in HARNESSES.items() if not make().lacks.keys() & set(abilities)]
    assert names, f"no adapter has all of {', '.join(abilities)}: the case would never run"
    return names


def having(*abilities: Ability, call_s: float = 5.0) -> pytest.MarkDecorator:
    """Run a test, as `harness`, on every adapter that has all of these abilities."""
    subjects = [Subject(name, call_s) for name in those_with(*abilities)]
    return pytest.mark.parametrize("harness", subjects, indirect=True, ids=lambda subject: subject.name)


def each_happening() -> pytest.MarkDecorator:
    """Run a test on every adapter with each thing that can happen there beside messages."""
    pairs = [(Subject(name, 5.0), what) for what in HAPPENINGS for name in those_with(what)]
    return pytest.mark.parametrize(
        ("harness", "what"), pairs, indirect=["harness"], ids=[f"{one.name}-{what}" for one, what in pairs]
    )
