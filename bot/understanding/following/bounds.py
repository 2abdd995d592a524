"""Sentences that go on from a list and bound its amounts, or drop the bounds: 五万以上的, 不管多少都要."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bot.chat.amounts import Amounts
from bot.chat.parsing import split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.grammar import Grammar
from bot.understanding.limits.bounds import AMOUNTS, find_bounds, wants_any_amount, without_bounds

_BESIDE_BOUNDS = re.compile(
    r"的|呢|吧|吗|有?哪些|有?几[个张笔单]|有?多少|发?给?我|有没有|那么?|只看|只要|就看|光看|要|看|列出来?|[,，]|单子?$|那些"
    r"|金额|总额|价值|有|余额"
    r"|\b(?:and|any(?:thing)?|is|there|only|just|those|the ones?|ones|show|me|what about|how about|which|are|with|to"
    r"|worth|amount(?:s|ing)?|please)\b",
    re.IGNORECASE,
)
"""Said beside amounts of a list that is there."""


def follow_within(
    grammar: Grammar, text: str, last: LastQuestion, go_on: Callable[[str, LastQuestion], Reading | None]
) -> Reading | None:
    """Return the list that is there within the amounts that a text names, or of any amount again.

    ``go_on`` reads what else the text says of a list, after a last question.
    """
    before = grammar.commands.parse(last.line)
    if before.command is None or not grammar.recognition.takes(Amounts, before.command):
        return None
    rest, old = without_bounds(before.rest)
    whole = f"/{before.command} {rest}".strip()
    if wants_any_amount(text):
        dropped = (Understood(AMOUNTS, text, ""),)
        return Reading(line=whole, by=ReadBy.CONTEXT, understood=dropped) if old else None
    bounds = find_bounds(text)
    if bounds.range is None:
        return None
    bare = _BESIDE_BOUNDS.sub("", bounds.rest).strip()
    if any(grammar.vocabulary.document(word) for word in split(rest)):
        return None  # one document is there, and no list
    inner = None
    if bare:
        part = f"{bounds.rest}的" if text.endswith("的") else bounds.rest  # 宏达五万以上的 are 宏达的
        inner = go_on(part, replace(last, line=whole))
        if inner is None or inner.unsure or grammar.commands.parse(inner.line).command != before.command:
            return None
    held = bounds.held_by(inner.line if inner else whole, grammar.recognition)
    understood = (*(inner.understood if inner else ()), *bounds.understood)
    return Reading(line=held, by=ReadBy.CONTEXT, understood=understood) if held else None
