"""Of many refusals of one person the audit log has the first few and a number."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.access.audit import FOLDING, REFUSALS_KEPT, AuditEntry, AuditKind, FoldedAuditLog
from tests.recording_audit import RecordingAudit

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


class Log:
    def __init__(self) -> None:
        self.kept = RecordingAudit()
        self.now = NOW
        self.folded = FoldedAuditLog(self.kept, lambda: self.now)

    def refuse(self, times: int = 1, actor: str = "u1") -> None:
        for _ in range(times):
            entry = AuditEntry(kind=AuditKind.REFUSAL, at=self.now, actor=actor, action="order", detail="not for you")
            self.folded.record(entry)

    @property
    def details(self) -> list[str]:
        return [f"{entry.actor} {entry.detail}" for entry in self.kept.entries]


def test_a_flood_of_refusals_is_a_few_entries() -> None:
    log = Log()
    log.refuse(1000)
    log.folded.fold()
    assert log.details == ["u1 not for you"] * REFUSALS_KEPT
    log.now += FOLDING
    log.folded.fold()
    log.folded.fold(everything=True)
    assert log.details[REFUSALS_KEPT:] == ["u1 995 more refusals, the last: not for you"]


def test_each_person_is_counted_alone() -> None:
    log = Log()
    log.refuse(REFUSALS_KEPT + 1)
    log.refuse(actor="u2")
    log.folded.fold(everything=True)
    assert log.details[REFUSALS_KEPT:] == ["u2 not for you", "u1 one more refusal, the last: not for you"]


def test_after_a_while_they_are_recorded_again() -> None:
    log = Log()
    log.refuse(REFUSALS_KEPT + 2)
    log.now += FOLDING
    log.refuse()
    assert log.details[REFUSALS_KEPT:] == ["u1 2 more refusals, the last: not for you", "u1 not for you"]


def test_everything_else_is_recorded_each_time() -> None:
    log = Log()
    for _ in range(50):
        log.folded.record(AuditEntry(kind=AuditKind.QUESTION, at=NOW, actor="u1", action="order"))
    log.folded.fold(everything=True)
    assert len(log.kept.entries) == 50
