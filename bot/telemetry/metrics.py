"""Every metric this program exports, in one place, with its unit in its name.

Names follow Prometheus' conventions (https://prometheus.io/docs/practices/naming/). No chat, person or turn
is ever a label: labels are closed sets and adapters' names.
"""

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.telemetry.events import (
    AmbiguousSend,
    AttemptFailed,
    ContextCut,
    ContextDropped,
    CutWithoutSummary,
    Dependency,
    Details,
    EngineStateChanged,
    FirstToken,
    InboundRepeated,
    LeaseLost,
    MessageReported,
    NoticeSent,
    OutageBegan,
    OutageEnded,
    PrefixBroken,
    ReplyRated,
    ScheduleRebuilt,
    SummaryFailed,
    SummaryStored,
    TurnAccepted,
    TurnFinished,
    TurnReplied,
    TurnShed,
    TurnTaken,
    WriteFenced,
)
from engine.base import EngineState

#: Upper bounds, in seconds, that tell apart what a person feels: at once, noticed, waited, gave up.
SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0)


class Metrics:
    """A hook that counts, over a registry of its own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        """Make the metrics, all at zero."""
        self.registry = CollectorRegistry()
        self._make_gauges()
        self._make_turn_metrics()
        self._make_fault_counters()
        self._handlers: Mapping[type[Details], Callable[[Any], None]] = {
            TurnAccepted: self._accepted,
            InboundRepeated: lambda seen: self.repeated.labels(seen.adapter).inc(),
            TurnShed: lambda shed: self.shed.labels(shed.reason.value).inc(),
            TurnTaken: lambda taken: self.wait.observe(max(0.0, taken.waited_s)),
            FirstToken: self._first_token,
            TurnReplied: self._replied,
            PrefixBroken: lambda broken: self.prefix_breaks.labels(broken.cause.value).inc(),
            ContextCut: lambda _: self.cuts.labels("true").inc(),
            CutWithoutSummary: lambda _: self.cuts.labels("false").inc(),
            SummaryStored: self._summarised,
            SummaryFailed: lambda failed: self.summaries.labels(failed.reason.value).inc(),
            ContextDropped: lambda _: self.contexts_dropped.inc(),
            TurnFinished: self._finished,
            AttemptFailed: lambda failed: self.failed.labels(failed.error, str(failed.counted).lower()).inc(),
            LeaseLost: lambda _: self.leases_lost.inc(),
            WriteFenced: lambda _: self.fenced.inc(),
            AmbiguousSend: lambda send: self.ambiguous.labels(send.adapter).inc(),
            MessageReported: self._reported,
            ReplyRated: lambda rated: self.ratings.labels(rated.adapter, rated.rating).inc(),
            NoticeSent: lambda notice: self.notices.labels(notice.kind).inc(),
            EngineStateChanged: lambda change: self._engine(change.state),
            ScheduleRebuilt: lambda _: self.rebuilt.inc(),
            OutageBegan: lambda outage: self.up.labels(outage.dependency.value).set(0),
            OutageEnded: lambda outage: self.up.labels(outage.dependency.value).set(1),
        }

    def __call__(self, details: Details, /) -> None:
        """Count an event; an event nobody counts is ignored."""
        handler = self._handlers.get(type(details))
        if handler is not None:
            handler(details)

    def set_queue(self, *, waiting: int, oldest_s: float, running: int, dead: int) -> None:
        """Set what is read from SQL rather than counted here: the queue as it stands."""
        self.queue_depth.set(waiting)
        self.queue_oldest.set(oldest_s)
        self.running.set(running)
        self.dead.set(dead)

    def set_line(self, wait_s: float | None) -> None:
        """Set what is predicted: the wait of a turn accepted now."""
        self.line_wait.set(float("nan") if wait_s is None else wait_s)

    def exposition(self) -> bytes:
        """Render everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _make_gauges(self) -> None:
        registry = self.registry
        self.queue_depth = Gauge("aside_queue_depth", "Turns that wait", registry=registry)
        self.queue_oldest = Gauge(
            "aside_queue_oldest_seconds", "Age of the oldest waiting turn", registry=registry
        )
        self.line_wait = Gauge(
            "aside_line_wait_seconds",
            "Predicted wait of a turn accepted now; NaN while nobody knows",
            registry=registry,
        )
        self.running = Gauge("aside_turns_running", "Turns in a worker's hands", registry=registry)
        self.dead = Gauge("aside_dead", "Turns given up, not requeued and not discarded", registry=registry)
        self.up = Gauge("aside_dependency_up", "1 while it answers", ["dependency"], registry=registry)
        self.engine = Gauge("aside_engine_state", "1 for the engine's state", ["state"], registry=registry)
        for dependency in Dependency:
            self.up.labels(dependency.value).set(1)
        self._engine(EngineState.STARTING)

    def _make_turn_metrics(self) -> None:
        registry = self.registry
        self.accepted = Counter(
            "aside_accepted", "Mentions committed", ["adapter", "joined"], registry=registry
        )
        self.wait = Histogram(
            "aside_turn_wait_seconds", "From accepted to taken", buckets=SECONDS, registry=registry
        )
        self.first_token = Histogram(
            "aside_first_token_seconds",
            "From accepted to the first token",
            buckets=SECONDS,
            registry=registry,
        )
        self.engine_first_token = Histogram(
            "aside_engine_first_token_seconds",
            "From the engine's request to its first token",
            buckets=SECONDS,
            registry=registry,
        )
        self.turn = Histogram(
            "aside_turn_seconds", "From accepted to finished", buckets=SECONDS, registry=registry
        )
        self.turns = Counter("aside_turns", "Finished turns", ["outcome"], registry=registry)
        self.tokens = Counter("aside_tokens", "Tokens the engine counted", ["kind"], registry=registry)
        self.prefix_breaks = Counter(
            "aside_prefix_breaks",
            "Prompts of which the engine's cache held less than their chat had left there",
            ["cause"],
            registry=registry,
        )

        self.cuts = Counter(
            "aside_context_cuts", "Prompts that lost their oldest turns", ["summary"], registry=registry
        )
        self.summaries = Counter(
            "aside_summaries", "Summaries that were asked for", ["outcome"], registry=registry
        )

    def _make_fault_counters(self) -> None:
        registry = self.registry
        self.repeated = Counter("aside_dedup", "Events delivered again", ["adapter"], registry=registry)
        self.shed = Counter("aside_shed", "Mentions refused at intake", ["reason"], registry=registry)
        self.failed = Counter(
            "aside_attempts_failed", "Failed attempts", ["error", "counted"], registry=registry
        )
        self.leases_lost = Counter("aside_lease_expired", "Leases that workers lost", registry=registry)
        self.fenced = Counter("aside_fenced", "Writes a newer token refused", registry=registry)
        self.ambiguous = Counter(
            "aside_ambiguous_sends", "Sends that may have arrived", ["adapter"], registry=registry
        )
        self.notices = Counter("aside_notices", "Notices sent", ["kind"], registry=registry)
        self.reported = Counter(
            "aside_messages_reported",
            "Messages of ours of which the platform told how far they came",
            ["adapter", "state", "failure"],
            registry=registry,
        )
        self.cost = Counter(
            "aside_message_cost",
            "What messages cost, in units of the currency, as far as the platform tells",
            ["adapter", "currency"],
            registry=registry,
        )
        self.ratings = Counter(
            "aside_ratings", "Replies that were rated", ["adapter", "rating"], registry=registry
        )
        self.contexts_dropped = Counter(
            "aside_contexts_dropped", "Cached contexts that could not be read", registry=registry
        )
        self.rebuilt = Counter("aside_schedule_rebuilt", "Times the schedule was rebuilt", registry=registry)

    def _accepted(self, turn: TurnAccepted) -> None:
        self.accepted.labels(turn.adapter, str(turn.joined).lower()).inc()

    def _first_token(self, token: FirstToken) -> None:
        self.engine_first_token.observe(max(0.0, token.engine_s))
        self.first_token.observe(max(0.0, token.since_accepted_s))

    def _replied(self, turn: TurnReplied) -> None:
        self.tokens.labels("prompt").inc(turn.prompt_tokens)
        self.tokens.labels("cached").inc(turn.cached_tokens)
        self.tokens.labels("output").inc(turn.output_tokens)

    def _summarised(self, summary: SummaryStored) -> None:
        self.summaries.labels("stored").inc()
        self.tokens.labels("summary_prompt").inc(summary.prompt_tokens)
        self.tokens.labels("summary_cached").inc(summary.cached_tokens)
        self.tokens.labels("summary_output").inc(summary.output_tokens)

    def _finished(self, turn: TurnFinished) -> None:
        self.turns.labels(turn.outcome.value).inc()
        self.turn.observe(max(0.0, turn.total_s))

    def _reported(self, message: MessageReported) -> None:
        self.reported.labels(message.adapter, message.state, message.failure).inc()
        if message.cost:
            self.cost.labels(message.adapter, message.currency).inc(message.cost)

    def _engine(self, state: EngineState) -> None:
        for each in EngineState:
            self.engine.labels(each.value).set(1 if each is state else 0)
