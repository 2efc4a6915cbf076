"""No HTTP client repeats a request that may have arrived: on the wire there is one request a call, whatever fails.

Who may repeat it is the core, which knows the platform's class and counts. A retry inside a client or an SDK would be
a second message that nobody knows of. Every module that can open an HTTP connection is named here, with its proof.
"""

import ast
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.base import Edit, Idempotency, Platform, Purpose, Send
from adapters.content import plain
from adapters.errors import AdapterError
from adapters.polling_lease import SharedLeases
from adapters.records_memory import MemoryRecordStore
from adapters.registry import PlatformClass
from adapters.telegram.platform import telegram
from adapters.telegram.settings import TelegramSettings
from adapters.twilio.adapter import platform as twilio
from adapters.twilio.settings import TwilioSettings
from engine.client import EngineClient
from engine.errors import EngineError, EngineNotReady
from tests.fixtures.engine_requests import a_request
from tests.fixtures.misbehaving import MisbehavingServer, Misdeed
from tests.platforms.adapter import CloudAdapter
from tests.platforms.cloud_settings import CloudSettings

ROOT = Path(__file__).parents[2]
#: Seconds after which each client gives up on a silent server.
PATIENCE_S = 1.0
_SEND = Send(op_id="o", account="main", conversation="r", content=plain("hi"), purpose=Purpose.REPLY)
_EDIT = Edit(
    op_id="o", account="main", conversation="r", message="m", content=plain("hi"), purpose=Purpose.REPLY
)


async def _generate(url: str) -> None:
    request = a_request(first_token_s=PATIENCE_S, stall_s=PATIENCE_S, total_s=PATIENCE_S)
    async with EngineClient(url) as engine, engine.stream(request) as events:
        async for _ in events:
            pass


def _cloud(call: Callable[[CloudAdapter], Awaitable[object]]) -> Callable[[str], Awaitable[None]]:
    async def calling(url: str) -> None:
        settings = CloudSettings(name="cloud_b", url=url, platform_class=PlatformClass.B, call_s=PATIENCE_S)
        assert settings.platform_class.idempotency is Idempotency.READ_BACK
        async with CloudAdapter(settings) as adapter:
            await call(adapter)

    return calling


def _twilio(call: Callable[[Platform], Awaitable[object]]) -> Callable[[str], Awaitable[None]]:
    async def calling(url: str) -> None:
        settings = TwilioSettings(
            account_sid="AC0",
            api_key="SK0",
            api_secret="secret",  # noqa: S106 - it guards nothing
            auth_tokens=("token",),
            public_url="https://bot.example.org",
            sms_from="+15005550006",
            api_base=url,
            call_s=PATIENCE_S,
        )
        made = twilio(settings, MemoryRecordStore(), lambda: datetime.now(UTC))
        assert made.lifetime is not None
        async with made.lifetime:
            await call(made)

    return calling


def _telegram(call: Callable[[Platform], Awaitable[object]]) -> Callable[[str], Awaitable[None]]:
    async def calling(url: str) -> None:
        settings = TelegramSettings(
            token=_TOKEN, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot", call_s=PATIENCE_S
        )
        lease = SharedLeases(lambda: 0.0, lasts_s=60.0).of("telegram")
        made = telegram(settings, lease, lambda: datetime.now(UTC))
        assert made.lifetime is not None
        async with made.lifetime:
            await call(made)

    return calling


def _draft(made: Platform) -> Awaitable[object]:
    assert made.drafts is not None
    return made.drafts.draft("42", "7", "turn", plain("hi"))


_TOKEN = "42:" + "a" * 30
_CHAT = replace(_SEND, account="42", conversation="7")
_CHANGE = replace(_EDIT, account="42", conversation="7", message="5")
_SMS = replace(_SEND, account="+15005550006", conversation="+491701234567")

#: Everything that people would see twice, by who calls it: a generation, and what reaches a platform.
CALLS: dict[str, tuple[Callable[[str], Awaitable[None]], str]] = {
    "engine stream": (_generate, "POST /v1/chat/completions"),
    "cloud send": (_cloud(lambda adapter: adapter.send(_SEND)), "POST /v1/messages"),
    "cloud edit": (_cloud(lambda adapter: adapter.edit(_EDIT)), "PATCH /v1/messages/m"),
    "cloud delete": (_cloud(lambda adapter: adapter.delete("main", "r", "m")), "DELETE /v1/messages/m"),
    "twilio send": (
        _twilio(lambda made: made.adapter.send(_SMS)),
        "POST /2010-04-01/Accounts/AC0/Messages.json",
    ),
    "telegram send": (
        _telegram(lambda made: made.adapter.send(_CHAT)),
        f"POST /bot{_TOKEN}/sendMessage",
    ),
    "telegram edit": (
        _telegram(lambda made: made.adapter.edit(_CHANGE)),
        f"POST /bot{_TOKEN}/editMessageText",
    ),
    "telegram delete": (
        _telegram(lambda made: made.adapter.delete("42", "7", "5")),
        f"POST /bot{_TOKEN}/deleteMessage",
    ),
    "telegram draft": (_telegram(_draft), f"POST /bot{_TOKEN}/sendMessageDraft"),
}

#: Every module that can open an HTTP connection, and where it is shown that it sends nothing twice.
CLIENTS = {
    "engine/transport.py": "opens the sessions of engine/client.py",
    "engine/client.py": "engine stream",
    "bot/doctor/engine.py": "asks whether somebody listens; sends nothing",
    "bot/doctor/running.py": "asks the gateway how it is; sends nothing",
    "adapters/telegram/calls.py": "telegram send",
    "adapters/telegram/media.py": "fetches what is attached; sends nothing",
    "adapters/telegram/refusals.py": "reads errors; sends nothing",
    "adapters/twilio/transport.py": "twilio send",
    "adapters/twilio/rest.py": "twilio send",
    "adapters/twilio/media.py": "fetches what is attached; sends nothing",
    "adapters/twilio/signature.py": "computes; sends nothing",
    "tests/platforms/adapter.py": "cloud send",
}
_LIBRARIES = {
    "aiohttp",
    "httpx",
    "requests",
    "urllib.request",
    "http.client",
    "urllib3",
    "telegram",
    "twilio",
}


@pytest.mark.parametrize("misdeed", list(Misdeed))
@pytest.mark.parametrize("call", CALLS)
async def test_what_left_once_never_leaves_twice(call: str, misdeed: Misdeed) -> None:
    calling, line = CALLS[call]
    async with MisbehavingServer(misdeed).running() as server:
        with contextlib.suppress(AdapterError, EngineError):
            await calling(server.url)
        assert server.requests == [line]


@pytest.mark.parametrize("call", CALLS)
async def test_a_silent_server_ends_in_an_error_of_ours(call: str) -> None:
    calling, _ = CALLS[call]
    async with MisbehavingServer(Misdeed.SILENCE).running() as server:
        with pytest.raises((AdapterError, EngineError)) as raised:
            await calling(server.url)
        assert not getattr(raised.value, "retryable", False) or isinstance(raised.value, EngineError)
        assert not isinstance(raised.value, EngineNotReady), (
            "a request that left was taken for one that did not"
        )


def _http_clients() -> set[str]:
    """Find the modules of ours that import what can open an HTTP connection, `aiohttp.web` apart."""
    folders = [ROOT / name for name in ("adapters", "bot", "engine")]
    paths = [path for folder in folders for path in folder.rglob("*.py")]
    paths.append(ROOT / "tests/platforms/adapter.py")
    return {str(path.relative_to(ROOT)) for path in paths if _imported(path) & _LIBRARIES}


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not _serves(node):
            names |= {node.module, node.module.split(".")[0]}
    return names | {".".join(name.split(".")[:2]) for name in names}


def _serves(node: ast.ImportFrom) -> bool:
    """Tell whether an import is the server's side alone."""
    return node.module == "aiohttp" and {alias.name for alias in node.names} <= {"web", "WSMsgType"}


def test_every_http_client_is_named_with_its_proof() -> None:
    """A new client or SDK fails here until it is shown above that it repeats nothing behind our back."""
    assert _http_clients() == set(CLIENTS)
    assert set(CALLS) >= {proof for proof in CLIENTS.values() if proof.split()[-1] in ("stream", "send")}
