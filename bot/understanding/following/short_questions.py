"""Short questions that omit their subject: 发票, after the orders of a partner; 单号多少, after an order."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.parsing import split
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.command_kinds import LISTED, RECORDS_OF_PARTNERS
from bot.understanding.following.continued import continued
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.scanning.recognition import NAMED, says_itself
from bot.understanding.scanning.spans import SpanKind

_OF_THEM = frozenset(
    {
        *LISTED,
        *RECORDS_OF_PARTNERS,
        "stock",
        "price",
        "arrivals",
        "product",
    }
)
"""Commands of which a bare line tells of everybody and everything."""
_LONGEST = 12
"""Signs of a question that is short; longer ones say what they are about."""
_LONGEST_IN_LATIN = 32
_OF_ALL = re.compile(
    r"(?<!是)谁(?!是)|(?<!在)哪(?![里儿天])|所有|全部|我们|咱|公司|大家|一共|总共|我的|清单|列表|[今昨明本上下这]"
    r"|\b(?:who|which|what|all|any|we|our|us|my|list|every\w*)\b(?! is the)",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[了吗没呢]$|多少|是谁|什么时候|几时|哪天|怎么|\b(?:it|the|its)\b", re.IGNORECASE)
"""Asked of what is there, and not for a list."""


def of_what_is_there(follow_up: FollowUp, alone: Reading | None) -> Reading | None:
    """Return a short question about the one subject of the previous line, where ``alone`` asks about all.

    It is a choice of both, unless the words ask about one.
    """
    text = follow_up.text
    longest = _LONGEST_IN_LATIN if text.isascii() else _LONGEST
    if alone is None or alone.change or alone.unsupported or len(text) > longest or _OF_ALL.search(text):
        return None
    if stored := _at_the_warehouse(follow_up, alone):
        return stored
    parsed, subject = follow_up.grammar.commands.parse(alone.line), _subject(follow_up)
    if not subject or alone.by is ReadBy.COMMAND or parsed.command not in _OF_THEM or parsed.rest:
        return None
    if text.startswith("/") or any(span.kind in NAMED or span.kind is SpanKind.DATE for span in follow_up.scan.spans):
        return None
    reading = follow_up.grammar.read(f"{subject} {text}", follow_up.usable)
    if reading is None or reading.unsure or reading.change:
        return None
    if subject not in split(follow_up.grammar.commands.parse(reading.line).rest):
        return None
    if parsed.command == follow_up.before.command:
        return replace(reading, line=follow_up.last.line, by=ReadBy.CONTEXT)
    is_of_one = _ASKS.search(text) is not None
    others = () if is_of_one else (alone.line,)
    return replace(reading, by=ReadBy.CONTEXT, unsure=not is_of_one, alternatives=others)


def _at_the_warehouse(follow_up: FollowUp, alone: Reading) -> Reading | None:
    """Return the stock of the current goods in a warehouse named alone: 成都仓, after M8螺母库存."""
    scan = follow_up.scan
    if follow_up.before.command != "stock" or len(scan.of_kind(SpanKind.WAREHOUSE)) != 1 or len(scan.spans) != 1:
        return None
    stored = continued(follow_up, with_subject=True)
    return stored if stored and stored.line != alone.line and says_itself(scan) else None


def _subject(follow_up: FollowUp) -> str:
    """Return the one document, product or partner in a line; empty if it names none."""
    words = follow_up.parts.words[:1] if follow_up.before.command in {"price", "watch"} else follow_up.parts.words
    knows = follow_up.grammar.vocabulary
    known = len(words) == 1 and (
        knows.document(words[0]) or knows.delivery(words[0]) or knows.product(words[0]) or knows.knows_partner(words[0])
    )
    return words[0] if known else ""
