"""The words by which a sentence continues the previous one: 那北京仓呢, 换成, "what about", 它的, 这家."""

from __future__ import annotations

import re

from bot.understanding.following.follow_up import FollowUp
from bot.understanding.scanning.spans import SpanKind

GOES_ON = re.compile(
    r"^(?:算了(?:吧|不看了)?[\s,，]*(?:改|先|就)?(?:看看?|查一?下?)?|那么?|换成|换|改成|改|再看看?|再查一?下?)(?!个|张|家|单)|呢$"
    r"|^不(?:要|看|是)[^\s,，]{1,6}[\s,，]+(?:就|我|)(?:要|看|是)(?=[^\s])"
    r"|^(?:and|what about|how about|then)\b|^in (?=[a-z]+$)"
    r"|^(?:only |just )?(?:of|from|by) (?=[^\s,?]+(?: [^\s,?]+)?\??$)"
    r"|,? (?:for )?(?:the )?same (?:customer|client)$|同一?个?客户的?$",
    re.IGNORECASE,
)
PRONOUN = re.compile(
    r"(?:它|他|她)们?(?:这家)?的?|(?:这|那)家|(?:这|那|该)(?:个|家|张|单|款)?(?:客户|供应商|产品|公司|货)的?|(?:这|那|该)(?:个|家|张|单|款)?的"
    r"|\b(?:its|their|his|her|(?:from|to|of|with) them)\b|\b(?:this|that) (?:customer|vendor|supplier)(?:'s)?\b",
    re.IGNORECASE,
)
OF_SEVERAL = re.compile(
    r"哪些|什么货|有什么|有[^，,]*的[吗么没]|清单|列表|所有|全部|几[张个笔]|\b(?:list|all|any|which|orders|invoices)\b",
    re.IGNORECASE,
)
ANY_OF_THEM = re.compile("有没有(?P<which>[^，,]*的)$")
"""Ask for several, and not for the one that is there: 有没有延期的."""


def refers_back(follow_up: FollowUp) -> bool:
    """Return whether a sentence has no meaning without the previous question."""
    return PRONOUN.search(follow_up.text) is not None


def names_nobody_unknown(follow_up: FollowUp) -> bool:
    """Return whether all unrecognised names in a text are names of goods."""
    return all(follow_up.grammar.vocabulary.knows_product(span.value) for span in follow_up.scan.of_kind(SpanKind.NAME))
