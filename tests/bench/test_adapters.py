"""`bench.adapters` measures what it says: every adapter there is, deliveries like real ones, and nothing refused."""

import json
from urllib.parse import parse_qsl

import pytest

from adapters.registry import manifests
from adapters.telegram.parse import update_id
from adapters.twilio.form import Form
from adapters.twilio.signature import is_form_signed
from bench import adapters as bench
from bench import deliveries
from bench.webhooks import delivery, measured_webhooks
from bot.ingress.policy import Rules

RULES = Rules(names=("assistant",))


def test_every_adapter_is_measured_or_left_out_for_a_reason() -> None:
    assert {*bench.covered(), *bench.WITHOUT} == {manifest.name for manifest in manifests()}


def test_an_adapter_that_the_bench_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "WITHOUT", {})
    with pytest.raises(RuntimeError, match="loopback"):
        bench.covered()


@pytest.mark.parametrize("name", sorted(bench.WAYS))
def test_what_is_accepted_is_what_speaks_to_the_assistant(name: str) -> None:
    assert bench.rate(bench.WAYS[name], 10 * deliveries.PERIOD, RULES) > 0


def test_a_round_in_which_something_else_is_accepted_is_no_measurement() -> None:
    way = bench.WAYS["telegram"]
    with pytest.raises(RuntimeError, match="accepted"):
        bench.rate(bench.Way(way.write, way.read, (3, 20)), deliveries.PERIOD, RULES)


def test_the_slowest_adapter_counts() -> None:
    figures = bench.measured_rates(deliveries.PERIOD, 1)
    assert figures.pop("events_per_s") == min(figures.values())


def test_updates_are_told_apart() -> None:
    assert len({update_id(json.loads(deliveries.telegram(number))) for number in range(100)}) == 100


@pytest.mark.parametrize("token", ["the token", "another"])
def test_forms_are_signed_as_the_library_checks_them(token: str) -> None:
    body = deliveries.twilio(3).decode()
    fields = parse_qsl(body, keep_blank_values=True)
    signature = deliveries.twilio_signature("the token", "https://bot.example.org/x", fields)
    headers = {"X-Twilio-Signature": signature}
    is_signed = is_form_signed("https://bot.example.org/x", Form.of(body.encode()), headers, [token])
    assert is_signed == (not token.startswith("another"))


def test_of_two_webhooks_one_is_telegrams() -> None:
    paths = [delivery(number, 0).path for number in range(8)]
    assert [path.split("/")[2] for path in paths] == ["twilio", "telegram"] * 4
    assert paths.count("/hooks/twilio/status") == 1


async def test_every_webhook_is_answered_and_every_turn_committed() -> None:
    figures = await measured_webhooks(40, 20.0)
    assert 0 < figures["webhook_p50_ms"] <= figures["webhook_p99_ms"]
