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
    *("发票已付款", "接口调用量"),
    *("任一：", "没有指定您", "未记录", "”是多余的", "已发货 部分"),
)
USED = (
    *("预警", "我来跟进", "暂停提醒", "恢复提醒", "采购单", "同意", "拒绝", "审批通过", "交货日期", "计划完工日"),
    *("以下任一人同意即可", "您不是此单的审批人", "操作未生效", "单据已变更，请核对后再审批", "无法识别“"),
    *("可用量%(limit)s时提醒您", "单，均按期", "正在查询 ERP…"),
)


def test_the_catalogue_has_no_rejected_word() -> None:
    texts = [text for message in catalogue.read("zh_CN") if message.id for text in _strings(message.string)]
    found = {word: text for word in REJECTED for text in texts if word in text}
    assert found == {}


@pytest.mark.parametrize("word", USED)
def test_the_catalogue_has_the_word_that_people_use(word: str) -> None:
    texts = [text for message in catalogue.read("zh_CN") if message.id for text in _strings(message.string)]
    assert any(word in text for text in texts)


def test_one_thing_has_one_name() -> None:
    texts = [text for message in catalogue.read("zh_CN") if message.id for text in _strings(message.string)]
    assert [text for text in texts if "商品" in text or re.search("(?<!订)生产单", text)] == []


def test_english_has_one_word_for_who_sells_to_us() -> None:
    ids = [text for message in catalogue.read("zh_CN") if message.id for text in _strings(message.id)]
    assert [text for text in ids if re.search("supplier", text, re.IGNORECASE)] == []


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
