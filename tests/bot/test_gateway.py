"""The gateway over real HTTP on loopback: what it answers, and what it never lets through."""

import asyncio
import io
import os
import socket
from contextlib import asynccontextmanager

import aiohttp
import psutil
import pytest
from prometheus_client import CollectorRegistry, Counter

from adapters.base import Outcome, RawResponse, Receipt, Webhook
from adapters.errors import MalformedEvent
from bot.errors import ScheduleUnavailable, StartupError, StoreUnavailable
from bot.ingress.gateway import Gateway, GatewaySettings, make_app
from bot.ingress.health import Probes
from bot.turns.journal import TurnCounts
from engine.base import EngineState, EngineStatus

SETTINGS = GatewaySettings(port=0, webhook_s=5.0, shutdown_s=5.0)


class Deployment:
    """What the probes ask, with everything well until a test says otherwise."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.down = set()
        self.engine_state = EngineState.READY

    async def database(self):
        if "database" in self.down:
            raise StoreUnavailable("the disk of db.internal.example is full")

    async def redis(self):
        if "redis" in self.down:
            raise ScheduleUnavailable

    async def engine(self):
        return EngineStatus(state=self.engine_state, model="llama-4-embedded", detail="")

    async def turns(self):
        await self.database()
        return TurnCounts(
            waiting=3, oldest_waiting_s=1.23456, running=1, unsent=0, done=7, dead=2, refused=0, cancelled=0
        )

    async def adapters(self):
        return {"terminal": "connected"}

    def probes(self):
        return Probes(
            database=self.database,
            redis=self.redis,
            engine=self.engine,
            turns=self.turns,
            adapters=self.adapters,
            metrics=self.registry,
        )


class NoSink:
    """A sink nothing reaches in these tests unless they say so."""

    async def accept(self, event):
        return Receipt(outcome=Outcome.IGNORED)

    async def stop(self, event):
        return Receipt(outcome=Outcome.DONE)

    async def edited(self, event):
        return Receipt(outcome=Outcome.IGNORED)

    async def withdrawn(self, event):
        return Receipt(outcome=Outcome.DONE)


@asynccontextmanager
async def serving(ingest=None, *, deployment=None, settings=SETTINGS):
    webhooks = [Webhook(path="/hooks/test", ingest=ingest)] if ingest else []
    app = make_app(webhooks, NoSink(), (deployment or Deployment()).probes(), settings)
    async with (
        Gateway(app, settings) as gateway,
        aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}") as session,
    ):
        yield session


async def test_a_webhook_gets_its_bytes_untouched_and_answers_for_itself():
    seen = []

    async def ingest(request, sink):
        seen.append(request)
        return RawResponse(status=202, body=b"taken", headers={"X-Answer": "yes"})

    async with serving(ingest) as http:
        sent = b'{"text": "\xff\xfe not utf-8"}'
        async with http.post("/hooks/test?hub=1", data=sent, headers={"X-Signature": "abc"}) as answer:
            assert (answer.status, await answer.read(), answer.headers["X-Answer"]) == (202, b"taken", "yes")
    [request] = seen
    assert (request.method, request.path, request.body) == ("POST", "/hooks/test?hub=1", sent)
    assert request.headers["x-signature"] == "abc"


async def test_a_webhook_is_handed_the_sink_of_the_core():
    async def ingest(request, sink):
        return RawResponse(status=200, body=(await sink.accept(None)).outcome.encode())

    async with serving(ingest) as http, http.post("/hooks/test") as answer:
        assert await answer.read() == b"ignored"


async def test_a_body_beyond_the_cap_is_refused_before_the_adapter_sees_it():
    async def ingest(request, sink):
        raise AssertionError("it was read")

    async with (
        serving(ingest) as http,
        http.post("/hooks/test", data=io.BytesIO(b"x" * (1024 * 1024 + 1))) as answer,
    ):
        assert answer.status == 413


async def test_a_body_at_the_cap_is_read():
    async def ingest(request, sink):
        return RawResponse(status=200, body=str(len(request.body)).encode())

    async with (
        serving(ingest) as http,
        http.post("/hooks/test", data=io.BytesIO(b"x" * 1024 * 1024)) as answer,
    ):
        assert await answer.read() == b"1048576"


@pytest.mark.parametrize(
    ("error", "status"),
    [(StoreUnavailable("the disk is full"), 503), (MalformedEvent("no JSON", b"{secret"), 400)],
    ids=["database down", "malformed"],
)
async def test_a_known_failure_has_its_status_and_tells_nothing(error, status):
    async def ingest(request, sink):
        raise error

    async with serving(ingest) as http, http.post("/hooks/test") as answer:
        assert (answer.status, await answer.read()) == (status, b"")


async def test_an_unexpected_failure_is_found_in_the_log_by_its_reference_and_quotes_nothing(caplog):
    async def ingest(request, sink):
        raise RuntimeError("what Ann wrote")

    async with serving(ingest) as http, http.post("/hooks/test", data=b"what Ann wrote") as answer:
        assert answer.status == 500
        reference = (await answer.json())["reference"]
    [record] = [record for record in caplog.records if reference in record.getMessage()]
    assert "RuntimeError" in record.getMessage()
    assert "Ann" not in caplog.text


async def test_a_webhook_that_takes_too_long_is_not_acknowledged():
    async def ingest(request, sink):
        await asyncio.Event().wait()

    settings = GatewaySettings(port=0, webhook_s=0.05)
    async with serving(ingest, settings=settings) as http, http.post("/hooks/test") as answer:
        assert answer.status == 503


async def test_an_unknown_path_is_not_found():
    async with serving() as http, http.get("/admin") as answer:
        assert answer.status == 404


async def test_it_is_alive_whatever_else_is_not():
    deployment = Deployment()
    deployment.down = {"database", "redis"}
    async with serving(deployment=deployment) as http, http.get("/livez") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("down", "engine", "status"),
    [
        (set(), EngineState.READY, 200),
        (set(), EngineState.WARMING, 200),
        (set(), EngineState.DEAD, 200),
        ({"redis"}, EngineState.READY, 200),
        ({"database"}, EngineState.READY, 503),
    ],
    ids=["all well", "engine warming", "engine dead", "redis down", "database down"],
)
async def test_only_the_database_decides_on_readiness(down, engine, status):
    deployment = Deployment()
    deployment.down, deployment.engine_state = down, engine
    async with serving(deployment=deployment) as http, http.get("/readyz") as answer:
        body = await answer.json()
    assert answer.status == status
    assert body["engine"] == engine.value
    assert (body["database"] == "ok", body["redis"] == "ok") == ("database" not in down, "redis" not in down)
    assert ("reasons" in body) == (status == 503)
    assert "db.internal.example" not in str(body)


async def test_status_has_the_numbers_an_operator_asks_for():
    async with serving() as http, http.get("/status") as answer:
        assert await answer.json() == {
            "waiting": 3,
            "oldest_s": 1.235,
            "running": 1,
            "done": 7,
            "dead": 2,
            "most_counted": 10_000,
            "engine": {"state": "ready", "model": "llama-4-embedded", "detail": ""},
            "adapters": {"terminal": "connected"},
        }


async def test_status_says_so_when_the_database_is_down():
    deployment = Deployment()
    deployment.down = {"database"}
    async with serving(deployment=deployment) as http, http.get("/status") as answer:
        assert answer.status == 503


async def test_status_tells_what_the_cache_saves_where_a_worker_runs_in_this_process():
    deployment = Deployment()
    tokens = Counter("aside_tokens", "Tokens", ["kind"], registry=deployment.registry)
    tokens.labels("prompt").inc(3000)
    tokens.labels("cached").inc(2000)
    async with serving(deployment=deployment) as http, http.get("/status") as answer:
        assert (await answer.json())["cached_share"] == 0.667


async def test_metrics_are_those_of_the_given_registry():
    deployment = Deployment()
    Counter("aside_things", "Things", registry=deployment.registry).inc(4)
    async with serving(deployment=deployment) as http, http.get("/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert "aside_things_total 4.0" in await answer.text()


async def test_a_taken_port_is_named_together_with_what_holds_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = GatewaySettings(port=port)
        gateway = Gateway(make_app([], NoSink(), Deployment().probes(), settings), settings)
        with pytest.raises(StartupError) as caught:
            await gateway.__aenter__()
    sentence = str(caught.value)
    assert str(port) in sentence
    assert f"{psutil.Process().name()} (process {os.getpid()})" in sentence
    assert "gateway.port" in sentence


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])  # noqa: S104 - refused below
async def test_only_loopback_is_listened_on(host):
    settings = GatewaySettings(host=host, port=0)
    gateway = Gateway(make_app([], NoSink(), Deployment().probes(), settings), settings)
    with pytest.raises(StartupError, match=r"gateway\.host.*TLS"):
        await gateway.__aenter__()


async def test_the_refusal_names_the_setting_that_declares_a_proxy():
    settings = GatewaySettings(host="0.0.0.0", port=0)  # noqa: S104 - refused
    gateway = Gateway(make_app([], NoSink(), Deployment().probes(), settings), settings)
    with pytest.raises(StartupError, match=r"gateway\.behind_proxy = true \(ASIDE_GATEWAY_BEHIND_PROXY\)"):
        await gateway.__aenter__()


async def test_behind_a_declared_proxy_every_address_is_listened_on():
    settings = GatewaySettings(host="0.0.0.0", port=0, behind_proxy=True)  # noqa: S104 - what is tested
    async with serving(settings=settings) as http, http.get("/livez") as answer:
        assert answer.status == 200


async def test_behind_a_declared_proxy_an_address_of_another_machine_is_told():
    settings = GatewaySettings(host="192.0.2.1", port=0, behind_proxy=True)
    gateway = Gateway(make_app([], NoSink(), Deployment().probes(), settings), settings)
    with pytest.raises(StartupError, match=r"cannot listen on 192\.0\.2\.1"):
        await gateway.__aenter__()


@pytest.mark.parametrize("path", ["/hooks/test", "/status"])
def test_two_routes_of_one_path_are_refused_by_name(path):
    async def ingest(request, sink):
        return RawResponse(status=200)

    webhooks = [Webhook(path=path, ingest=ingest)] * 2
    with pytest.raises(StartupError, match=path):
        make_app(webhooks, NoSink(), Deployment().probes(), SETTINGS)


async def test_leaving_lets_a_webhook_in_progress_finish():
    started, release = asyncio.Event(), asyncio.Event()

    async def ingest(request, sink):
        started.set()
        await release.wait()
        return RawResponse(status=200)

    app = make_app([Webhook(path="/hooks/test", ingest=ingest)], NoSink(), Deployment().probes(), SETTINGS)
    gateway = Gateway(app, SETTINGS)
    await gateway.__aenter__()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}") as http:
        asking = asyncio.create_task(http.post("/hooks/test"))
        await started.wait()
        leaving = asyncio.create_task(gateway.__aexit__(None, None, None))
        await asyncio.sleep(0)
        release.set()
        answer = await asking
        assert answer.status == 200
        answer.release()
        await leaving
