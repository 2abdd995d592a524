"""Sentences that omit their customer or vendor: 还欠多少, 最近收款, 没付的发票."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.questions.reading import Reading
from bot.understanding.command_kinds import DATED, OF_PARTNERS
from bot.understanding.following.continued import continued
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.scanning.spans import SpanKind

_LEAVES_OUT = re.compile(
    r"^(?:还|有没有|最近|上次|上一次|多少|几|怎么|信用|额度|电话|联系|欠|付|逾期了|拖了)|(?:吗|没|没有|多少|多少钱|几个|几笔|几张|在哪[里儿]?|到哪[里儿]?了)[?？]?$"
    r"|\b(?:they|them|their)\b",
    re.IGNORECASE,
)
_THEM = re.compile(r"\b(?:they|them|their)\b", re.IGNORECASE)
"""Means those whom the line before names, whoever else is spoken of: "what we owe them"."""
_OF_EVERYBODY = re.compile(
    r"谁|哪(?![里儿]?了?$)|所有|全部|客户|供应商|我们|咱|公司|大家|一共|总共|我的|\b(?:who|which|all|we|our|us|my|customers?|vendors?|suppliers?)\b",
    re.IGNORECASE,
)
_TO_US = re.compile(r"(?<=[欠给])(?:我们|咱们?|公司)|(?<=owe )us\b|(?<=pay )us\b|(?<=paid )us\b", re.IGNORECASE)
"""Said of what one of them owes or pays: 还欠我们多少."""
_PART_OF_THE_RECORD = re.compile(
    r"^(?:[没未]|还没|逾期|过期|超期|到期|延期|拖)[^,，]{0,6}的?(?:发票|账单|票|订单|采购单|单子|货款|款)$"
    r"|^(?:订单|采购单|发票|账单|应收|应付|发货单?|收款|付款)(?:看一?下|看看|看一看|发我|拉一?下)$"
    r"|^(?:unpaid|overdue|open|late|outstanding) (?:invoices|bills|orders|purchase orders)$",
    re.IGNORECASE,
)
"""Said of the partner whose record is there: 没付的发票."""
_OF_NOW = re.compile(r"最近|上次|上一次|现在|目前|还|总共|一共|\b(?:last|now|still|ever|in total)\b", re.IGNORECASE)


def of_the_partner(follow_up: FollowUp) -> Reading | None:
    """Return the line of a question without a subject, after one about a partner: 还欠多少, 最近收款."""
    command, text, scan, words = follow_up.before.command, follow_up.text, follow_up.scan, follow_up.parts.words
    if command is None or len(words) != 1 or not follow_up.grammar.vocabulary.knows_partner(words[0]):
        return None
    if not (_LEAVES_OUT.search(text) or _PART_OF_THE_RECORD.search(text)):
        return None
    of_them = _THEM.search(text) is not None
    if not of_them and _OF_EVERYBODY.search(_TO_US.sub("", text)):
        return None
    spoken = {SpanKind.CUE, SpanKind.DATE} if of_them else {SpanKind.CUE}
    weights = follow_up.grammar.lines.weigh(scan, follow_up.usable, about=words[0])
    asked = max(weights, key=lambda name: weights[name], default="")
    if asked not in OF_PARTNERS or any(span.kind not in spoken for span in scan.spans):
        return None
    reading, days = continued(follow_up, with_subject=True), follow_up.parts.days
    same_days = days and asked != command and {asked, command} <= DATED and not _OF_NOW.search(text)
    if reading and same_days and not follow_up.grammar.lines.lists.named(asked, scan):
        return replace(reading, line=f"{reading.line} {days}")
    return reading
