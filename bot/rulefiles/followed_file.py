"""A file that is followed while it is edited; while it is wrong, the last good rules stay in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from bot.rulefiles.errors import RuleProblem, RulesError

T = TypeVar("T")

_log = structlog.get_logger(__name__)
_LOOK = 1.0
"""Seconds between two checks of the file."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    mtime_ns: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChange:
    """A file of rules that was edited: SHA-256 of the rules in force, and how many lines are new and gone.

    ``defect`` says why the edited file is not in force; then nothing has changed.
    """

    path: Path
    sha256: str
    added: int = 0
    removed: int = 0
    defect: str = ""


class FollowedFile(Generic[T]):
    """What ``read`` makes of a file's content, kept up to date.

    A check is a `stat` (microseconds), and changed rules are read in milliseconds: call `current` in a thread where no
    loop waits, such as the database's, and keep its result while several questions need the same rules.
    """

    def __init__(
        self, path: Path, read: Callable[[bytes], T], default: Callable[[], T], *, monotonic: Callable[[], float]
    ) -> None:
        """Read the file, or take the default if there is none. Raises `RulesError`, as ``read`` does, if it is wrong.

        At the start there are no good rules to keep, and the company that has written others does not expect the
        default.
        """
        self._path = path
        self._read_content = read
        self._monotonic = monotonic
        self._looked = monotonic()
        self._stamp = _stamp(path)
        self._defect: RulesError | None = None
        self._content = b""
        self._tell: Callable[[RulesChange], None] = lambda change: None
        self._rules = default() if self._stamp is None else self._read()

    @property
    def defect(self) -> str:
        """The errors of the file as it is now, for readiness and ``dingerp doctor``; empty if there are none."""
        return "" if self._defect is None else self._defect.detail

    @property
    def path(self) -> Path:
        """The file that is followed, whether it is there or not."""
        return self._path

    @property
    def digest(self) -> str:
        """SHA-256 of the content in force; empty without a file."""
        return sha256(self._content).hexdigest() if self._content else ""

    def listen(self, tell: Callable[[RulesChange], None]) -> None:
        """Call ``tell`` after every edit of the file, in the thread that asked for `current`."""
        self._tell = tell

    def current(self) -> T:
        """Return the rules in force; the file is checked at most once a second."""
        now = self._monotonic()
        if now - self._looked >= _LOOK:
            self._looked = now
            self._follow()
        return self._rules

    def read_again(self) -> T:
        """Read the file now, also where it looks as it did, and return the rules in force."""
        self._looked = self._monotonic()
        if (stamp := _stamp(self._path)) is not None:
            self._take(stamp)
        return self._rules

    def _follow(self) -> None:
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._take(stamp)

    def _take(self, stamp: _Stamp | None) -> None:
        self._stamp = stamp
        before, was_wrong = self._content, self._defect is not None
        try:
            self._rules = self._read()
        except RulesError as error:
            self._defect = error
            self._tell(RulesChange(path=self._path, sha256=self.digest, defect=error.detail))
            _log.error("rules are wrong, the last good ones stay in force", file=str(self._path), reason=error.detail)
        else:
            self._defect = None
            _log.info("rules were read anew", file=str(self._path))
            if self._content == before and not was_wrong:
                return
            added, removed = _count_lines(before, self._content)
            self._tell(RulesChange(path=self._path, sha256=self.digest, added=added, removed=removed))

    def _read(self) -> T:
        # A file that vanishes is more likely an accident, or an editor at work, than a return to the default.
        content = read_content(self._path)
        rules = self._read_content(content)
        self._content = content
        return rules


def _count_lines(before: bytes, after: bytes) -> tuple[int, int]:
    """Return how many lines are new, and how many are gone."""
    old, new = before.splitlines(), after.splitlines()
    kept = sum(block.size for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks())
    return len(new) - kept, len(old) - kept


def read_content(path: Path) -> bytes:
    """Return the content of a file of rules. Raises `RulesError` if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or type(error).__name__}"
        raise RulesError(str(path), (RuleProblem(1, reason),)) from None


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _Stamp(status.st_mtime_ns, status.st_size)
