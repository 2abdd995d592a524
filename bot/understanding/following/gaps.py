"""Sentences that go on from the last question, and ask for what no line holds: 金额超过10万的呢, after the orders."""

from __future__ import annotations

from bot.chat.days import Days
from bot.chat.parsing import command_line, normalise, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.following.continued import DATED, parts_of
from bot.understanding.gaps import Gap
from bot.understanding.grammar import Grammar
from bot.understanding.limits.bounds import AMOUNTS, find_bounds
from bot.understanding.limits.comparisons import compares, says_only
from bot.understanding.scanning.spans import Scan, SpanKind, days_said

_GOES_ON = ("呢", "的")


def say_gap(
    grammar: Grammar, sentence: str, last: LastQuestion, following: Reading | None, alone: Reading | None
) -> Reading | None:
    """Return the choice that says what no line holds of a sentence; None where a line holds all of it.

    ``following`` is what the sentence asks for after ``last``, ``alone`` what it asks for by itself.
    """
    if following and following.wish:
        return None  # 少于100提醒我 bounds no list
    text = normalise(sentence)
    holds_amounts = any(part.kind == AMOUNTS for each in (following, alone) if each for part in each.understood)
    scan = grammar.recognition.scan(find_bounds(text).rest if holds_amounts else text)
    # 金额超过10万的呢 says nothing of its own, nor what likeness alone reads: both go on from the last list.
    says_what = alone is not None and any(part.kind == "cue" for part in alone.understood)
    says_what = says_what and not text.endswith(_GOES_ON)
    line = following.line if following else "" if says_what else last.line
    if compared := _compared_of_somebody(grammar, scan, last, text):
        return compared
    gap = _gap(grammar, scan, line, is_said=bool(following) or says_what)
    if gap is None or not line or text.startswith("/"):
        return None
    if gap is Gap.STATE and following:
        line = last.line  # 已审批 speaks for what waits for approval
    parsed = grammar.commands.parse(line)
    words = split(parsed.rest)
    if alone and alone.gap and gap is not Gap.STATE and not [word for word in words if not _is_days(word)]:
        return alone
    skus = tuple(sku for word in words if (sku := grammar.vocabulary.product(word)))
    lines = tuple(dict.fromkeys((*gap.of_products(skus, days_said(scan, months=True)), line)))
    return Reading(
        line=lines[0],
        by=ReadBy.CONTEXT,
        alternatives=lines[1:],
        unsure=True,
        gap=gap.said,
        understood=(Understood("gap", text, gap.value),),
    )


def _compared_of_somebody(grammar: Grammar, scan: Scan, last: LastQuestion, text: str) -> Reading | None:
    """Return the choice of the list that is there on the days that it is to be compared with: 和上个月比怎么样.

    A report compares the figures of the company, and nobody's.
    """
    before = grammar.commands.parse(last.line)
    days = days_said(scan, months=True)
    if before.command not in DATED or not days or not compares(scan) or text.startswith("/"):
        return None
    if any(span.kind not in {SpanKind.DATE, SpanKind.CUE} for span in scan.spans):
        return None
    words, _, listed, *_ = parts_of(grammar, before.command, before.rest)
    if not words or any(grammar.vocabulary.document(word) for word in words):
        return None
    return Reading(
        line=last.line,
        by=ReadBy.CONTEXT,
        alternatives=(f"{command_line(before.command, listed, *words)} {days}",),
        unsure=True,
        gap=Gap.COMPARISON.said,
        understood=(Understood("gap", text, Gap.COMPARISON.value),),
    )


def _gap(grammar: Grammar, scan: Scan, line: str, *, is_said: bool) -> Gap | None:
    """Return what ``line`` does not hold of a sentence; ``is_said``: the sentence asks for a line at all."""
    found = grammar.gaps.find(scan, None)
    if found is None:
        days = days_said(scan, months=True)
        goes_on = not is_said and days and says_only(scan.text, days)
        return grammar.gaps.left_out(scan, line) if goes_on else None
    if is_said:
        return found.gap
    # The bound of a list that is there; all else may be about anything.
    command = grammar.commands.parse(line).command
    is_list = command is not None and grammar.recognition.takes(Days, command)
    return found.gap if found.gap is Gap.BOUND and is_list and not scan.of_kind(SpanKind.OFF_TOPIC) else None


def _is_days(word: str) -> bool:
    return Days.take_marked([word]) is not None
