"""The log: structured, one line an event, redacted before anything is written."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

_UNUSED = ("rich", "greenlet")
"""What structlog loads if it is there, for tracebacks and contexts that are not used here: 10 MB and a twentieth of a
start (measured)."""

if {"structlog", *_UNUSED}.isdisjoint(sys.modules):
    for name in _UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]  # its import fails, which structlog expects
    import structlog

    for name in _UNUSED:
        del sys.modules[name]
else:
    import structlog

HIDDEN = "***"

_SECRET_KEY = re.compile(r"secret|token|ticket|password|webhook|authorization|api_?key|session|price|amount", re.I)
_SECRET_TEXT = re.compile(
    r"((?:access_token|ticket|session|sign|secret|appsecret|password|authCode)=)[^&\s\"']+"  # in addresses
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user:password of a database address
    r"|\b(?:whsec_|SEC)[A-Za-z0-9+/=]{8,}",  # signing secrets
    re.I,
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values under telling names and secrets inside text."""
    for key, value in event.items():
        if _SECRET_KEY.search(key):
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = redact_text(value)
    return event


def redact_text(text: str) -> str:
    """Return the text without the secrets that addresses carry."""
    return _SECRET_TEXT.sub(lambda match: (match.group(1) or "") + HIDDEN, text)


def configure_logging(level: str, form: str) -> None:
    """Send structlog and the standard library's log through one chain to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if form == "json" else _keep_exception,
        redact,
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # Without local variables: they hold what must not be logged.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries speak up only when something is wrong; the SDK writes tickets at INFO
    # (docs: platform/dingtalk/sdk.md#tickets-in-logs).
    root.setLevel(max(number, logging.WARNING))


def _keep_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return event
