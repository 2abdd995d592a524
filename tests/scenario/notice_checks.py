"""What holds for every card: a notice has its title, is harmless, and is within the budget."""

from __future__ import annotations

import re
from enum import StrEnum
from unicodedata import category

from bot.cards.budget import Budget
from bot.kit.simulator.cards import CardInstance, SimCardView


class Notice(StrEnum):
    """The title of each notice in Chinese."""

    HELP = "可以查询的内容"
    UNKNOWN_COMMAND = "未知命令"
    NOT_UNDERSTOOD = "没听懂您的意思"
    BAD_ARGUMENT = "没太明白"
    NOT_FOUND = "没有找到"
    HINT = "请用文字提问"
    QUOTA = "钉钉额度已用完"
    EXTERNAL = "仅限企业成员"
    UNCONFIRMED = "暂时无法确认您的身份"
    DENIED = "没有权限"
    ERP_DOWN = "ERP 未能返回结果"
    BUSY = "请稍候"
    OUT_OF_DATE = "按钮已失效"


_SHOWS_HOW = {
    Notice.UNKNOWN_COMMAND,
    Notice.BAD_ARGUMENT,
    Notice.NOT_FOUND,
    Notice.HINT,
    Notice.OUT_OF_DATE,
}
"""Notices that must contain an example of what to type."""

_OUR_TAGS = re.compile(r"<br>|<font colorTokenV2=common_[a-z0-9]+_color>|</font>|^<a atId=[\w.@-]+>@|</a>(?=\n)")
_LINK = re.compile(r"\]\(")
_EXAMPLE = re.compile(r"/[a-z]{2,}")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co"}
_KEEPS_DAYS_WHOLE = "\u2060"


def check(card: CardInstance, viewer: str) -> SimCardView:
    """Return the card as ``viewer`` sees it, after the checks that hold for every card."""
    view, values, budget = card.view_for(viewer), card.variables_for(viewer), Budget()
    assert 0 < len(view.title.encode()) <= budget.title_bytes
    assert 0 < len(view.markdown.encode()) <= budget.body_bytes
    assert len(view.tips.encode()) <= budget.tips_bytes
    assert len(values["sys_full_json_obj"].encode()) <= budget.buttons_bytes
    assert len(view.buttons) <= budget.max_buttons
    markup = _OUR_TAGS.sub("", view.markdown)
    assert not set("<>`") & set(markup), view.markdown
    assert not _LINK.search(markup), view.markdown
    labels = "".join(button.text for button in view.buttons)
    shown = view.title + view.markdown.replace("\n", "") + view.tips + labels
    assert not _INVISIBLE & set(map(category, shown.replace(_KEEPS_DAYS_WHOLE, ""))), shown
    if view.title in _SHOWS_HOW:
        assert _EXAMPLE.search(view.markdown + labels), view.markdown
    return view


def plain_text(view: SimCardView) -> str:
    """Return all text of a card except its buttons, without our own markup."""
    return " ".join((view.title, _OUR_TAGS.sub(" ", view.markdown).replace("**", ""), view.tips))
