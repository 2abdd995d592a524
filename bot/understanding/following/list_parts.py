"""Sentences about a part of the list that is there: 延期的, 只看深圳仓, 有没有逾期的, "the late ones"."""

from __future__ import annotations

import re

from bot.chat.parsing import command_line, normalise, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.following.continued import continued, parts_of
from bot.understanding.following.going_on import ANY_OF_THEM, GOES_ON, OF_SEVERAL, names_nobody_unknown
from bot.understanding.grammar import Grammar
from bot.understanding.scanning.spans import SpanKind

_PART_OF_THE_LIST = re.compile(
    r"的(?:[吗呢吧么]|有吗|有没有|有哪些|(?:还)?有?(?:几[个张笔单家条]|多少)|(?:就|也)(?:行|好|可以|要)|都(?:要|看|给我|列出来|发我))?$"
    r"|^(?:the |still |only )*(?:not (?:yet )?(?:shipped|delivered|paid|received|arrived|done)(?: yet)?"
    r"|unpaid|unshipped|overdue|late|open) ?(?:ones?)?$"
    r"|^(?:只看|只要|只查|就看|光看|单看)|也(?:看|查)(?:看|查|下|一下)?$|^(?:only|just|from)\b|\bonly$",
    re.IGNORECASE,
)
"""Said of a list that is there: 延期的, 只看深圳仓."""
_SOME_OF_THEM = re.compile(r"哪[些几个]|有没有|有几|有[^，,]*的[吗么没]|\bwhich\b|\bany\b", re.IGNORECASE)


def of_the_list(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the line for a part of the list that is there; None where another one may be meant."""
    before = grammar.commands.parse(last.line)
    any_of_them = ANY_OF_THEM.search(text)
    text = any_of_them["which"] if any_of_them else text
    scan = grammar.recognition.scan(text)
    some = before.command is not None and _SOME_OF_THEM.search(text) and not scan.of_kind(SpanKind.DATE)
    part = some and grammar.lines.lists.only_lists_are_named(before.command or "", scan)
    if not (part or _PART_OF_THE_LIST.search(text)) or not names_nobody_unknown(grammar, text):
        return None
    of_several = OF_SEVERAL.search(text) or any_of_them
    if any(grammar.vocabulary.document(word) for word in split(before.rest)) and not of_several:
        return None
    reading = continued(grammar, text, last, usable, with_subject=False)
    return reading if reading and grammar.commands.parse(reading.line).command == before.command else None


def late_in_the_list(grammar: Grammar, sentence: str, last: LastQuestion, alone: Reading | None) -> Reading | None:
    """Return what is late or due of the list that is there: 快到期的呢; None where it may be of any other."""
    text, before = normalise(sentence), grammar.commands.parse(last.line)
    if alone is None or not alone.by_work or not (GOES_ON.search(text) or _PART_OF_THE_LIST.search(text)):
        return None
    for line in (alone.line, *alone.alternatives):
        parsed = grammar.commands.parse(line)
        if parsed.command is not None and parsed.command == before.command:
            words, *_ = parts_of(grammar, parsed.command, before.rest)
            _, _, listed, days, _ = parts_of(grammar, parsed.command, parsed.rest)
            if any(grammar.vocabulary.document(word) for word in words):
                return None
            goes_on = f"{command_line(parsed.command, listed, *words)} {days}".rstrip()
            return Reading(line=goes_on, by=ReadBy.CONTEXT, understood=alone.understood)
    return None
