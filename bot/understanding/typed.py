"""Command lines as typed: with or without a slash, and with abbreviated names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.chat.parsing import MAX_LINE_BYTES, command_line, split
from bot.chat.registry import AnyCommand, Commands
from bot.understanding.command_kinds import BARE, OF_PARTNERS
from bot.understanding.limits.limit_finding import LimitFinder
from bot.understanding.lines.lists import MOST_ALTERNATIVES
from bot.understanding.scanning.finding import restrictions_in, take_words
from bot.understanding.scanning.recognition import LONGEST_WORD, SHORTEST_NAME, Recognition
from bot.understanding.scanning.spans import Scan
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary

_SEARCHED_FOR = re.compile(r"^(?:(?:everything|anything|all|the|erp|in|it) )*for ")


@dataclass(frozen=True)
class TypedLines:
    """Distinguishes typed lines from sentences, and resolves abbreviated names in them."""

    recognition: Recognition
    limits: LimitFinder

    @property
    def commands(self) -> Commands:
        return self.recognition.commands

    @property
    def sentences(self) -> Sentences:
        return self.recognition.sentences

    @property
    def vocabulary(self) -> Vocabulary:
        return self.recognition.vocabulary

    def read(self, text: str) -> str | None:
        """Return a typed command line: with a slash, or a name with its arguments."""
        word, _, rest = text.partition(" ")
        command = self.commands.named(word)
        if command is None:
            return None
        if command.name == BARE:
            rest = _SEARCHED_FOR.sub("", rest)
        line = f"/{command.name} {self.commands.with_implied(word, rest)}".strip()
        if text.startswith("/"):
            return line
        if not command.only_asks and word.casefold() == command.name and self._begins_with_action(rest, command):
            return None
        if command.name not in self.sentences.commands:
            return line
        spelled = command.name in OF_PARTNERS and self.vocabulary.spells_partner(rest)
        if self.limits.leaves_out(rest):
            return None
        return None if spelled or self.vocabulary.document(text) or self._is_sentence(rest, command.name) else line

    def spell_out(self, line: str, limit: int = MOST_ALTERNATIVES + 1) -> tuple[str, ...]:
        """Return the possible lines of a typed one with an abbreviated customer or vendor name."""
        parsed = self.commands.parse(line)
        if parsed.command is None or not self.commands[parsed.command].signature.names_partners:
            return ()
        words = split(parsed.rest)
        for place, word in enumerate(words):
            if word in self.sentences.typed.get(parsed.command, ()) or self.vocabulary.knows_partner(word):
                continue
            if names := self.vocabulary.spelled_by(word, limit=limit):
                lines = (command_line(parsed.command, *words[:place], name, *words[place + 1 :]) for name in names)
                return tuple(line for line in lines if fits(line))
        return ()

    def _begins_with_action(self, rest: str, command: AnyCommand) -> bool:
        """Return whether an English action word begins a sentence: reject PO-1002 it's too costly."""
        words = rest.casefold().split()
        if len(words) < 2:
            return False
        listed = self.commands.named(f"/{words[0]}") is not None  # subscribe order open 18:00
        return command.governed or (not listed and not self.sentences.fillers.isdisjoint(words))

    def _is_sentence(self, text: str, command: str) -> bool:
        """Return whether ``text`` contains words that the command does not accept."""
        if len(text) > SHORTEST_NAME and self.recognition.is_in_a_name(text):
            return False
        if any(restrictions_in(text)):
            return True
        scan = Scan.of(text)
        take_words(scan, self.sentences.typed[command], LONGEST_WORD, scan.drop)
        words = (self.sentences.cues, self.sentences.fillers)
        spoken: list[int] = []
        for known in words:
            take_words(scan, known, self.recognition.longest_cue, lambda start, end: spoken.append(start))
        return bool(spoken)


def command_of(line: str) -> str:
    """Return the command's name at the start of a line."""
    return line.removeprefix("/").partition(" ")[0]


def fits(line: str) -> bool:
    """Return whether a line is within the length limit of command lines."""
    return len(line.encode()) <= MAX_LINE_BYTES
