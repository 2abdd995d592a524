"""One bot per SQLite file: two would process the same events, and write the same decisions, twice.

On PostgreSQL several bots may share a database, whose own locks keep them apart. SQLite has no lock that outlives a
transaction, so a file beside the database is locked while the bot runs. The system releases it when the process ends,
however it ends.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from bot.mechanisms.private_files import make_private_file, make_private_folder
from bot.store.errors import DatabaseInUse
from bot.words.errors import ConfigurationError

_MOST_WORDS = 200
"""Bytes read of the owner's self-description."""


@contextmanager
def own_database(file: Path | None) -> Iterator[None]:
    """Own a SQLite file until the context ends; other databases (None) need no owner.

    Raises `DatabaseInUse` while another process owns it, and `ConfigurationError` if nothing can be locked.
    """
    if file is None:
        yield
        return
    with _opened(file) as lock:
        if not _lock(lock):
            raise DatabaseInUse(f"another bot uses the database {file} ({_owner(lock)}); stop it first")
        lock.truncate(0)
        lock.seek(0)
        lock.write(_words_about_us().encode())
        lock.flush()
        yield


def _beside(file: Path) -> Path:
    # Two paths to the same database lead to the same lock.
    real = file.resolve()
    return real.with_name(f"{real.name}.owner")


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    beside = _beside(file)
    if file.exists() and not file.is_file():
        raise ConfigurationError(f"the database cannot be used: {file} is no file")
    try:
        make_private_folder(beside.parent)
        make_private_file(beside)
        lock = beside.open("rb+")
    except OSError as error:
        raise ConfigurationError(f"cannot lock the database by {beside}: {error.strerror}") from None
    with lock:
        yield lock


def _words_about_us() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _owner(lock: BinaryIO) -> str:
    lock.seek(0)
    return lock.read(_MOST_WORDS).decode(errors="replace") or "it is just starting"


if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 1 << 20
    """Windows prevents others from reading locked bytes, so the lock lies far behind the text."""

    def _lock(lock: BinaryIO) -> bool:
        lock.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(lock: BinaryIO) -> bool:
        """Lock the file for this process; False if another one has it."""
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise ConfigurationError(f"the database's folder allows no locks: {error.strerror}") from None
        return True
