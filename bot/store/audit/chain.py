"""The chain of the audit log: each entry holds the hash of the one before, so that no change goes unnoticed.

The hash is SHA-256, in hexadecimal, of the UTF-8 of a JSON list without blanks: number, time in milliseconds, kind,
actor, action, conversation, documents, shown (both as their JSON text), rule, outcome, detail, and the hash before.

The newest link is also in a file outside the database, so that a log which lost its end is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from bot.access.audit import CONTENT_FIELDS
from bot.private_files import make_private_file, make_private_folder

FIRST_HASH = "0" * 64
"""Stands for the entry before the first."""

_HASHED = ("seq", "at_ms", *CONTENT_FIELDS, "previous")


@dataclass(frozen=True, slots=True)
class ChainLink:
    """Number and hash of one entry: who knows them can tell later whether it, or one before, was changed."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> ChainLink:
        """Return the link of ``NUMBER:HASH``; raises `ValueError`."""
        seq, _, digest = text.strip().partition(":")
        if not seq.isdecimal() or len(digest) != len(FIRST_HASH) or not set(digest) <= set("0123456789abcdef"):
            raise ValueError("it is no NUMBER:HASH")
        return cls(int(seq), digest)


NO_ENTRY = ChainLink(0, FIRST_HASH)


def hash_row(row: Mapping[str, Any]) -> str:
    """Return the hash of a row without its own ``hash``."""
    return sha256(orjson.dumps([row[name] for name in _HASHED])).hexdigest()


def append_link(row: dict[str, Any], last: ChainLink) -> ChainLink:
    """Give a row its place behind ``last`` and return its link."""
    row["seq"], row["previous"] = last.seq + 1, last.hash
    row["hash"] = hash_row(row)
    return ChainLink(row["seq"], row["hash"])


class ChainCheck:
    """Follows the chain from ``start``, the newest entry that was purged, and says where it is broken."""

    def __init__(self, start: ChainLink) -> None:
        self.last = start

    def follow(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Yield what is wrong with the next rows, which come in the order of their numbers."""
        for row in rows:
            seq = row["seq"]
            if seq != self.last.seq + 1:
                yield f"entry {_span(self.last.seq + 1, seq - 1)} missing"
            elif row["previous"] != self.last.hash:
                yield f"entry {seq} does not follow entry {self.last.seq}: one of them was replaced"
            if hash_row(row) != row["hash"]:
                yield f"entry {seq} was changed: its content does not have its hash"
            self.last = ChainLink(seq, row["hash"])

    def end(self, head: ChainLink) -> Iterator[str]:
        """Yield what is wrong with the end of the chain."""
        if self.last.seq < head.seq:
            yield f"entry {_span(self.last.seq + 1, head.seq)} missing at the end"
        elif self.last.seq > head.seq:
            yield f"entry {_span(head.seq + 1, self.last.seq)} inserted at the end"
        elif self.last.hash != head.hash:
            yield f"entry {head.seq} is not the one that was written last"


def _span(first: int, last: int) -> str:
    return f"{first} is" if first >= last else f"{first} to {last} are"


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
