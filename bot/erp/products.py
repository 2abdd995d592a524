"""Which product of one source is which product of another: the mapping table of the configuration."""

from __future__ import annotations

from collections.abc import Mapping


class ProductTable:
    """Our codes and those of the sources; a product that is not listed has the same code everywhere."""

    def __init__(self, table: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """``table`` has our code → source → the source's code; an empty code says that the source lacks the product."""
        self._theirs = {ours.casefold(): dict(codes) for ours, codes in (table or {}).items()}
        self._ours = {
            (source, theirs.casefold()): ours
            for ours, codes in (table or {}).items()
            for source, theirs in codes.items()
            if theirs
        }
        meant: dict[str, set[str]] = {}
        for (_, theirs), ours in self._ours.items():
            meant.setdefault(theirs, set()).add(ours)
        self._asked = {
            theirs: ours.copy().pop() for theirs, ours in meant.items() if len(ours) == 1 and theirs not in self._theirs
        }

    def __bool__(self) -> bool:
        return bool(self._theirs)

    def meant(self, code: str) -> str:
        """Return our code for a code that somebody typed: it may be one that only a source uses."""
        return self._asked.get(code.casefold(), code)

    def lists(self, code: str, source: str) -> bool:
        """Return whether the table says what ``source`` calls our ``code``."""
        return source in self._theirs.get(code.casefold(), ())

    def theirs(self, code: str, source: str) -> str:
        """Return what ``source`` calls our ``code``; empty if it lacks the product."""
        return self._theirs.get(code.casefold(), {}).get(source, code)

    def ours(self, code: str, source: str) -> str:
        """Return our code for what ``source`` calls ``code``."""
        return self._ours.get((source, code.casefold()), code)
