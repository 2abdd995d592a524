"""Where the company's key comes from: a file, or the configuration.

A source may hold several keys, the newest first: while the key is changed, the older ones still open the database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.private_files import create_private_file, make_private_folder, replace_private_file
from bot.sealing import KEY_FILE as KEY_FILE
from bot.sealing import CompanyKey, RandomBytes, WrongDataKey, parse_keys

_HEAD = "# Opens what dingerp keeps in its database. Keep a copy elsewhere: without it the database cannot be read.\n"


class CompanyKeySource(Protocol):
    """Holds the company's keys."""

    def read(self) -> Sequence[CompanyKey]:
        """Return the keys, the newest first; none where the first is still to be made. Raises `WrongDataKey`."""
        ...

    def make(self) -> Sequence[CompanyKey]:
        """Make the first key, and return the keys. Raises `WrongDataKey` where keys are not made here."""
        ...


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """Keys of the configuration, as one text with blanks or commas between them."""

    keys: tuple[CompanyKey, ...]

    @classmethod
    def parse(cls, text: str) -> GivenKeys:
        """Return the keys in ``text``. Raises `WrongDataKey`."""
        return cls(parse_keys(text))

    def read(self) -> Sequence[CompanyKey]:
        """Return the keys."""
        return self.keys

    def make(self) -> Sequence[CompanyKey]:
        """Return the keys: they are there."""
        return self.keys


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A file with one key in each line."""

    path: Path
    ours: bool = False
    """Whether the bot makes and changes it. A file that is configured comes from elsewhere."""
    random: RandomBytes = os.urandom

    def read(self) -> Sequence[CompanyKey]:
        """Return the keys of the file; none where it is ours and does not exist."""
        try:
            text = self.path.read_text(encoding="ascii")
        except FileNotFoundError:
            if self.ours:
                return ()
            raise WrongDataKey(f"there is no key file {self.path}") from None
        except (OSError, ValueError) as error:
            raise WrongDataKey(f"the key file {self.path} cannot be read: {type(error).__name__}") from None
        if not any(line.strip() and not line.startswith("#") for line in text.splitlines()):
            raise WrongDataKey(f"the key file {self.path} holds no key")
        return parse_keys(text)

    def make(self) -> Sequence[CompanyKey]:
        """Make the file with a first key, unless it is there already."""
        if not self.read():
            with self._writing(), suppress(FileExistsError):  # another process that started just now made it
                create_private_file(self.path, _lines((CompanyKey.generate(self.random),)))
        return self.read()

    def write(self, keys: Sequence[CompanyKey]) -> None:
        """Put these keys in place of those in the file, at once and for good. Raises `WrongDataKey`."""
        with self._writing():
            replace_private_file(self.path, _lines(keys))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            make_private_folder(self.path.parent)
            yield
        except OSError as error:
            raise WrongDataKey(f"the key file {self.path} cannot be written: {error.strerror}") from None


def _lines(keys: Sequence[CompanyKey]) -> str:
    return _HEAD + "".join(f"{key.text}\n" for key in keys)


def own_keys(database: str | None, folder: Path) -> CompanyKeySource:
    """Return the source for a database of which no key is configured: a file beside it.

    ``database`` is SQLite's file, None for another database, whose key lies in ``folder``. One in memory has a key that
    dies with it.
    """
    if database in ("", ":memory:"):
        return GivenKeys((CompanyKey.generate(),))
    return KeyFile(path=(folder if database is None else Path(database).parent) / KEY_FILE, ours=True)
