"""The words that cards use: those that docs/reference/wording.md rejects are in no catalogue and in no template."""

from __future__ import annotations

import re

import pytest

from bot.cards import catalogue
from bot.cards.renderer import CARDS
from commands import alerts, approve, mute, po, reject

from .tree import ROOT

REJECTED = (
    *("警报", "告警", "知道了", "认领", "静音", "采购订单", "批准", "驳回", "待收订单"),
    *("任一：", "没有指定您", "未记录", "”是多余的"),
)


def test_the_catalogue_has_no_rejected_word() -> None:
    texts = [text for message in catalogue.read("zh_CN") if message.id for text in _strings(message.string)]
    found = {word: text for word in REJECTED for text in texts if word in text}
    assert found == {}


def test_templates_hold_no_chinese_of_their_own() -> None:
    written = [
        path.name for path in CARDS.glob("*.md.j2") if re.search(r"[\u4e00-\u9fff]", _shown(path.read_text("utf-8")))
    ]
    assert written == []


@pytest.mark.parametrize("word", REJECTED)
def test_the_page_names_what_is_rejected(word: str) -> None:
    page = (ROOT / "docs" / "reference" / "wording.md").read_text("utf-8")
    assert word in page.replace("规则“…”", "")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (alerts.alerts, ("预警", "警报", "告警")),
        (mute.mute, ("暂停提醒", "静音")),
        (mute.unmute, ("恢复提醒", "取消静音")),
        (po.po, ("采购单", "采购订单")),
        (approve.approve, ("同意", "批准")),
        (reject.reject, ("拒绝", "驳回")),
    ],
)
def test_old_words_stay_aliases(command: object, words: tuple[str, ...]) -> None:
    assert set(words) <= set(command.aliases)  # type: ignore[attr-defined]


def _strings(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _shown(template: str) -> str:
    return re.sub(r"\{#.*?#\}", "", template, flags=re.DOTALL)
