"""Traces for a collector of the operator's, where one is configured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from bot.chat.questions.failures import has_failed
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import Trace
from bot.mechanisms.version import installed_version
from bot.outbox.delivery import DeliveryStepKind
from bot.settings import OtelSettings
from bot.words.errors import ConfigurationError

_FAILED_DELIVERIES = frozenset({DeliveryStepKind.RETRIED, DeliveryStepKind.DEAD})


def open_span_export(
    stack: AsyncExitStack, wanted: OtelSettings, metrics: Metrics, process: str
) -> Callable[[Trace], None]:
    """Return what sends the spans of traces until ``stack`` ends; without a collector in the settings it does nothing.

    Raises `ConfigurationError` if its package is not installed.
    """
    if not wanted.endpoint:
        return lambda _trace: None
    try:
        from bot.mechanisms.span_export import SpanExport
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"otel.endpoint needs the package {error.name}: pip install 'dingerp[otel]'"
        ) from error
    export = SpanExport(
        wanted.endpoint,
        headers={name: value.get_secret_value() for name, value in wanted.headers.items()},
        seconds=wanted.timeout,
        sample=wanted.sample,
        metrics=metrics,
        resource={"service.name": "dingerp", "service.version": installed_version(), "service.instance.id": process},
        has_failed=lambda trace: trace.outcome in _FAILED_DELIVERIES or has_failed(trace),
    )
    stack.push_async_callback(asyncio.to_thread, export.close)
    return export.take
