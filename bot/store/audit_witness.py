"""The newest link of the audit log outside the database: a file, so that a log which lost its end is noticed."""

from __future__ import annotations

from pathlib import Path

from bot.private_files import make_private_file, make_private_folder
from bot.store.audit_chain import ChainLink

WITNESS_FILE = "audit.head"
"""Name in the data folder."""


class AuditWitness:
    """Keeps the newest link in a file beside the database."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / WITNESS_FILE

    def read(self) -> ChainLink | None:
        """Return what was written last, None without a file. Raises `ValueError` for a damaged one, and `OSError`."""
        try:
            text = self.file.read_text("utf-8")
        except FileNotFoundError:
            return None
        return ChainLink.parse(text)

    def write(self, link: ChainLink) -> None:
        """Replace the file's content in one step. Raises `OSError`."""
        make_private_folder(self.file.parent)
        new = self.file.with_suffix(".new")
        make_private_file(new)
        new.write_text(f"{link}\n", "utf-8")
        new.replace(self.file)
