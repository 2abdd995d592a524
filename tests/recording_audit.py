"""An audit log in a list."""

from __future__ import annotations

from bot.access.audit import AuditEntry


class RecordingAudit:
    """Implements `bot.access.audit.AuditLog`."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)
