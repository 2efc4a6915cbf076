"""How busy the engine says it is: the few figures of its Prometheus page that decisions rest on."""

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from engine.base import EngineLoad
from engine.errors import EngineMisbehaved

_RUNNING = "vllm:num_requests_running"
_WAITING = "vllm:num_requests_waiting"
_KV_USAGE = "vllm:kv_cache_usage_perc"
_WANTED = (_RUNNING, _WAITING, _KV_USAGE)


def parse_load(text: str) -> EngineLoad:
    """Read the page of `GET /metrics` (vLLM 0.32); raises `EngineMisbehaved` where figures are missing."""
    samples = _samples(text)
    running, waiting = _values(samples, _RUNNING), _values(samples, _WAITING)
    if not running or not waiting:
        raise EngineMisbehaved(f"the engine's metrics hold no {_RUNNING} and {_WAITING}")
    kv_usage = max(_values(samples, _KV_USAGE), default=None)
    return EngineLoad(running=int(sum(running)), waiting=int(sum(waiting)), kv_usage=kv_usage)


def _samples(text: str) -> list[Sample]:
    # The page has thousands of histogram lines; only the three gauges go through the parser.
    lines = [line for line in text.splitlines() if line.startswith(_WANTED)]
    try:
        families = list(text_string_to_metric_families("\n".join(lines) + "\n"))
    except ValueError as exc:
        raise EngineMisbehaved("the engine's metrics are not in Prometheus' text format") from exc
    return [sample for family in families for sample in family.samples]


def _values(samples: list[Sample], name: str) -> list[float]:
    return [sample.value for sample in samples if sample.name == name]
