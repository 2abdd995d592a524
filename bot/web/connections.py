"""Bounds of the HTTP server: how many connections it has, and how long each may take to ask for something.

A connection costs a file descriptor, of which the stream, the ERPs and the database need some at any time. So the
server takes a quarter of them at most, and ends a connection that has sent no request in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import structlog

log = structlog.get_logger(__name__)

MOST_CONNECTIONS = 512
HEADER_SECONDS = 10.0
"""For the head of a connection's first request; later ones have the time for which idle connections are kept."""
_END_OF_HEAD = b"\r\n\r\n"


def most_connections() -> int:
    """Return how many connections the server takes: `MOST_CONNECTIONS`, or a quarter of the file descriptors."""
    try:
        import resource
    except ImportError:  # Windows, whose sockets are no file descriptors
        return MOST_CONNECTIONS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MOST_CONNECTIONS, soft // 4))


class BoundedConnections:
    """Makes the protocol of each connection, and ends connections beyond the bounds."""

    def __init__(
        self, serve: Callable[[], asyncio.Protocol], *, most: int | None = None, seconds: float | None = None
    ) -> None:
        """``serve`` makes the protocol that answers requests."""
        self._serve = serve
        self._most = most or most_connections()
        self._seconds = seconds or HEADER_SECONDS
        self._open = 0

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return _BoundedConnection(self, self._serve, self._seconds)

    def admit(self) -> bool:
        """Count a connection; False for one too many."""
        if self._open >= self._most:
            log.warning("http.too_many_connections", most=self._most)
            return False
        self._open += 1
        return True

    def release(self) -> None:
        """Count one connection less."""
        self._open -= 1


class _BoundedConnection(asyncio.Protocol):
    """Passes everything on to the protocol that answers requests."""

    def __init__(self, bounds: BoundedConnections, serve: Callable[[], asyncio.Protocol], seconds: float) -> None:
        self._bounds = bounds
        self._make = serve
        self._seconds = seconds
        self._inner: asyncio.Protocol | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or end at once what is one too many."""
        abort = cast(asyncio.Transport, transport).abort
        if not self._bounds.admit():
            abort()
            return
        self._timer = asyncio.get_running_loop().call_later(self._seconds, abort)
        self._inner = self._make()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass data on; the first head that is complete stops the clock."""
        if self._inner is None:
            return
        if self._timer is not None:
            self._tail += data
            if _END_OF_HEAD in self._tail:
                self._stop_timer()
            self._tail = self._tail[1 - len(_END_OF_HEAD) :]
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return None if self._inner is None else self._inner.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        self._stop_timer()
        if self._inner is not None:
            self._bounds.release()
            self._inner.connection_lost(error)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
