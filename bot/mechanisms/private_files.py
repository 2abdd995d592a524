"""Data folders and files readable only by the bot's own account: they hold prices and reply addresses.

Files are replaced so that a crash leaves the old or the new content.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


def make_private_folder(folder: Path) -> None:
    """Create a folder for its owner only; parent folders get the usual mode. An existing folder keeps its own."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)


def make_private_file(file: Path) -> None:
    """Create a file if it does not exist, and make it readable only by its owner.

    SQLite gives its log and the log's index the mode of the database (https://sqlite.org/src, os_unix.c,
    findCreateFileMode), so it is set before the first connection. A file of another account is left alone, and so is
    anything that is not a regular file: as root, the mode of a device would change for the whole machine.
    """
    if not file.exists():
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, _FILE_MODE))
    found = file.stat()
    if os.name == "posix" and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        file.chmod(_FILE_MODE)


def create_private_file(file: Path, text: str) -> None:
    """Create ``file`` with ``text``, for its owner only.

    Raises `FileExistsError` if it exists, even for half a moment: of several processes doing this together, one creates
    it.
    """
    # Containers sharing a folder may have the same process id.
    beside = _write_beside(file, text.encode(), f".{secrets.token_hex(8)}")
    try:
        os.link(beside, file)
    finally:
        beside.unlink()
    _sync_folder(file.parent)


def replace_private_file(file: Path, text: str) -> None:
    """Replace the content of ``file`` with ``text``, for its owner only. A crash leaves the old or the new content,
    never a mixture.
    """
    _write_beside(file, text.encode(), ".new").replace(file)
    _sync_folder(file.parent)


def replace_file(file: Path, content: bytes) -> None:
    """Replace the content of a regular ``file``, which keeps its mode and owner; a new one is for its owner only.

    A crash leaves the old or the new content, never a mixture. Raises `OSError`, and the old content stays.
    """
    kept = file.stat() if file.exists() else None
    beside = _write_beside(file, content, ".new", kept)
    try:
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(file.parent)


_STAGED = ".staged"


def replace_files(journal: Path, contents: Mapping[Path, bytes]) -> None:
    """Replace the contents of several files, as `replace_file` does with one; missing folders are made, private.

    All new contents are on disk before ``journal`` names them, and from then on all files are the new ones: whoever
    comes next calls `finish_replacing`. A crash before that leaves all files as they were. Raises `OSError`.
    """
    for file, content in contents.items():
        make_private_folder(file.parent)
        _write_beside(file, content, _STAGED, file.stat() if file.exists() else None)
        _sync_folder(file.parent)
    replace_private_file(journal, json.dumps([str(file.absolute()) for file in contents]))
    finish_replacing(journal)


def finish_replacing(journal: Path) -> bool:
    """Finish what `replace_files` was kept from; return whether there was anything. Raises `OSError`.

    Several processes may do so together.
    """
    try:
        files = [Path(name) for name in json.loads(journal.read_text("utf-8"))]
    except FileNotFoundError:
        return False
    for file in files:
        staged = file.with_name(f"{file.name}{_STAGED}")
        if staged.exists():
            staged.replace(file)
            _sync_folder(file.parent)
    journal.unlink(missing_ok=True)
    _sync_folder(journal.parent)
    return True


def _write_beside(file: Path, content: bytes, suffix: str, kept: os.stat_result | None = None) -> Path:
    beside = file.with_name(f"{file.name}{suffix}")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            if kept is not None and os.name == "posix":
                _keep_owner(stream.fileno(), kept)
            os.fsync(stream.fileno())
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return beside


def _keep_owner(descriptor: int, kept: os.stat_result) -> None:
    """Give a file the owner and mode of the one that it replaces; the owner first, which resets bits of the mode."""
    found = os.fstat(descriptor)
    if (found.st_uid, found.st_gid) != (kept.st_uid, kept.st_gid):
        os.fchown(descriptor, kept.st_uid, kept.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(kept.st_mode))


def _sync_folder(folder: Path) -> None:
    """Flush a file's new name to disk; on Windows folders cannot be opened, and names are written through."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
