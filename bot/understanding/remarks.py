"""Remarks between colleagues beside the bot: 采购单我下午补给你, "Emma is on the phone". Nothing is asked."""

from __future__ import annotations

import re

_WHEN = (
    "刚刚|刚才|刚|先|等下|等会儿?|待会儿?|回头|马上|这就|已经|下午|上午|中午|晚上|今天|明天|昨天|后天|周[一二三四五六日]|下周"
    "|一会儿?|都|也|再|来|要|会|准备"
)
_DEED = (
    "跟|给|去|补|放|寄|说|讲|打|弄|做|发|问|催|联系|回|带|拿|请|叫|让|约|通知|安排|准备|处理|确认|交|送|开|签|收|改|录"
    "|看了|查了|订了|下了"
)
_DONE = "[了哈](?!吗|没|多少|几)|过了|一趟|给[你他她]|[你他她]哈?$|好了"
_I_DO = re.compile(
    rf"(?<![给帮替发让要等归到派])我(?:们)?(?:{_WHEN})*(?:{_DEED})(?!的|下|看|一份|个)[^,，。;；]{{0,14}}?(?:{_DONE})"
)
"""我刚跟客户说了, 我下午补给你: somebody says what they do."""
_YOU_DO = re.compile(
    r"^@(?!\S*仓)\S+ .*你.*(?:一下|下|吧|来|去)\s*[!！。]?$"
    r"|^(?:小|老)?[\u4e00-\u9fff]{1,3}(?:哥|姐|总|工|师傅)[,， ].*你.*(?:一下|吧)$"
)
"""@李娜 美居那单你跟一下: a colleague is asked, and not the bot."""
_EXCLAIMED = re.compile(
    r"(?:真|太|好)(?:的是)?(?:难搞|难缠|难做|难|烦|累|麻烦|坑|气人|慢了|差劲|不错|结实|辛苦)(?:啊|了|呀|哦)?\s*[!！。]*$"
    r"|(?:烦|累|急|气)死(?:我|人)?了"
)
_ON_MY_WAY = re.compile(
    r"^我们?(?:已经?|正|还|马上|快|也)*(?:在路上|在(?:来|过来|去)的路上|快到了|出发了|马上(?:就)?到了?)(?!的)"
    r"|(?:^|[,，\s])(?:我们?)?(?:大概|还有|再)?(?:\d+|[一二两三四五六七八九十半几]+)(?:分钟|个?小时)(?:后|内|就|左右)?到(?!货|料|期)(?:了|公司|仓库|厂里)?$"
    r"|^(?:i'm|i am|we're|we are)(?: already)? on (?:my|our|the) way",
    re.IGNORECASE,
)
"""我在路上 十分钟到: somebody says where they are."""
_ASKS = re.compile(
    r"[吗么呢?？]|多少|几[个张笔单家台]|哪|谁(?!把)|什么|啥|怎么|咋|为何|有没有|有无|是不是|能不能|没有?$|了没"
    r"|[查看列导][一下个出]|发我|给我|帮我|告诉我|报一?下|清单|明细"
)
_SOMEWHERE = (
    r"on the phone|in a (?:meeting|call)|out (?:of office|today|sick)|busy|away|on leave|at lunch|coming|there now"
)
_IS_SOMEWHERE = (
    r"^(?!who|what|which|where|how|when)(?:\S+ )?\S+ (?:is|are|was|were) (?:just |still |now |currently )?"
    rf"(?:{_SOMEWHERE})\b|^(?:i'm|i am|we're|we are) (?:at|in) .{{1,40}}\bwhere are you\b"
)
_AGREES = (
    r"^(?:ok|okay|noted|thx|thanks|thank you|sure|fine|yes|got it|well noted)\b[ ,.!]*"
    r"(?:noted|will|i'll|i will|let me|we'll|shall|with thanks)\b"
)
_I_DID = (
    r"^(?:i|we)(?:'ll| will|'m going to|'ve| have| am| was|'m)? (?:just |already |now )?"
    r"(?:call|called|told|tell|talk|talked|speak|spoke|sent|send|ask|asked|check with|handle|handled|fix|fixed|do it"
    r"|did it|go|went|leave|left|meet|met|reply|replied|revert)\b"
)
_SAID_IN_ENGLISH = re.compile(f"{_IS_SOMEWHERE}|{_AGREES}|{_I_DID}", re.IGNORECASE)


def is_remark(text: str) -> bool:
    """Return whether a normalised text is only a statement, and asks the bot for nothing."""
    if text.startswith("/"):
        return False
    if _SAID_IN_ENGLISH.search(text):
        return "?" not in text
    says = _I_DO.search(text) or _EXCLAIMED.search(text) or _ON_MY_WAY.search(text)
    return bool(_YOU_DO.search(text) or (says and not _ASKS.search(text)))
