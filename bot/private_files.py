"""Folders and files of data that nobody but the bot's own account may read: they hold prices and reply addresses."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


def make_private_folder(folder: Path) -> None:
    """Make a folder for its owner only; those above it get the usual mode. A folder that is there keeps its own."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)


def make_private_file(file: Path) -> None:
    """Make a file, if it is not there, and let nobody but its owner read it.

    SQLite gives its log and its index of the log the mode of the database (https://sqlite.org/src, os_unix.c,
    findCreateFileMode), so it is set before the first connection. A file of another account is left alone, and so is
    everything that is no file: as root, the mode of a device would change for the whole machine.
    """
    if not file.exists():
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, _FILE_MODE))
    found = file.stat()
    if os.name == "posix" and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        file.chmod(_FILE_MODE)
