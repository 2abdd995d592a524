"""The errors of the bot's own database, and their causes in words for the operator.

The drivers' own texts are not repeated: PostgreSQL's may contain row values.
"""

from __future__ import annotations

import errno
from typing import ClassVar, Final

from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.words.errors import ConfigurationError, DingerpError
from bot.words.phrase import Phrase, Words, phrase


class StoreUnavailable(DingerpError):
    """The database refused or did not answer; ``detail`` gives the cause and the remedy, with the error's class."""

    retry: ClassVar[bool] = True

    def __init__(self, why: Words = "") -> None:
        super().__init__(str(why))
        self._why = why

    def explain(self) -> Words:
        return self._why

    def tell(self) -> Phrase:
        return phrase(
            "The bot cannot store anything at the moment, so it cannot answer yet. It goes on by itself as soon as it "
            "can; please tell its administrator if that takes long."
        )


class LeadLost(StoreUnavailable):
    """Another replica leads: what only the leader may write was not written."""


class DatabaseInUse(ConfigurationError):
    """Another process owns the database."""

    exit_code: ClassVar[int] = 3


class DatabaseIsNewer(ConfigurationError):
    """A newer version of the bot has used the database, and this one cannot interpret it."""


_FULL: Final = phrase("the disk is full; make room on it")
_READ_ONLY: Final = phrase("the database is read-only; check the mount and the owner of its folder")
_DAMAGED: Final = phrase("the database's file is damaged; stop the bot and restore a backup with `dingerp db restore`")
_LOCKED: Final = phrase("another process holds the database's lock; end what else writes to it")
_NOT_OPENED: Final = phrase("the database cannot be opened; check that its folder is there and can be written")
_DISK_FAILS: Final = phrase("the disk fails to read or write; check the disk and the system's log")
_CROWDED: Final = phrase("the database has no more connections; raise max_connections or end other clients")
_NOT_REACHED: Final = phrase("the database is not reached; check its address and that it runs")
_KEYS: Final = phrase("the database refuses the account; check user and password")
_ABSENT: Final = phrase("the server has no database of this name; create it")
_UNSUITABLE: Final = phrase("the database's tables are not those of this version; `dingerp doctor` says more")

_SQLITE: Final = {
    # Primary result codes (https://www.sqlite.org/rescode.html).
    5: _LOCKED,
    6: _LOCKED,
    8: _READ_ONLY,
    10: _DISK_FAILS,
    11: _DAMAGED,
    13: _FULL,
    14: _NOT_OPENED,
    26: _DAMAGED,
}
_PRIMARY = 0xFF

_POSTGRESQL: Final = {
    # SQLSTATE codes and classes (PostgreSQL documentation, appendix A).
    "08": _NOT_REACHED,
    "25006": _READ_ONLY,
    "25P03": phrase("a transaction was idle for too long and was ended"),
    "28": _KEYS,
    "3D": _ABSENT,
    "42501": phrase("the database's account lacks a right; grant it, or make the account the owner of the database"),
    "42": _UNSUITABLE,
    "53100": _FULL,
    "53300": _CROWDED,
    "55P03": _LOCKED,
    "57014": phrase("a statement took too long and was ended"),
    "57P": phrase("the database is stopping or starting"),
    "XX": phrase("the database's files are damaged; see its own log"),
}

_SYSTEM: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EIO: _DISK_FAILS,
    errno.EMFILE: phrase("the process has too many files open; raise its limit (LimitNOFILE)"),
}


def store_unavailable(error: Exception) -> StoreUnavailable:
    """Return the store's error: the driver's class, with cause and remedy if known."""
    name, cause = type(error).__name__, _cause(error)
    return StoreUnavailable(phrase("%(why)s (%(error)s)", why=cause, error=name) if cause else name)


def _cause(error: Exception) -> Phrase | None:
    if isinstance(error, PoolTimeout):
        return _LOCKED
    if isinstance(error, OSError):
        return _SYSTEM.get(error.errno or 0)
    driver = getattr(error, "orig", None) or error
    code = getattr(driver, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & _PRIMARY)
    if not hasattr(driver, "sqlstate"):
        return None
    state = driver.sqlstate or "08"  # without a code the server was not reached at all
    return next((_POSTGRESQL[state[:size]] for size in (5, 3, 2) if state[:size] in _POSTGRESQL), None)
