"""Short questions that omit their subject: 发票, after the orders of a partner; 单号多少, after an order."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.parsing import split
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.command_kinds import LISTED, RECORDS_OF_PARTNERS
from bot.understanding.following.continued import continued
from bot.understanding.following.turn import Turn
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


def of_what_is_there(turn: Turn, alone: Reading | None) -> Reading | None:
    """Return a short question about the one subject of the previous line, where ``alone`` asks about all.

    It is a choice of both, unless the words ask about one.
    """
    text = turn.text
    longest = _LONGEST_IN_LATIN if text.isascii() else _LONGEST
    if alone is None or alone.wish or alone.gap or len(text) > longest or _OF_ALL.search(text):
        return None
    if stored := _at_the_warehouse(turn, alone):
        return stored
    parsed, subject = turn.grammar.commands.parse(alone.line), _subject(turn)
    if not subject or alone.by is ReadBy.COMMAND or parsed.command not in _OF_THEM or parsed.rest:
        return None
    if text.startswith("/") or any(span.kind in NAMED or span.kind is SpanKind.DATE for span in turn.scan.spans):
        return None
    reading = turn.grammar.read(f"{subject} {text}", turn.usable)
    if reading is None or reading.unsure or reading.wish:
        return None
    if subject not in split(turn.grammar.commands.parse(reading.line).rest):
        return None
    if parsed.command == turn.before.command:
        return replace(reading, line=turn.last.line, by=ReadBy.CONTEXT)
    is_of_one = _ASKS.search(text) is not None
    others = () if is_of_one else (alone.line,)
    return replace(reading, by=ReadBy.CONTEXT, unsure=not is_of_one, alternatives=others)


def _at_the_warehouse(turn: Turn, alone: Reading) -> Reading | None:
    """Return the stock of the current goods in a warehouse named alone: 成都仓, after M8螺母库存."""
    scan = turn.scan
    if turn.before.command != "stock" or len(scan.of_kind(SpanKind.WAREHOUSE)) != 1 or len(scan.spans) != 1:
        return None
    stored = continued(turn, with_subject=True)
    return stored if stored and stored.line != alone.line and says_itself(scan) else None


def _subject(turn: Turn) -> str:
    """Return the one document, product or partner in a line; empty if it names none."""
    words = turn.parts.words[:1] if turn.before.command in {"price", "watch"} else turn.parts.words
    knows = turn.grammar.vocabulary
    known = len(words) == 1 and (
        knows.document(words[0]) or knows.delivery(words[0]) or knows.product(words[0]) or knows.knows_partner(words[0])
    )
    return words[0] if known else ""
