"""Writes a rule file as an editor would, in one step, and says in words why one cannot be written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bot.mechanisms.private_files import replace_file
from bot.rulefiles.versions import digest_of_content
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, Words, phrase


class RuleChangeRefused(DingerpError):
    """Rules are not changed; ``reason`` says why, in words for the person."""

    def __init__(self, reason: Words) -> None:
        super().__init__(str(reason))
        self.reason = reason

    def tell(self) -> Phrase:
        return self.reason if isinstance(self.reason, Phrase) else phrase("%(text)s", text=self.reason)


class RuleFileOvertaken(RuleChangeRefused):
    """Somebody else has changed the file meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            phrase("The file was changed meanwhile, so nothing was written. Look at the difference and decide anew.")
        )


def read_rule_file(path: Path) -> bytes:
    """Return a file's content, empty if there is none. Raises `RuleChangeRefused` if it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise RuleChangeRefused(
            phrase("%(file)s cannot be read: %(why)s", file=str(path), why=error.strerror or type(error).__name__)
        ) from None


def find_obstacle(path: Path) -> Words:
    """Return why a file cannot be written from here, as far as can be seen without trying; empty if nothing is."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        found = None
    except OSError as error:
        return _not_written(path, error)
    if found is not None and stat.S_ISLNK(found.st_mode):
        return phrase(
            "%(file)s is a link to %(other)s, as in a mounted configuration. Change it where it comes from.",
            file=str(path),
            other=str(path.readlink()),
        )
    if found is not None and not stat.S_ISREG(found.st_mode):
        return phrase("%(file)s is not a regular file", file=str(path))
    if (found is not None and not found.st_mode & stat.S_IWUSR) or not os.access(path.parent, os.W_OK):
        return phrase(
            "%(file)s is read-only for the bot. Change it where it comes from, or make the file and its folder"
            " writable.",
            file=str(path),
        )
    return ""


def write_rule_file(path: Path, content: bytes, *, expected: str) -> None:
    """Replace a file whose digest is ``expected``, empty for none. The file keeps its mode and owner.

    Raises `RuleFileOvertaken` for another digest, and `RuleChangeRefused` if it cannot be written; it then stays.
    """
    if obstacle := find_obstacle(path):
        raise RuleChangeRefused(obstacle)
    if digest_on_disk(path) != expected:
        raise RuleFileOvertaken()
    try:
        replace_file(path, content)
    except OSError as error:
        raise RuleChangeRefused(_not_written(path, error)) from None


def digest_on_disk(path: Path) -> str:
    """Return the digest of a file, empty if there is none. Raises `RuleChangeRefused` if it cannot be read."""
    content = read_rule_file(path)
    return digest_of_content(content) if content or path.exists() else ""


def _not_written(path: Path, error: OSError) -> Phrase:
    why = error.strerror or type(error).__name__
    return phrase("%(file)s cannot be written: %(why)s. It is unchanged.", file=str(path), why=why)
