"""Reads the sentence files: tables of words, where one with choices stands for several."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

from bot.words.errors import ConfigurationError

_CHOICE = re.compile(r"\(([^()]*)\)")


def read_files(own: Iterable[Path]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the names and contents of the built-in files and of the company's."""
    for resource in sorted(files("commands").joinpath("sentences").iterdir(), key=lambda file: file.name):
        if resource.name.endswith(".toml"):
            yield resource.name, tomllib.loads(resource.read_text(encoding="utf-8"))
    for path in own:
        try:
            yield str(path), tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{path}: {error}") from error


def words_of(file: str, key: str, value: object) -> Iterator[str]:
    """Yield the words of a list in lower case. Raises `ConfigurationError` for anything but a list of words."""
    if not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
        raise ConfigurationError(f"{file}: {key} must be a list of words")
    for word in value:
        for spoken in _ways_to_say(word):
            folded = spoken.casefold()
            yield folded if folded.isalnum() else " ".join(folded.split())


def _ways_to_say(word: str) -> Iterator[str]:
    """Yield the words behind one with choices: 发(货|走)了(吗|没) are four; a choice may be empty."""
    if "(" not in word and "|" not in word:
        return iter((word,))
    parts = [part.split("|") for part in _CHOICE.split(word)]
    return ("".join(chosen) for chosen in product(*parts))
