"""Audit entries that the database does not accept, in a file, so that a shutdown does not lose them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from bot.access.audit import AuditEntry, AuditKind
from bot.mechanisms.private_files import make_private_folder, replace_private_file
from bot.words.disclosure import FieldClass

log = structlog.get_logger(__name__)

JOURNAL_FILE: Final = "audit.waiting"
"""The file name in the data folder."""


class AuditJournal:
    """Keeps entries waiting for the database, one per line. Every call reads or writes the disk."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / JOURNAL_FILE

    def read(self) -> list[AuditEntry]:
        """Return the entries an earlier process could not write; unreadable lines are logged. Raises `OSError`."""
        try:
            lines = self.file.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found = [entry for line in lines if (entry := _read(line)) is not None]
        if len(found) < len(lines):
            log.error("audit.journal_damaged", lines=len(lines) - len(found), file=str(self.file))
        return found

    def keep(self, entries: Sequence[AuditEntry]) -> None:
        """Write these entries to the file; without any the file is deleted. Raises `OSError`."""
        if not entries:
            self.file.unlink(missing_ok=True)
            return
        make_private_folder(self.file.parent)
        replace_private_file(self.file, "".join(f"{_write(entry)}\n" for entry in entries))


def _write(entry: AuditEntry) -> str:
    fields = {name: getattr(entry, name) for name in AuditEntry.__slots__}
    return orjson.dumps(_storable(fields)).decode()


def _storable(value: Any) -> Any:
    if isinstance(value, str):  # a lone surrogate must not prevent the others from being stored
        return str(value).encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _storable(each) for name, each in value.items()}
    return [_storable(each) for each in value] if isinstance(value, tuple) else value


def _read(line: bytes) -> AuditEntry | None:
    try:
        fields = orjson.loads(line)
        known = {
            "kind": AuditKind(fields["kind"]),
            "at": datetime.fromisoformat(fields["at"]),
            "documents": tuple(fields["documents"]),
            "shown": tuple(map(FieldClass, fields["shown"])),
        }
        return AuditEntry(**fields | known)
    except (ValueError, KeyError, TypeError):
        return None
