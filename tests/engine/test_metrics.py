"""The few figures of the engine's metrics page."""

import pytest

from engine.errors import EngineMisbehaved
from engine.metrics import EngineLoad, parse_load

PAGE = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
# TYPE vllm:num_requests_waiting_by_reason gauge
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 40.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="m"} 0.0
"""
SECOND_RANK = """\
vllm:num_requests_running{engine="1",model_name="m"} 5.0
vllm:num_requests_waiting{engine="1",model_name="m"} 0.0
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
"""


@pytest.mark.parametrize(
    ("page", "load"),
    [
        pytest.param(PAGE, EngineLoad(running=3, waiting=2, kv_usage=0.25), id="one-rank"),
        pytest.param(
            PAGE + SECOND_RANK, EngineLoad(running=8, waiting=2, kv_usage=0.75), id="ranks-are-summed"
        ),
        pytest.param(
            PAGE.replace("kv_cache_usage_perc", "other"),
            EngineLoad(running=3, waiting=2),
            id="no-cache-figure",
        ),
        pytest.param(
            PAGE.replace("3.0\n", "3.0 1754000000000\n"),
            EngineLoad(running=3, waiting=2, kv_usage=0.25),
            id="with-timestamps",
        ),
    ],
)
def test_the_load_is_read(page: str, load: EngineLoad) -> None:
    assert parse_load(page) == load


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("", id="empty"),
        pytest.param("<html></html>", id="not-metrics"),
        pytest.param(PAGE.replace("num_requests_running", "other"), id="no-running"),
        pytest.param(PAGE.replace("num_requests_waiting{", "other{"), id="no-waiting"),
        pytest.param('vllm:num_requests_running{engine="0" 3.0', id="broken-line"),
        pytest.param("vllm:num_requests_running many", id="not-a-number"),
    ],
)
def test_what_holds_no_load_raises(page: str) -> None:
    with pytest.raises(EngineMisbehaved):
        parse_load(page)
