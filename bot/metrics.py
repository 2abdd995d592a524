"""Every number that the bot counts, in one place. Labels are bounded: never users, documents or conversations."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """The bot's Prometheus metrics, bound to one registry (tests make their own)."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        make = {"registry": self.registry}
        self.frames = Counter("dingerp_frames", "Frames received.", ["type", "topic"], **make)
        self.acks = Histogram("dingerp_ack_seconds", "From frame to its ACK.", ["topic"], buckets=_FAST, **make)
        self.opens = Counter("dingerp_stream_opens", "Calls of connections/open.", ["outcome"], **make)
        self.connected = Gauge("dingerp_stream_connected", "Stream connections that are open now.", **make)
        self.questions = Counter(
            "dingerp_questions", "Questions by what became of them.", ["command", "outcome"], **make
        )
        self.answer_seconds = Histogram(
            "dingerp_answer_seconds", "From a question's frame to its answer being accepted.", buckets=_FAST, **make
        )
        self.clicks = Counter("dingerp_clicks", "Card clicks by what became of them.", ["outcome"], **make)
        self.sent = Counter("dingerp_answers_sent", "Answers by the way they went.", ["via"], **make)
        self.api_calls = Counter(
            "dingerp_api_calls", "Calls to DingTalk by API and outcome.", ["api", "outcome"], **make
        )
        self.api_seconds = Histogram("dingerp_api_seconds", "Calls to DingTalk.", ["api"], buckets=_FAST, **make)
        self.month_calls = Gauge("dingerp_api_calls_month", "Calls this month that count against the quota.", **make)
        self.erp_calls = Counter("dingerp_erp_calls", "Calls to ERPs.", ["source", "call", "outcome"], **make)
        self.erp_seconds = Histogram("dingerp_erp_seconds", "Calls to ERPs.", ["source", "call"], buckets=_FAST, **make)
        self.errors = Counter("dingerp_errors", "Errors by room and class.", ["room", "error"], **make)
