"""Events reach every hook; metrics count them; the log holds ids and numbers."""

import logging
from dataclasses import fields, is_dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.telemetry import events
from bot.telemetry.events import (
    AmbiguousSend,
    AttemptFailed,
    BreakCause,
    ContextCut,
    ContextDropped,
    CutWithoutSummary,
    Dependency,
    Details,
    EngineStateChanged,
    FirstToken,
    InboundRepeated,
    LeaseLost,
    NoticeSent,
    OutageBegan,
    OutageEnded,
    PrefixBroken,
    ScheduleRebuilt,
    ShedReason,
    SummaryFailed,
    SummaryProblem,
    SummaryStored,
    TurnAccepted,
    TurnFinished,
    TurnOutcome,
    TurnReplied,
    TurnShed,
    TurnTaken,
    WriteFenced,
    emit,
)
from bot.telemetry.logs import log_event, logging_to
from bot.telemetry.metrics import Metrics
from engine.base import EngineState

ACCEPTED = TurnAccepted(turn_id="t1", chat_id="c1", adapter="terminal")


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def broken(cause: BreakCause) -> PrefixBroken:
    return PrefixBroken(
        turn_id="t", chat_id="c", cause=cause, predicted_tokens=480, cached_tokens=96, message_index=2
    )


def test_every_hook_hears_every_event_in_order():
    heard: list[tuple[str, Details]] = []
    hooks = [lambda details: heard.append(("a", details)), lambda details: heard.append(("b", details))]
    emit(hooks, ACCEPTED)
    assert heard == [("a", ACCEPTED), ("b", ACCEPTED)]


@pytest.mark.parametrize(
    ("event", "name", "labels", "value"),
    [
        (ACCEPTED, "aside_accepted_total", {"adapter": "terminal", "joined": "false"}, 1),
        (InboundRepeated(adapter="x"), "aside_dedup_total", {"adapter": "x"}, 1),
        (
            TurnShed(chat_id="c", adapter="x", reason=ShedReason.CHAT_FULL),
            "aside_shed_total",
            {"reason": "chat_full"},
            1,
        ),
        (
            TurnTaken(turn_id="t", chat_id="c", token=1, waited_s=3.0),
            "aside_turn_wait_seconds_sum",
            {},
            3,
        ),
        (FirstToken(turn_id="t", engine_s=0.5, since_accepted_s=2.0), "aside_first_token_seconds_sum", {}, 2),
        (
            FirstToken(turn_id="t", engine_s=0.5, since_accepted_s=2.0),
            "aside_engine_first_token_seconds_sum",
            {},
            0.5,
        ),
        (
            TurnReplied(turn_id="t", prompt_tokens=90, cached_tokens=60, output_tokens=7),
            "aside_tokens_total",
            {"kind": "cached"},
            60,
        ),
        (ContextCut(turn_id="t", chat_id="c"), "aside_context_cuts_total", {"summary": "true"}, 1),
        (CutWithoutSummary(turn_id="t", chat_id="c"), "aside_context_cuts_total", {"summary": "false"}, 1),
        (
            SummaryFailed(chat_id="c", reason=SummaryProblem.BUSY),
            "aside_summaries_total",
            {"outcome": "busy"},
            1,
        ),
        (
            SummaryStored(chat_id="c", prompt_tokens=700, cached_tokens=640, output_tokens=90),
            "aside_tokens_total",
            {"kind": "summary_cached"},
            640,
        ),
        (ContextDropped(chat_id="c", error="SealBroken"), "aside_contexts_dropped_total", {}, 1),
        (broken(BreakCause.CUT), "aside_prefix_breaks_total", {"cause": "cut"}, 1),
        (
            TurnFinished(turn_id="t", chat_id="c", outcome=TurnOutcome.DEAD, total_s=4.0),
            "aside_turns_total",
            {"outcome": "dead"},
            1,
        ),
        (
            TurnFinished(turn_id="t", chat_id="c", outcome=TurnOutcome.SENT, total_s=4.0),
            "aside_turn_seconds_sum",
            {},
            4,
        ),
        (
            AttemptFailed(turn_id="t", error="EngineFailed", counted=True),
            "aside_attempts_failed_total",
            {"error": "EngineFailed", "counted": "true"},
            1,
        ),
        (LeaseLost(chat_id="c", token=1), "aside_lease_expired_total", {}, 1),
        (WriteFenced(turn_id="t", token=1), "aside_fenced_total", {}, 1),
        (
            AmbiguousSend(turn_id="t", adapter="x", resent=True),
            "aside_ambiguous_sends_total",
            {"adapter": "x"},
            1,
        ),
        (NoticeSent(adapter="x", kind="busy"), "aside_notices_total", {"kind": "busy"}, 1),
        (EngineStateChanged(state=EngineState.READY), "aside_engine_state", {"state": "ready"}, 1),
        (EngineStateChanged(state=EngineState.READY), "aside_engine_state", {"state": "starting"}, 0),
        (ScheduleRebuilt(chats=3, took_s=0.1), "aside_schedule_rebuilt_total", {}, 1),
        (
            OutageBegan(dependency=Dependency.REDIS, error="X"),
            "aside_dependency_up",
            {"dependency": "redis"},
            0,
        ),
        (
            OutageEnded(dependency=Dependency.REDIS, lasted_s=1.0),
            "aside_dependency_up",
            {"dependency": "redis"},
            1,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_event_is_counted(event, name, labels, value):
    metrics = Metrics()
    metrics(event)
    assert sample(metrics, name, **labels) == value


def test_the_queue_is_shown_as_it_was_set():
    metrics = Metrics()
    metrics.set_queue(waiting=5, oldest_s=7.5, running=2, dead=1)
    names = ("aside_queue_depth", "aside_queue_oldest_seconds", "aside_turns_running", "aside_dead")
    assert [sample(metrics, name) for name in names] == [5, 7.5, 2, 1]


def test_two_sets_of_metrics_do_not_share_a_count():
    one, other = Metrics(), Metrics()
    one(LeaseLost(chat_id="c", token=1))
    assert sample(other, "aside_lease_expired_total") == 0


def test_the_exposition_is_prometheus_text_with_our_prefix_and_no_id():
    metrics = Metrics()
    metrics(ACCEPTED)
    text = metrics.exposition().decode()
    families = list(text_string_to_metric_families(text))
    assert families
    assert all(family.name.startswith("aside_") for family in families)
    assert "t1" not in text
    assert "c1" not in text


def test_every_kind_of_event_is_counted():
    kinds = {kind for kind in vars(events).values() if is_dataclass(kind) and kind is not Details}
    assert len(kinds) > 12
    assert kinds == set(Metrics()._handlers)


def test_no_event_can_carry_content():
    kinds = [kind for kind in vars(events).values() if is_dataclass(kind)]
    named = {field.name for kind in kinds for field in fields(kind)}
    assert not named & {"text", "content", "name", "sender", "prompt", "reply", "person"}


def test_an_event_is_a_line_of_its_fields(caplog):
    with caplog.at_level(logging.INFO):
        log_event(TurnFinished(turn_id="t", chat_id="c", outcome=TurnOutcome.SENT, total_s=1.23456))
    assert caplog.messages == ["TurnFinished turn_id=t chat_id=c outcome=sent total_s=1.235"]


@pytest.mark.parametrize("cause", BreakCause)
def test_a_broken_prefix_is_told_and_only_a_fault_of_ours_is_a_warning(caplog, cause):
    with caplog.at_level(logging.INFO):
        log_event(broken(cause))
    numbers = "predicted_tokens=480 cached_tokens=96 message_index=2"
    assert caplog.messages == [f"PrefixBroken turn_id=t chat_id=c cause={cause.value} {numbers}"]
    warns = [record.levelno == logging.WARNING for record in caplog.records]
    assert warns == [cause is BreakCause.LAYOUT]


def test_a_detail_is_not_logged_at_info(caplog):
    with caplog.at_level(logging.INFO):
        log_event(InboundRepeated(adapter="x"))
    assert not caplog.messages


def test_the_log_goes_to_a_private_file_until_the_context_ends(tmp_path, capsys):
    logger = logging.getLogger("bot.some.where")
    with logging_to(tmp_path, "worker", level="info", stderr_level="warning"):
        logger.info("one %d", 1)
        logger.warning("two")
    logger.warning("three")
    file = tmp_path / "worker.log"
    assert [line.split(" ", 2)[2] for line in file.read_text().splitlines()] == [
        "INFO bot.some.where one 1",
        "WARNING bot.some.where two",
    ]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "one" not in capsys.readouterr().err


def test_libraries_that_would_log_content_are_kept_to_warnings(tmp_path):
    with logging_to(tmp_path, "worker", level="debug"):
        assert not logging.getLogger("sqlalchemy.engine").isEnabledFor(logging.INFO)
        assert not logging.getLogger("aiohttp.access").isEnabledFor(logging.INFO)


@pytest.mark.parametrize(("counted", "lines"), [(True, 1), (False, 0)])
def test_only_an_attempt_that_counts_is_told(caplog, counted, lines):
    """One that does not repeats every second while the engine starts."""
    with caplog.at_level(logging.INFO):
        log_event(AttemptFailed(turn_id="t", error="EngineNotReady", counted=counted))
    assert len(caplog.messages) == lines
