"""Times and bounds of the stream connection."""

from __future__ import annotations

from dataclasses import dataclass

from bot.mechanisms.backoff import BackoffPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPolicy:
    """All times in seconds, all sizes in bytes. The defaults suit the real gateway; tests shrink them."""

    open_timeout: float = 10.0
    """The timeout of ``connections/open``, and also of the WebSocket handshake."""

    backoff_first: float = 1.0
    """Shortest pause after a failure."""

    backoff_max: float = 60.0
    """Longest pause after many failures."""

    stable_after: float = 60.0
    """Only a connection that lasted this long ends a series of failures."""

    unauthorized_wait: float = 60.0
    """Shortest pause after 401: the keys have to be corrected first (docs: platform/dingtalk/stream.md#opening)."""

    heartbeat: float = 20.0
    """Idle time before a WebSocket ping; its pong must come within half of it."""

    silence_limit: float = 90.0
    """A connection without any frame or pong for this long is dropped."""

    drain: float = 10.0
    """How long a connection is still read after its ``disconnect`` frame
    (docs: platform/dingtalk/stream.md#system-frames)."""

    send_timeout: float = 5.0
    """The timeout of writing one ACK; a peer that accepts nothing for this long is dropped."""

    close_timeout: float = 1.0
    """For the close frames at the end of a connection."""

    max_frame: int = 1 << 20
    """A longer message ends its connection."""

    max_in_flight: int = 512
    """Callbacks processed concurrently; further ones wait for their turn."""

    max_waiting: int = 4096
    """Unanswered frames. Beyond this no connection is read until there is capacity."""

    max_sdk_in_flight: int = 100
    """Frames at handlers written for the SDK; further frames get no ACK and are redelivered."""

    sdk_timeout: float = 300.0
    """The timeout of one call of a handler written for the SDK, which may wait for a slow model."""

    remember: int = 1_000
    """Answers kept for redelivered frames."""

    remember_for: float = 600.0
    """The retention of these answers; redeliveries were seen after 16 s and 60 s (docs:
    platform/dingtalk/stream.md#redelivery).
    """

    @property
    def backoff(self) -> BackoffPolicy:
        """Return the pauses between opens, drawn between the first pause and a bound that doubles with each failure.

        So two successive opens are never closer than ``backoff_first``, whatever the gateway does (docs:
        platform/dingtalk/sdk.md#reconnect-storm).
        """
        return BackoffPolicy(
            first=2 * self.backoff_first, longest=self.backoff_max, spread=(0.0, 1.0), shortest=self.backoff_first
        )
