"""A file followed while it is edited; while it is wrong, the last good rules stay in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

import structlog

from bot.rulefiles.absence import NoRules
from bot.rulefiles.document import Reviewed
from bot.rulefiles.endings import END, find_loss
from bot.rulefiles.errors import RuleProblem, RulesError
from bot.rulefiles.names_in_force import NamesInForce
from bot.words.names import KnownNames
from bot.words.phrase import Words, phrase

T = TypeVar("T")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A file's modification stamp; all zero if it cannot be examined."""

    mtime_ns: int = 0
    ctime_ns: int = 0
    inode: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChange:
    """An edited rule file: SHA-256 of the rules in force, and the numbers of new and removed lines.

    ``defect`` says why the edited file is not in force; then nothing has changed.
    """

    path: Path
    sha256: str
    added: int = 0
    removed: int = 0
    defect: Words = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleContent(Generic[T]):
    """The content of a document.

    ``decides`` tells whether it has rules on the matter itself (who may, where to, who decides), which replace the
    default; ``says_none`` whether it declares that it has none.
    """

    rules: T
    decides: bool
    says_none: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInForce(Generic[T]):
    """The rules in force and their origin; without a ``path`` they are the default."""

    review: Reviewed[RuleContent[T]]
    path: Path | None = None
    text: bytes = b""

    @property
    def content(self) -> RuleContent[T]:
        """The file's content."""
        return self.review.rules

    @property
    def sha256(self) -> str:
        """SHA-256 of the file as read; empty without one."""
        return sha256(self.text).hexdigest() if self.path is not None else ""


class FollowedFile(Generic[T]):
    """A file's content converted by ``read``, kept up to date by `look`.

    The file is the first existing one of ``places``. Nothing opens by accident: a file that is wrong or missing, or
    that without a declaration has no rules or fewer than before, leaves the last good rules in force.
    """

    def __init__(
        self,
        places: Sequence[Path],
        read: Callable[[bytes, str, KnownNames], Reviewed[RuleContent[T]]],
        default: Callable[[], RuleContent[T]],
        *,
        none: NoRules,
        names: NamesInForce,
    ) -> None:
        """Read the file, or use the default if there is none. Raises `RulesError` like ``read`` if it is wrong.

        ``read`` takes the content, the file's name in errors, and the names that exist; ``names`` receives those used
        by the rules in force. At the start there are no good rules to keep, and a company that has written its own does
        not expect the default.
        """
        self._places = tuple(places)
        self._read_content = read
        self._none = none
        self._names = names
        self._seen = self._settling = self._stamps()
        self._defect: Words = ""
        self._listeners: list[Callable[[RulesChange], None]] = []
        self._reading = Lock()
        chosen = self._choose(self._seen, None)
        self._in_force = FileInForce(review=Reviewed(default())) if chosen is None else self._read(chosen)
        self._use_names()

    @property
    def defect(self) -> Words:
        """Why the current file is not in force, for readiness and ``dingerp doctor``; empty if it is."""
        return self._defect

    @property
    def places(self) -> tuple[Path, ...]:
        """The places searched for the file; the first existing one counts."""
        return self._places

    @property
    def path(self) -> Path:
        """The file in force; without one, the last place searched."""
        return self._in_force.path or self._places[-1]

    @property
    def unread(self) -> Path | None:
        """An existing file that is not read because an earlier place has one."""
        present = (place for place, stamp in zip(self._places, self._seen, strict=True) if stamp is not None)
        return next((place for place in present if place != self._choose(self._seen, self._in_force.path)), None)

    @property
    def none(self) -> NoRules:
        """How the file declares that it has no rules."""
        return self._none

    @property
    def in_force(self) -> FileInForce[T]:
        """The rules in force, and their origin."""
        return self._in_force

    def listen(self, tell: Callable[[RulesChange], None]) -> None:
        """Also call ``tell`` after every edit of the file, in the thread that called `look`."""
        self._listeners.append(tell)

    def current(self) -> T:
        """Return the rules in force, without touching the disk."""
        return self._in_force.content.rules

    def look(self) -> None:
        """Read the file if it changed, and has not changed again since the last look: its writer has finished.

        That is one `stat` per place (microseconds), and milliseconds for changed rules: call it in a thread where no
        loop waits.
        """
        with self._reading:
            stamps = self._stamps()
            settled, self._settling = stamps == self._settling, stamps
            if settled and stamps != self._seen:
                self._seen = stamps
                self._follow(self._choose(stamps, self._in_force.path))

    def read_again(self) -> None:
        """Read the file now, even if it looks unchanged."""
        with self._reading:
            self._seen = self._settling = self._stamps()
            self._follow(self._choose(self._seen, self._in_force.path))

    def review(self, content: bytes, *, name: str = "") -> FileInForce[T]:
        """Return what would be in force with this content: with the errors of ``dingerp … check``, and nothing is read.

        ``name`` is the file's name in errors, by default its own. Raises `RulesError`.
        """
        known = replace(self._names.known, is_strict=True)
        found = FileInForce(
            review=self._read_content(content, name or str(self.path), known), path=self.path, text=content
        )
        self._refuse_emptied(found)
        return found

    def _tell(self, change: RulesChange) -> None:
        for tell in self._listeners:
            tell(change)

    def _stamps(self) -> tuple[_Stamp | None, ...]:
        return tuple(map(_stamp, self._places))

    def _choose(self, stamps: Sequence[_Stamp | None], in_force: Path | None) -> Path | None:
        """Return the file to read: the first existing one, but none after the one in force.

        A missing file is more likely an accident, or an editor at work, than a wish for the next place.
        """
        for place, stamp in zip(self._places, stamps, strict=True):
            if stamp is not None or place == in_force:
                return place
        return None

    def _follow(self, chosen: Path | None) -> None:
        if chosen is None:  # a wrong file came and went, and there was none before
            self._defect = ""
            return
        before, was_wrong = self._in_force, bool(self._defect)
        try:
            found = self._read(chosen)
            self._refuse_emptied(found)
            if found.path == before.path:
                self.refuse_cut(found, before.text)
        except RulesError as error:
            self._defect = error.explain()
            self._tell(RulesChange(path=chosen, sha256=before.sha256, defect=self._defect))
            _log.error("rules are wrong, the last good ones stay in force", file=str(chosen), reason=error.detail)
            return
        self._defect = ""
        self._in_force = found
        self._use_names()
        _log.info("rules were read anew", file=str(chosen))
        if (found.path, found.text) == (before.path, before.text) and not was_wrong:
            return
        added, removed = _count_lines(before.text, found.text)
        self._tell(RulesChange(path=chosen, sha256=found.sha256, added=added, removed=removed))

    def _refuse_emptied(self, found: FileInForce[T]) -> None:
        """Raise `RulesError` for a file that lost its rules without declaring so."""
        if self._in_force.content.decides and not found.content.decides and not found.content.says_none:
            reason = phrase(
                "its rules are gone, and the ones before stay in force; %(remedy)s", remedy=self._none.remedy
            )
            raise RulesError(str(found.path), (RuleProblem(1, reason),))

    def refuse_cut(self, found: FileInForce[T], before: bytes) -> None:
        """Raise `RulesError` for a file that lost part of its content since ``before`` without declaring so."""
        if lost := find_loss(before, found.text, word=self._none.word):
            reason = phrase(
                "it may be cut off: %(lost)s; if nothing is missing, write %(end)s as its last line",
                lost=lost,
                end=f"{END!r}",
            )
            raise RulesError(str(found.path), (RuleProblem(found.text.count(b"\n") + 1, reason),))

    def _read(self, path: Path) -> FileInForce[T]:
        text = read_content(path)
        return FileInForce(review=self._read_content(text, str(path), self._names.known), path=path, text=text)

    def _use_names(self) -> None:
        """Put the names of the rules in force into use, replacing the previous ones, and report doubts."""
        found = self._in_force
        self._names.use(str(self._places[-1]), found.review.references)
        for warning in found.review.warnings:
            self._names.tell(phrase("%(file)s: %(problems)s", file=str(found.path), problems=warning.words))


def _count_lines(before: bytes, after: bytes) -> tuple[int, int]:
    """Return the numbers of new and of removed lines."""
    old, new = before.splitlines(), after.splitlines()
    kept = sum(block.size for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks())
    return len(new) - kept, len(old) - kept


def find_files(places: Iterable[Path]) -> tuple[Path, ...]:
    """Return the existing files among the places; a start reads the first."""
    return tuple(place for place in places if _stamp(place) is not None)


def read_content(path: Path) -> bytes:
    """Return the content of a file of rules. Raises `RulesError` if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = phrase("it cannot be read: %(why)s", why=error.strerror or type(error).__name__)
        raise RulesError(str(path), (RuleProblem(1, reason),)) from None


def _stamp(path: Path) -> _Stamp | None:
    """Return the stamp of a path; None only if nothing exists there."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return _Stamp() if path.is_symlink() else None
    except OSError:
        return _Stamp()
    return _Stamp(status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)
