"""Where the events of one source wait."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAddress:
    """``url`` may hold a password and is not shown; its scheme says which kind of broker it is.

    ``name`` is the stream, queue, subject or topic. Readers of the same ``group`` share the messages, and ``reader``
    tells them apart: a reader that comes back under its name gets what it left unacknowledged.
    """

    source: str
    url: str = field(repr=False)
    name: str
    group: str
    reader: str
    abandoned_after: float = 60.0
    """Seconds after which another reader takes over what one left unacknowledged (Redis; other brokers know it)."""

    @property
    def scheme(self) -> str:
        """Return the part of the address before ``://``, in lower case."""
        return self.url.partition("://")[0].lower()
