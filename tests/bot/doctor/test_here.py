"""Checks that look at files, ports and servers, on real ones."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bot.chat.key_file import load_or_create
from bot.doctor.engine import check_embedded, check_remote, judge_models
from bot.doctor.files import check_data_dir, check_key_file
from bot.doctor.finding import Level
from bot.doctor.gpu import judge_gpu
from bot.doctor.ports import check_gateway_port, check_page_port
from bot.doctor.servers import check_database, check_redis
from bot.settings import Settings
from bot.settings.sections import (
    DatabaseSection,
    EngineSection,
    GatewaySection,
    RedisSection,
    WebchatSection,
)
from bot.store.schema import migrate


@contextmanager
def answering(path: str, body: object, status: int = 200) -> Iterator[int]:
    """Serve one JSON document on an ephemeral port; give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == path
            self.send_response(status if known else 404)
            self.end_headers()
            if known:
                self.wfile.write(json.dumps(body).encode())

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


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def with_port(port: int) -> Settings:
    return Settings(gateway=GatewaySection(port=port))


def test_a_free_port(free_port):
    finding = check_gateway_port(with_port(free_port))
    assert (finding.level, finding.what) == (Level.OK, f"{free_port} on 127.0.0.1 is free")


def test_a_taken_port_is_named_with_the_process_that_holds_it():
    with answering("/", {}) as port:
        finding = check_gateway_port(with_port(port))
    assert finding.level is Level.FAIL
    assert "(process " in finding.what
    assert finding.mend == "Stop that, or set ASIDE_GATEWAY_PORT to another port"


def test_the_page_has_a_port_of_its_own_to_look_at(free_port):
    def found(**section):
        return check_page_port(Settings(webchat=WebchatSection(**section)))

    assert found(port=free_port).what == f"{free_port} on 127.0.0.1 is free"
    assert found(enabled=False).level is Level.OK
    with answering("/", {}) as port:
        assert found(port=port).mend == "Stop that, or set ASIDE_WEBCHAT_PORT to another port"


def test_a_port_held_by_aside_itself_is_fine():
    with answering("/status", {"waiting": 0}) as port:
        finding = check_gateway_port(with_port(port))
    assert (finding.level, finding.what) == (
        Level.OK,
        f"{port} on 127.0.0.1 is held by Aside, which is running",
    )


def test_an_address_that_is_not_here_fails():
    finding = check_gateway_port(Settings(gateway=GatewaySection(host="192.0.2.1")))
    assert (finding.level, finding.mend) == (
        Level.FAIL,
        "Set gateway.host and gateway.port to usable ones",
    )


def test_a_data_directory_that_is_there_and_one_that_can_be_made(tmp_path):
    assert check_data_dir(Settings(data_dir=tmp_path).data).what == f"{tmp_path} is writable"
    later = check_data_dir(Settings(data_dir=tmp_path / "a" / "b").data)
    assert (later.level, later.what) == (Level.OK, f"{tmp_path / 'a' / 'b'} will be made at the first start")


def test_a_data_directory_that_is_a_file_fails(tmp_path):
    (tmp_path / "data").write_text("")
    assert check_data_dir(Settings(data_dir=tmp_path / "data").data).level is Level.FAIL


def test_the_key_file_must_be_private(tmp_path):
    path = tmp_path / "keys" / "vault.key"
    assert check_key_file(path).what.endswith("will be made at the first start")
    load_or_create(path)
    assert check_key_file(path).level is Level.OK
    path.chmod(0o644)
    finding = check_key_file(path)
    assert (finding.level, "chmod 600" in finding.what) == (Level.FAIL, True)


async def test_the_embedded_valkey_is_found_and_starts():
    finding = await check_redis(Settings())
    assert (finding.level, finding.what.split(" ")[:2]) == (Level.OK, ["embedded", "Valkey"])


async def test_a_redis_that_is_not_there_fails(free_port):
    settings = Settings(redis=RedisSection(url=f"redis://127.0.0.1:{free_port}/0"))
    assert (await check_redis(settings)).level is Level.FAIL


async def test_a_database_before_and_after_its_migration(tmp_path):
    settings = Settings(data_dir=tmp_path)
    assert (await check_database(settings)).what.endswith("will be made at the first start")
    settings.data.create()
    settings.data.database.touch(mode=0o600)
    unmigrated = await check_database(settings)
    assert (unmigrated.level, "aside migrate" in unmigrated.what) == (Level.FAIL, True)
    await migrate(settings.database_url)
    assert (await check_database(settings)).level is Level.OK


async def test_a_database_that_is_not_there_fails_without_its_password(free_port):
    url = f"postgresql://me:hunter2@127.0.0.1:{free_port}/n"
    finding = await check_database(Settings(database=DatabaseSection(url=url)))
    assert finding.level is Level.FAIL
    assert "hunter2" not in finding.line()


def test_an_embedded_engine_that_was_never_installed_fails(tmp_path):
    finding = check_embedded(Settings(data_dir=tmp_path))
    assert (finding.level, finding.mend) == (Level.FAIL, "Run `make setup`")


def test_an_embedded_engine_without_its_model_fails(tmp_path):
    settings = Settings(data_dir=tmp_path)
    settings.data.engine_python.parent.mkdir(parents=True)
    settings.data.engine_python.touch()
    finding = check_embedded(settings)
    assert (finding.level, finding.mend) == (Level.FAIL, "Run `make run`")


def elsewhere(port: int, model: str = "") -> Settings:
    return Settings(engine=EngineSection(url=f"http://127.0.0.1:{port}/v1", model=model, api_key="hunter2"))


def test_an_engine_elsewhere_tells_its_model():
    with answering("/v1/models", {"data": [{"id": "llama-4"}]}) as port:
        finding = check_remote(elsewhere(port))
    assert (finding.level, finding.what) == (Level.OK, f"http://127.0.0.1:{port}/v1 serves llama-4")


@pytest.mark.parametrize(
    ("body", "status", "mend"),
    [
        pytest.param({}, 401, "Mend ASIDE_ENGINE_API_KEY", id="wrong key"),
        pytest.param({}, 500, "It must speak the OpenAI API, as vLLM does", id="broken"),
        pytest.param([], 200, "Start that engine, or mend ASIDE_ENGINE_URL", id="not an engine"),
        pytest.param({"data": []}, 200, "Load a model there", id="no model"),
    ],
)
def test_an_engine_elsewhere_that_is_not_well(body, status, mend):
    with answering("/v1/models", body, status) as port:
        finding = check_remote(elsewhere(port))
    assert (finding.level, finding.mend) == (Level.FAIL, mend)
    assert "hunter2" not in finding.line()


def test_an_engine_elsewhere_that_does_not_answer(free_port):
    assert check_remote(elsewhere(free_port)).mend == "Start that engine, or mend ASIDE_ENGINE_URL"


def test_a_model_that_is_not_served_is_named_with_those_that_are():
    finding = judge_models("http://h/v1", "maverick", ["scout", "tiny"])
    assert finding.line() == (
        "fail  engine       http://h/v1 does not serve maverick. Set engine.model to one of: scout, tiny"
    )


@pytest.mark.parametrize(
    ("driver", "listing", "level"),
    [
        pytest.param(False, None, Level.OK, id="no GPU"),
        pytest.param(True, None, Level.WARN, id="driver without tool"),
        pytest.param(True, "\n", Level.WARN, id="tool without GPU"),
        pytest.param(True, "NVIDIA H100, 81559 MiB\n", Level.OK, id="GPU"),
    ],
)
def test_gpu(driver, listing, level):
    assert judge_gpu(driver=driver, listing=listing).level is level
