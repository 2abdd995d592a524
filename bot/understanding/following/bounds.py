"""Sentences that continue a list and bound its amounts, or drop the bounds: 五万以上的, 不管多少都要."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bot.chat.amounts import Amounts
from bot.chat.parsing import normalise
from bot.chat.questions.reading import Reading, Understood
from bot.chat.records.created_by import WHO, CreatedBy
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.limits.bounds import AMOUNTS, find_bounds, wants_any_amount, without_bounds
from bot.understanding.limits.creators import ANY_CREATOR, CREATOR, find_creator

_BESIDE_BOUNDS = re.compile(
    r"的|呢|吧|吗|有?哪些|有?几[个张笔单]|有?多少|发?给?我|有没有|那么?|只看|只要|就看|光看|要|看|列出来?|[,，]|单子?$|那些"
    r"|金额|总额|价值|有|余额"
    r"|\b(?:and|any(?:thing)?|is|there|only|just|those|the ones?|ones|show|me|what about|how about|which|are|with|to"
    r"|worth|amount(?:s|ing)?|please)\b",
    re.IGNORECASE,
)
"""Said beside amounts of a list that is there."""


def follow_within(follow_up: FollowUp, go_on: Callable[[FollowUp], Reading | None]) -> Reading | None:
    """Return the current list within the amounts of a text, or for any amount again.

    ``go_on`` reads the rest of the text about a list.
    """
    command, recognition = follow_up.before.command, follow_up.grammar.recognition
    if command is None or not recognition.takes(Amounts, command):
        return None
    rest, old = without_bounds(follow_up.before.rest, Amounts)
    whole = f"/{command} {rest}".strip()
    if wants_any_amount(follow_up.text):
        return follow_up.reading(whole, Understood(AMOUNTS, follow_up.text, "")) if old else None
    bounds = find_bounds(follow_up.text)
    if bounds.range is None or follow_up.names_a_document:
        return None
    inner = None
    if _BESIDE_BOUNDS.sub("", bounds.rest).strip():
        part = f"{bounds.rest}的" if follow_up.text.endswith("的") else bounds.rest  # 宏达五万以上的 are 宏达的
        inner = go_on(replace(follow_up, text=normalise(part), last=replace(follow_up.last, line=whole)))
        if inner is None or inner.unsure or follow_up.grammar.commands.parse(inner.line).command != command:
            return None
    held = bounds.held_by(inner.line if inner else whole, recognition)
    return follow_up.reading(held, *(inner.understood if inner else ()), *bounds.understood) if held else None


def follow_created(follow_up: FollowUp) -> Reading | None:
    """Return the current list of what somebody else created, or of what anybody did; its document, for 谁开的."""
    command, recognition = follow_up.before.command, follow_up.grammar.recognition
    if command is None or not recognition.takes(CreatedBy, command):
        return None
    rest, old = without_bounds(follow_up.before.rest, CreatedBy)
    whole = f"/{command} {rest}".strip()
    if ANY_CREATOR.fullmatch(follow_up.text.strip("的呢吧 ,，")):
        return follow_up.reading(whole, Understood(CREATOR, follow_up.text, "")) if old else None
    creator = find_creator(follow_up.text, recognition)
    if creator is None or _BESIDE_BOUNDS.sub("", creator.rest).strip():
        return None
    if follow_up.names_a_document:
        return follow_up.reading(follow_up.last.line, creator.understood) if creator.name == WHO else None
    held = creator.held_by(whole, recognition)
    return follow_up.reading(held, creator.understood) if held else None
