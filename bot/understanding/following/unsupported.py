"""Sentences that continue the last question and ask for something no line holds: 金额超过10万的呢, after the orders."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.days import Days
from bot.chat.parsing import command_line, split
from bot.chat.questions.reading import Reading, Understood
from bot.understanding.command_kinds import DATED
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.grammar import Grammar
from bot.understanding.limits.bounds import AMOUNTS, find_bounds
from bot.understanding.limits.comparisons import compares, says_only
from bot.understanding.scanning.spans import Scan, SpanKind, days_said
from bot.understanding.unsupported_topics import UnsupportedTopic

_GOES_ON = ("呢", "的")


def say_unsupported(follow_up: FollowUp, following: Reading | None, alone: Reading | None) -> Reading | None:
    """Return the choice that names what no line holds of a sentence; None if a line holds all of it.

    ``following`` is the reading after the last question, ``alone`` the reading by itself.
    """
    if following and following.change:
        return None  # 少于100提醒我 bounds no list
    grammar, text = follow_up.grammar, follow_up.text
    holds_amounts = any(part.kind == AMOUNTS for each in (following, alone) if each for part in each.understood)
    scan = grammar.recognition.scan(find_bounds(text).rest if holds_amounts else text)
    # 金额超过10万的呢 says nothing of its own, nor what likeness alone reads: both go on from the last list.
    says_what = alone is not None and any(part.kind == "cue" for part in alone.understood)
    says_what = says_what and not text.endswith(_GOES_ON)
    line = following.line if following else "" if says_what else follow_up.last.line
    if compared := _compared_of_somebody(follow_up, scan):
        return compared
    gap = _gap(grammar, scan, line, is_said=bool(following) or says_what)
    if gap is None or not line or text.startswith("/"):
        return None
    if gap is UnsupportedTopic.STATE and following:
        line = follow_up.last.line  # 已审批 speaks for what waits for approval
    words = split(grammar.commands.parse(line).rest)
    if (
        alone
        and alone.unsupported
        and gap is not UnsupportedTopic.STATE
        and not [word for word in words if not _is_days(word)]
    ):
        return alone
    skus = tuple(sku for word in words if (sku := grammar.vocabulary.product(word)))
    return _choice(follow_up, gap, *gap.of_products(skus, days_said(scan, months=True)), line)


def _choice(follow_up: FollowUp, gap: UnsupportedTopic, *lines: str) -> Reading:
    line, *others = dict.fromkeys(lines)
    reading = follow_up.reading(line, Understood("gap", follow_up.text, gap.value))
    return replace(reading, alternatives=tuple(others), unsure=True, unsupported=gap.said)


def _compared_of_somebody(follow_up: FollowUp, scan: Scan) -> Reading | None:
    """Return the choice of the current list on the days to compare with: 和上个月比怎么样.

    A report compares figures of the company only.
    """
    command, days = follow_up.before.command, days_said(scan, months=True)
    if command is None or command not in DATED or not days or not compares(scan) or follow_up.text.startswith("/"):
        return None
    if any(span.kind not in {SpanKind.DATE, SpanKind.CUE} for span in scan.spans):
        return None
    words = follow_up.parts.words
    if not words or any(follow_up.grammar.vocabulary.document(word) for word in words):
        return None
    compared = f"{command_line(command, follow_up.parts.listed, *words)} {days}"
    return _choice(follow_up, UnsupportedTopic.COMPARISON, follow_up.last.line, compared)


def _gap(grammar: Grammar, scan: Scan, line: str, *, is_said: bool) -> UnsupportedTopic | None:
    """Return the part of a sentence that ``line`` lacks; ``is_said``: the sentence asks for a line at all."""
    found = grammar.gaps.find(scan, None)
    if found is None:
        days = days_said(scan, months=True)
        goes_on = not is_said and days and says_only(scan.text, days)
        return grammar.gaps.left_out(scan, line) if goes_on else None
    if is_said:
        return found.topic
    # The bound of a list that is there; all else may be about anything.
    command = grammar.commands.parse(line).command
    is_list = command is not None and grammar.recognition.takes(Days, command)
    return (
        found.topic
        if found.topic is UnsupportedTopic.BOUND and is_list and not scan.of_kind(SpanKind.OFF_TOPIC)
        else None
    )


def _is_days(word: str) -> bool:
    return Days.take_marked([word]) is not None
