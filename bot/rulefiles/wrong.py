"""What is wrong with the rules: all of it at once, each with its line."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import ConfigurationError

_SHOWN = 20
"""Errors that are written out; whoever has more began with something else than rules."""


@dataclass(frozen=True, slots=True, order=True)
class Wrong:
    """One error: ``line`` counts from 1, ``reason`` ends with an example of what would be right."""

    line: int
    reason: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"line {self.line}: {self.reason}"


class RulesError(ConfigurationError):
    """The rules cannot be obeyed as they are written."""

    def __init__(self, name: str, wrongs: tuple[Wrong, ...]) -> None:
        self.wrongs = wrongs
        more = f"; and {len(wrongs) - _SHOWN} more" if len(wrongs) > _SHOWN else ""
        super().__init__(f"{name}: " + "; ".join(map(str, wrongs[:_SHOWN])) + more)
