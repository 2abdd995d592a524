"""Metrics of the stream, with bounded labels and without a label lookup per frame."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Histogram

from bot.dingtalk.sdk import CallbackMessage, EventMessage, SystemMessage
from bot.mechanisms.metrics import Metrics

_TYPES: Final = (CallbackMessage.TYPE, EventMessage.TYPE, SystemMessage.TYPE)
_OTHER: Final = "other"


class StreamMetrics:
    """Counts frames, ACKs and errors. Unannounced topics count as ``other``: they come from the wire."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._topics = {"*", "ping", SystemMessage.TOPIC_DISCONNECT}
        self._frames: dict[tuple[str, str], Counter] = {}
        self._acks: dict[str, Histogram] = {}

    def announce(self, topic: str) -> None:
        """Give ``topic`` a label of its own."""
        self._topics.add(topic)

    def frame(self, kind: str, topic: str) -> None:
        """Count a received frame."""
        child = self._frames.get((kind, topic))
        if child is None:
            known = (kind if kind in _TYPES else _OTHER, topic if topic in self._topics else _OTHER)
            child = self._metrics.frames.labels(*known)
            if known == (kind, topic):
                self._frames[known] = child
        child.inc()

    def ack(self, topic: str, seconds: float) -> None:
        """Count an ACK and the time since its frame."""
        child = self._acks.get(topic)
        if child is None:
            known = topic if topic in self._topics else _OTHER
            child = self._metrics.acks.labels(known)
            if known == topic:
                self._acks[topic] = child
        child.observe(seconds)

    def opened(self, outcome: str) -> None:
        """Count a call of ``connections/open``."""
        self._metrics.opens.labels(outcome).inc()

    def error(self, name: str) -> None:
        """Count an error."""
        self._metrics.errors.labels("stream", name).inc()

    def connected(self, change: int) -> None:
        """Count a new (1) or lost (-1) connection."""
        self._metrics.connected.inc(change)
