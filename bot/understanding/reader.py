"""The bot's reader of sentences: it keeps up with the company's vocabulary."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from bot.chat.day_grammar import prepare_days
from bot.chat.parsing import normalise
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import Reading
from bot.chat.registry import Commands
from bot.understanding.following.follow_up import FollowUp, refers_back
from bot.understanding.following.last_question import follow_turn
from bot.understanding.following.lists import late_in_the_list
from bot.understanding.following.new_topics import asks_anew, speaks_for_itself
from bot.understanding.following.short_questions import of_what_is_there
from bot.understanding.following.unsupported import say_unsupported
from bot.understanding.general_forms import general_form
from bot.understanding.grammar import MAX_SENTENCE, Grammar
from bot.understanding.named_books import read_of_books
from bot.understanding.remarks import is_remark
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary

log = structlog.get_logger(__name__)

LEARNS_EVERY = 3600.0
"""Seconds after which the ERPs are asked again for their numbers and names."""
LEARNS_AGAIN = 300.0
"""Seconds after the start at which they are asked a second time: by then more is known of documents and partners."""


def _uses_more(alone: Reading, following: Reading) -> bool:
    """Return whether a sentence by itself is answered whole, and after the last question only in part.

    逾期未收的 is said of no bills.
    """
    is_whole = not (alone.unsure or alone.unknown or alone.unheld)
    return is_whole and alone.line != following.line and bool(following.unclear)


class GrammarReader:
    """Reads sentences with the grammar. Before learning, it knows numbers by their usual prefixes.

    ``sentences`` loads the words, with the first names of the company: that takes 0.2 s, which no start waits for.
    ``books`` are the names of the companies, if there are several.
    """

    def __init__(
        self,
        commands: Commands,
        sentences: Callable[[], Sentences],
        learn: Callable[[], Awaitable[Vocabulary]],
        books: tuple[str, ...] = (),
    ) -> None:
        self._commands, self._sentences, self._learn, self._books = commands, sentences, learn, books
        self._latest: Grammar | None = None

    @property
    def _grammar(self) -> Grammar:
        # A start needs none: this one is for a sentence that comes before the company's words are known.
        if self._latest is None:
            self._latest = self._knowing(Vocabulary())
        return self._latest

    def _knowing(self, vocabulary: Vocabulary) -> Grammar:
        return Grammar(self._commands, self._sentences(), vocabulary)

    def read(
        self, sentence: str, usable: frozenset[str] | None = None, last: LastQuestion | None = None
    ) -> Reading | None:
        """Return the reading of a sentence with the commands ``usable`` (None: all); None if there is none."""
        text = normalise(sentence)
        if len(text) > MAX_SENTENCE or is_remark(text):
            return None
        if not self._books:
            return self._read(sentence, usable, last)
        return read_of_books(text, last, self._books, lambda said, before: self._read(said, usable, before))

    def _read(self, sentence: str, usable: frozenset[str] | None, last: LastQuestion | None) -> Reading | None:
        reading = self._grammar.read(sentence, usable) if last is None else self._read_after(last, sentence, usable)
        return reading and replace(
            reading, alternatives=tuple(filter(self._grammar.can_be_answered, reading.alternatives))
        )

    def _read_after(self, last: LastQuestion, sentence: str, usable: frozenset[str] | None) -> Reading | None:
        follow_up = FollowUp(self._grammar, normalise(sentence), last, usable)
        following = follow_turn(follow_up.on_the_list())
        if following and not self._grammar.can_be_answered(following.line):
            following = None
        leaves_out = refers_back(follow_up) and not speaks_for_itself(follow_up)
        alone = None if following is None and leaves_out else self._grammar.read(sentence, usable)
        if anew := asks_anew(follow_up.on_the_list(), alone, following):
            return say_unsupported(follow_up, None, anew) or anew
        if following and alone and _uses_more(alone, following):
            return replace(alone, alternatives=(following.line,))
        if following and following.unsupported:
            return following
        following = following or late_in_the_list(follow_up, alone) or of_what_is_there(follow_up, alone)
        return say_unsupported(follow_up, following, alone) or following or alone

    def general_form(self, sentence: str) -> str:
        """Return the form of a sentence without names and numbers; empty for what asks the bot for nothing."""
        text = normalise(sentence)
        return "" if len(text) > MAX_SENTENCE or is_remark(text) else general_form(self._grammar.recognition, text)

    def spell_out(self, line: str) -> tuple[str, ...]:
        """Return the possible lines of a typed one with an abbreviated customer or vendor name."""
        return self._grammar.typed.spell_out(line)

    async def run(self) -> None:
        """Learn the company's vocabulary now, soon again, and every hour."""
        await asyncio.to_thread(prepare_days)
        await self.learn()
        await asyncio.sleep(LEARNS_AGAIN)
        while True:
            await self.learn()
            await asyncio.sleep(LEARNS_EVERY)

    async def learn(self) -> None:
        """Learn the company's vocabulary once. A failing adapter costs its part, and is logged."""
        try:
            vocabulary = await self._learn()
            self._latest = await asyncio.to_thread(lambda: self._knowing(vocabulary).prepare())
        except Exception as error:
            log.error("understanding.defect", error=type(error).__name__, exc_info=error)
