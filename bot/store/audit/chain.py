"""The chain of the audit log: each entry holds the hash of its predecessor, so that no change goes unnoticed.

The hash is SHA-256, in hexadecimal, of the UTF-8 of a JSON list without blanks: number, time in milliseconds, kind,
actor, action, conversation, documents, shown (both as their JSON text), rule, outcome, detail, and the previous hash.

A file outside the database also holds the newest link, so that a log which lost its end is noticed; and the unaccepted
breaks, so that restoring the database does not remove them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from bot.access.audit import CONTENT_FIELDS
from bot.mechanisms.private_files import make_private_file, make_private_folder
from bot.store.tables.audit import FIRST_HASH

_HASHED = ("seq", "at_ms", *CONTENT_FIELDS, "previous")


@dataclass(frozen=True, slots=True)
class ChainLink:
    """Number and hash of one entry: they prove later whether it, or an earlier one, was changed."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> ChainLink:
        """Return the link in ``NUMBER:HASH``; raises `ValueError`."""
        seq, _, digest = text.strip().partition(":")
        if not seq.isdecimal() or len(digest) != len(FIRST_HASH) or not set(digest) <= set("0123456789abcdef"):
            raise ValueError("it is no NUMBER:HASH")
        return cls(int(seq), digest)


NO_ENTRY = ChainLink(0, FIRST_HASH)


def hash_row(row: Mapping[str, Any]) -> str:
    """Return the hash of a row without its own ``hash``; empty if it has values of other types."""
    try:
        return sha256(orjson.dumps([row[name] for name in _HASHED])).hexdigest()
    except TypeError:
        return ""


def append_link(row: dict[str, Any], last: ChainLink, seq: int | None = None) -> ChainLink:
    """Place a row after ``last``, by default with the next number, and return its link."""
    row["seq"], row["previous"] = seq or last.seq + 1, last.hash
    row["hash"] = hash_row(row)
    return ChainLink(row["seq"], row["hash"])


_REMEMBERED = 100
"""The number of recent links searched for the predecessor of an entry behind inserted ones."""


class ChainCheck:
    """Follows the chain from ``start``, the newest purged entry, and reports its breaks."""

    def __init__(self, start: ChainLink) -> None:
        self.last = start
        self._before: deque[ChainLink] = deque(maxlen=_REMEMBERED)

    def follow(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Yield the problems in the next rows, which come in order of number."""
        for row in rows:
            seq = row["seq"]
            if seq != self.last.seq + 1:
                yield f"entry {_span(self.last.seq + 1, seq - 1)} missing"
            elif row["previous"] != self.last.hash:
                yield self._why_not_next(row)
            if hash_row(row) != row["hash"]:
                yield f"entry {seq} was changed: its content does not have its hash"
            self._before.append(self.last)
            self.last = ChainLink(seq, row["hash"])

    def _why_not_next(self, row: Mapping[str, Any]) -> str:
        """Return why an entry does not follow its predecessor, which may have been inserted."""
        seq, real = row["seq"], next((link for link in self._before if link.hash == row["previous"]), None)
        if real is None:
            return f"entry {seq} does not follow entry {self.last.seq}: one of them was replaced"
        return f"entry {_span(real.seq + 1, self.last.seq)} inserted: entry {seq} follows entry {real.seq}"

    def end(self, head: ChainLink) -> Iterator[str]:
        """Yield the problems at the end of the chain."""
        if self.last.seq < head.seq:
            yield f"entry {_span(self.last.seq + 1, head.seq)} missing at the end"
        elif self.last.seq > head.seq:
            yield f"entry {_span(head.seq + 1, self.last.seq)} inserted at the end"
        elif self.last.hash != head.hash:
            yield f"entry {head.seq} is not the one that was written last"


def _span(first: int, last: int) -> str:
    return f"{first} is" if first >= last else f"{first} to {last} are"


WITNESS_FILE = "audit.head"
"""The file name in the data folder."""


class AuditWitness:
    """Keeps the newest link in a file beside the database, followed by the unaccepted breaks."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / WITNESS_FILE

    def read(self) -> ChainLink | None:
        """Return the last link written, None without a file. Raises `ValueError` for a damaged one, and `OSError`."""
        lines = self._lines()
        return None if lines is None else ChainLink.parse(lines[0] if lines else "")

    def broken(self) -> tuple[str, ...]:
        """Return the unaccepted breaks at the time of writing. Raises as `read` does."""
        return tuple((self._lines() or [""])[1:])

    def written_at(self) -> float:
        """Return when the file was last written, in seconds since 1970; 0 without one."""
        try:
            return self.file.stat().st_mtime
        except OSError:
            return 0.0

    def write(self, link: ChainLink, broken: Sequence[str] = ()) -> None:
        """Replace the file's content atomically. Raises `OSError`."""
        make_private_folder(self.file.parent)
        new = self.file.with_suffix(".new")
        make_private_file(new)
        lines = [str(link), *(" ".join(problem.split()) for problem in broken)]
        new.write_text("\n".join(lines) + "\n", "utf-8")
        new.replace(self.file)

    def _lines(self) -> list[str] | None:
        try:
            return self.file.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return None
