"""`aside healthy`: an exit status for those who restart what hangs, a sentence for those who look."""

import json
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.commands.healthy import HEALTHY
from bot.settings import LoadedSettings, Settings
from bot.settings.sections import GatewaySection


@contextmanager
def gateway_answering(status: int) -> Iterator[int]:
    """Answer /readyz as a gateway does; give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"ready": status == 200}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def healthy(role: str, settings: Settings) -> int:
    return HEALTHY.run(Namespace(role=role), LoadedSettings(settings=settings, origins={}))


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [(200, 0, "The gateway is healthy."), (503, 1, "cannot tell its status now (HTTP 503)")],
    ids=["ready", "database down"],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"], ids=["loopback", "everywhere"])  # noqa: S104 - only asked
def test_a_gateway_is_healthy_when_it_is_ready(
    capsys: pytest.CaptureFixture[str], host: str, status: int, code: int, sentence: str
) -> None:
    with gateway_answering(status) as port:
        section = GatewaySection(host=host, port=port, behind_proxy=True)
        assert healthy("gateway", Settings(gateway=section)) == code
    assert sentence in capsys.readouterr().out


def test_nobody_there_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    with gateway_answering(200) as port:
        pass
    assert healthy("gateway", Settings(gateway=GatewaySection(port=port))) == 1
    assert "nothing answers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("silent_s", "code", "sentence"),
    [
        pytest.param(1, 0, "The worker is healthy.", id="beating"),
        pytest.param(90, 1, "no sign of life for 90 s", id="hanging"),
        pytest.param(None, 1, "No worker runs on this data directory", id="none"),
    ],
)
def test_a_worker_is_healthy_while_its_pulse_beats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], silent_s: int | None, code: int, sentence: str
) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.data.create()
    if silent_s is not None:
        settings.data.worker_pulse.write_text(str(time.monotonic() - silent_s))
    assert healthy("worker", settings) == code
    assert sentence in capsys.readouterr().out
