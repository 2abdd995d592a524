"""What a sentence is taken for: a command line, which is shown on the card and runs with the asker's rights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.chat.dialogues import LastQuestion


class ReadBy(StrEnum):
    """What read a sentence."""

    COMMAND = "command"
    GRAMMAR = "grammar"
    CONTEXT = "context"
    """The grammar, with what the person asked before."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A part of a sentence: its kind, as it was written, and what it stands for."""

    kind: str
    text: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The line that a sentence asks for, and what was understood of it.

    ``alternatives`` are other lines that it may ask for; ``unsure``: the first of them is as likely as ``line``.
    """

    line: str
    by: ReadBy
    alternatives: tuple[str, ...] = ()
    unsure: bool = False
    understood: tuple[Understood, ...] = ()


class SentenceReader(Protocol):
    """Reads sentences; implemented by `bot.understanding`."""

    def read(
        self, sentence: str, usable: frozenset[str] | None = None, last: LastQuestion | None = None
    ) -> Reading | None:
        """Return what the sentence asks for with the commands ``usable`` (None: all); None if that is nothing.

        ``last`` is what the person asked before it. The line never names a command that may change anything.
        """
        ...
