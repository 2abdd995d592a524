"""Sentences about a part of the current list: 延期的, 只看深圳仓, 有没有逾期的, "the late ones"."""

from __future__ import annotations

import re

from bot.chat.parsing import command_line
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.following.continued import continued
from bot.understanding.following.follow_up import FollowUp, parts_of
from bot.understanding.following.follow_up_words import ANY_OF_THEM, GOES_ON, OF_SEVERAL, names_nobody_unknown
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


def of_the_list(follow_up: FollowUp) -> Reading | None:
    """Return the line for a part of the current list; None if another one may be meant."""
    command, any_of_them = follow_up.before.command or "", ANY_OF_THEM.search(follow_up.text)
    of_several = OF_SEVERAL.search(follow_up.text) or any_of_them
    part = follow_up.saying(any_of_them["which"]) if any_of_them else follow_up
    some = command and _SOME_OF_THEM.search(part.text) and not part.scan.of_kind(SpanKind.DATE)
    is_part = some and follow_up.grammar.lines.lists.only_lists_are_named(command, part.scan)
    if not (is_part or _PART_OF_THE_LIST.search(part.text)) or not names_nobody_unknown(part):
        return None
    if follow_up.names_a_document and not of_several:
        return None
    reading = continued(part, with_subject=False)
    return reading if reading and follow_up.grammar.commands.parse(reading.line).command == command else None


def late_in_the_list(follow_up: FollowUp, alone: Reading | None) -> Reading | None:
    """Return the late or due part of the current list: 快到期的呢; None if any other list may be meant."""
    text, before = follow_up.text, follow_up.before
    if alone is None or not alone.by_work or not (GOES_ON.search(text) or _PART_OF_THE_LIST.search(text)):
        return None
    for line in (alone.line, *alone.alternatives):
        parsed = follow_up.grammar.commands.parse(line)
        if parsed.command is not None and parsed.command == before.command:
            words, late = follow_up.parts.words, parts_of(follow_up.grammar, parsed)
            if any(follow_up.grammar.vocabulary.document(word) for word in words):
                return None
            goes_on = f"{command_line(parsed.command, late.listed, *words)} {late.days}".rstrip()
            return Reading(line=goes_on, by=ReadBy.CONTEXT, understood=alone.understood)
    return None
