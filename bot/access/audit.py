"""What must be told afterwards: who did what, where and when, what they were shown, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.disclosure import FieldClass


class AuditKind(StrEnum):
    """What happened."""

    QUESTION = "question"
    DECISION = "decision"
    REFUSAL = "refusal"
    MUTE = "mute"
    RULES = "rules"
    BINDING = "binding"
    EXPORT = "export"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry of the audit log. ``actor`` is a userId, or a name of the operating system's for operators.

    ``action`` is a command or the name of an action, ``documents`` the numbers that were shown or changed, ``shown``
    the classes of sensitive fields among them, ``rule`` the name of the rule that decided, ``detail`` a reason in plain
    words. No entry holds amounts, names of partners or the text of a message.
    """

    kind: AuditKind
    at: datetime
    actor: str
    action: str
    conversation: str = ""
    documents: tuple[str, ...] = ()
    shown: tuple[FieldClass, ...] = ()
    rule: str = ""
    outcome: str = ""
    detail: str = ""


class AuditLog(Protocol):
    """Keeps entries in order and for good; implemented by `bot.store.audit`."""

    def record(self, entry: AuditEntry) -> None:
        """Keep the entry with the next commit; it is not lost by a stop of the process in good order."""
        ...
