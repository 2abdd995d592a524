"""The lines of keys and tables in a TOML document, which `tomllib` does not give.

Only for documents accepted by `tomllib`: the scan relies on valid syntax.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

DocumentPath = tuple[str | int, ...]
"""Keys and, inside arrays, numbers from 0: ``("routes", 0, "when")``."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*(\.)?""")
_TEXT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'',
    re.S,
)
_BARE = re.compile(r"[^\s,\]}#]+(?: \d[^\s,\]}#]*)?")  # a blank is allowed between date and time


class Positions:
    """The lines of everything in a document."""

    def __init__(self, lines: Mapping[DocumentPath, int]) -> None:
        self._lines = lines

    def line(self, *path: str | int) -> int:
        """Return the line where ``path`` begins, or the closest known table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def find_positions(text: str) -> Positions:
    """Return the lines of the keys and tables of a valid document."""
    scan = _Scan(text)
    scan.document()
    return Positions(scan.lines)


class _Scan:
    def __init__(self, text: str) -> None:
        self.lines: dict[DocumentPath, int] = {}
        self._text = text
        self._at = 0
        self._counted, self._line = 0, 1
        self._arrays: dict[DocumentPath, int] = {}

    def document(self) -> None:
        table: DocumentPath = ()
        while self._blank():
            if self._text.startswith("[[", self._at):
                table = self._header("[[", "]]")
            elif self._text[self._at] == "[":
                table = self._header("[", "]")
            else:
                self._pair(table)

    def _blank(self) -> bool:
        """Skip blanks and comments; return whether anything follows."""
        match = _BLANK.match(self._text, self._at)
        assert match is not None, "it matches the empty text too"
        self._at = match.end()
        return self._at < len(self._text)

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _header(self, opening: str, closing: str) -> DocumentPath:
        line = self._here()
        self._at += len(opening)
        keys = self._keys()
        self._at = self._text.index(closing, self._at) + len(closing)
        path: DocumentPath = ()
        for key in keys[:-1]:
            path = self._inside((*path, key), line)
        path = (*path, keys[-1])
        if opening == "[":
            path = self._inside(path, line)
        else:
            self._note(path, line)
            self._arrays[path] = self._arrays.get(path, -1) + 1
            path = (*path, self._arrays[path])
        self._note(path, line)
        return path

    def _inside(self, path: DocumentPath, line: int) -> DocumentPath:
        self._note(path, line)
        return (*path, self._arrays[path]) if path in self._arrays else path

    def _note(self, path: DocumentPath, line: int) -> None:
        self.lines.setdefault(path, line)

    def _keys(self) -> list[str]:
        keys = []
        while (match := _KEY.match(self._text, self._at)) is not None:
            self._at = match.end()
            word = match[1]
            keys.append(tomllib.loads(f"x = {word}")["x"] if word[0] in "\"'" else word)
            if match[2] is None:
                break
        return keys

    def _pair(self, table: DocumentPath) -> None:
        line = self._here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, line)
        self._at = self._text.index("=", self._at) + 1
        self._blank()
        self._value(path)

    def _value(self, path: DocumentPath) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._several(path, "]")
        elif opening == "{":
            self._several(path, "}")
        else:
            pattern = _TEXT if opening in "\"'" else _BARE
            match = pattern.match(self._text, self._at)
            assert match is not None, "the document is valid"
            self._at = match.end()

    def _several(self, path: DocumentPath, closing: str) -> None:
        self._at += 1
        number = 0
        while self._blank() and self._text[self._at] != closing:
            if self._text[self._at] == ",":
                self._at += 1
            elif closing == "}":
                self._pair(path)
            else:
                self._note((*path, number), self._here())
                self._value((*path, number))
                number += 1
        self._at += 1
