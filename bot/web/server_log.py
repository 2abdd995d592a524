"""The log of the HTTP server. Who sends what is no HTTP costs one line and a number: no traceback, and nothing of what
was sent, which may be a signature.
"""

from __future__ import annotations

import logging
from typing import Any

import structlog
from aiohttp.http import HttpProcessingError

from bot.metrics import Metrics

log = structlog.get_logger(__name__)


class ServerLog(logging.LoggerAdapter[logging.Logger]):
    """Takes the place of aiohttp's own log."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.getLogger("aiohttp.server"))
        self._metrics = metrics

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a line, without the traceback of a request that cannot be read."""
        error = kwargs.get("exc_info")
        if not isinstance(error, HttpProcessingError):
            super().log(level, msg, *args, **kwargs)
            return
        name = type(error).__name__
        self._metrics.errors.labels("http", name).inc()
        log.warning("http.unreadable_request", error=name, status=error.code)
