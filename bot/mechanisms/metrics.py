"""All of the bot's metrics in one place. Labels are bounded: never users, documents or conversations."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """The bot's Prometheus metrics, bound to one registry (each app and each test has its own)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.frames = self._counter("frames", "Frames received.", "type", "topic")
        self.acks = self._seconds("ack_seconds", "From a frame to its ACK.", "topic")
        self.opens = self._counter("stream_opens", "Calls of connections/open.", "outcome")
        self.connected = self._gauge("stream_connected", "Stream connections that are open now.")
        self.questions = self._counter("questions", "Questions by what became of them.", "command", "outcome")
        self.answer_seconds = self._seconds("answer_seconds", "From a question's frame to its answer being accepted.")
        self.clicks = self._counter("clicks", "Card clicks by what became of them.", "outcome")
        self.pages = self._counter("pages", "Requests for pages.", "page", "status")
        self.page_seconds = self._seconds("page_seconds", "Requests for pages.", "page")
        self.program_requests = self._counter("program_requests", "Requests of programs.", "route", "status")
        self.gate_requests = self._counter("gate_requests", "Requests at the gate, by what became of them.", "state")
        self.proposals = self._counter("proposals", "Proposals of programs, by what became of them.", "state")
        self.creations = self._counter("creations", "Documents begun from the chat, by what became of them.", "state")
        self.program_seconds = self._seconds("program_seconds", "Requests of programs.", "route")
        self.own_cards = self._counter(
            "own_cards", "Cards for who tapped on a group's card, with what the group may not see.", "outcome"
        )
        self.limits_reached = self._counter("limits_reached", "Questions refused for a limit.", "limit", "whose")
        self.audit_waiting = self._gauge("audit_waiting", "Entries of the audit log that wait for their commit.")
        self.audit_lost = self._gauge("audit_lost", "Entries that found no room while the audit log was not written.")
        self.audit_written = self._gauge("audit_written", "1 while the audit log is written, 0 while it cannot be.")
        self.audit_broken = self._gauge("audit_broken", "Places where the audit log is broken, accepted by nobody.")
        self.sent = self._counter("answers_sent", "Answers by the way they went.", "via")
        self.interim = self._counter("interim_cards", "Cards that said that an answer takes longer, and became it.")
        self.waiting = self._gauge("questions_waiting", "Questions that are acknowledged and not yet answered.")
        self.api_calls = self._counter("api_calls", "Calls to DingTalk by API and outcome.", "api", "outcome")
        self.api_seconds = self._seconds("api_seconds", "Calls to DingTalk.", "api")
        self.month_calls = self._gauge("api_calls_month", "Calls this month that count against the quota.")
        self.month_limit = self._gauge("api_calls_month_limit", "The quota of calls.")
        self.month_uses = self._gauge("stream_uses_month", "Webhook & Stream uses this month.")
        self.month_uses_limit = self._gauge("stream_uses_month_limit", "The quota of Webhook & Stream uses.")
        self.month_uses_forecast = self._gauge("stream_uses_month_forecast", "Uses that the month is going to have.")
        self.month_spent = self._gauge(
            "quota_spent_month", "Calls, uses and clicks of this month by what they were for.", "quota", "purpose"
        )
        self.erp_calls = self._counter("erp_calls", "Calls to ERPs.", "source", "call", "outcome")
        self.erp_seconds = self._seconds("erp_seconds", "Calls to ERPs.", "source", "call")
        self.erp_cached = self._counter(
            "erp_cached", "Reads that were answered with what the ERP said a moment ago.", "source", "call"
        )
        self.erp_open = self._gauge("erp_open", "1 while a source is left alone because it kept failing.", "source")
        self.index_products = self._gauge("index_products", "Products in the local index.", "source")
        self.index_age = self._gauge("index_age_seconds", "Since the index last heard of its source.", "source")
        self.read_model_age = self._gauge(
            "read_model_age_seconds", "Since all changes of documents of a source were last known.", "source"
        )
        self.index_seconds = self._seconds("index_search_seconds", "Searches in the local index.")
        self.model_calls = self._counter("model_calls", "Calls to the language model, repeated ones included.")
        self.model_sentences = self._counter(
            "model_sentences", "Sentences for the language model by what became of them.", "outcome"
        )
        self.model_tokens = self._counter("model_tokens", "Tokens of the language model.", "kind")
        self.model_seconds = self._seconds("model_seconds", "Sentences that the language model answered.")
        self.model_open = self._gauge("model_open", "1 while the language model is left alone because it kept failing.")
        self.chart_seconds = self._seconds("chart_seconds", "Pictures of charts that were painted.")
        self.deliveries = self._counter("deliveries", "Cards owed to places, by what became of a try.", "what")
        self.delivery_late = self._seconds("delivery_late_seconds", "From when a delivery was due to its being sent.")
        self.deliveries_waiting = self._gauge("deliveries_waiting", "Deliveries that are queued.")
        self.receiver_events = self._counter(
            "receiver_events", "Events owed to programs, by what became of a try.", "receiver", "what"
        )
        self.receiver_late = self._seconds(
            "receiver_late_seconds", "From when an event for a program was due to its being taken.", "receiver"
        )
        self.sheet_rounds = self._counter("sheet_rounds", "Refreshes of shared tables, by outcome.", "sheet", "outcome")
        self.sheet_rows = self._counter(
            "sheet_rows", "Rows written in shared tables, by what was done.", "sheet", "what"
        )
        self.sheet_age = self._gauge("sheet_age_seconds", "Since a shared table was last as its list.", "sheet")
        self.month_forecast = self._gauge("api_calls_month_forecast", "Calls that the month is going to have.")
        self.sparing = self._gauge(
            "api_calls_sparing", "1 while the rest of the month's calls is kept for what is urgent."
        )
        self.hooks = self._counter("hooks", "Requests to `/hooks/…` by what became of them.", "source", "outcome")
        self.hook_seconds = self._seconds("hook_seconds", "From a hook's request to its answer.")
        self.events = self._counter("events", "Events that came in, by way and outcome.", "source", "via", "outcome")
        self.intake_waiting = self._gauge("intake_waiting", "Events that wait for their commit.")
        self.events_waiting = self._gauge("events_waiting", "Events that are stored and wait to be processed.")
        self.events_age = self._gauge("events_age_seconds", "Since the oldest event that waits to be processed came.")
        self.poll_age = self._gauge("poll_age_seconds", "Since a source last answered all of a poll.", "source")
        self.queue_up = self._gauge("queue_up", "1 while a source's message queue is being read.", "source")
        self.replicas = self._gauge("replicas", "Processes that work on the database; 0 on SQLite.")
        self.replica_leads = self._gauge("replica_leads", "1 while this process leads: polls, schedules, retention.")
        self.replica_listens = self._gauge("replica_listens", "1 while other replicas tell this one what they store.")
        self.announcements = self._counter("announcements", "Times another replica told of work, by its kind.", "work")
        self.spans = self._counter("spans", "Spans of traces for the collector: sent, failed, or dropped.", "outcome")
        self.errors = self._counter("errors", "Errors by room and class.", "room", "error")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"dingerp_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"dingerp_{name}", text, labels, registry=self.registry)

    def _seconds(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"dingerp_{name}", text, labels, registry=self.registry, buckets=_SECONDS)


def count_by(metric: Counter | Histogram, label: str, *, of: str = "_total", **wanted: str) -> dict[str, float]:
    """Return what was counted since the start by the values of a label; ``of`` ends the name of the samples."""
    found: dict[str, float] = {}
    for family in metric.collect():
        for sample in family.samples:
            if sample.name.endswith(of) and wanted.items() <= sample.labels.items():
                value = sample.labels[label]
                found[value] = found.get(value, 0) + sample.value
    return found
