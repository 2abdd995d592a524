"""Who wants something changed is shown what it is about, and the line to send: a sentence changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cards.notices import WithheldNotice
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.registry import Commands
from bot.understanding.following.last_question import follow
from bot.understanding.grammar import Grammar
from bot.understanding.sentences import Sentences
from bot.words.errors import ConfigurationError
from tests.rows import each_row


@each_row(
    ("sentence", "line", "wish"),
    [
        ("SKU123低于50提醒我", "/stock SKU123", "/watch SKU123 < 50"),
        ("SKU128少于一千个的时候提醒我", "/stock SKU128", "/watch SKU128 < 1000"),
        ("remind me when SKU123 is below 5,000", "/stock SKU123", "/watch SKU123 < 5000"),
        ("notify me when FAN-41 is above 900", "/stock FAN-41", "/watch FAN-41 > 900"),
        ("PO-1069到货了告诉我一声", "/po PO-1069", "/watch PO-1069"),
        ("let me know if SO-1490 changes", "/order SO-1490", "/watch SO-1490"),
        ("SKU135不用再盯了", "/stock SKU135", "/unwatch SKU135"),
        ("关注的全部取消掉", "/watches", "/unwatch all"),
        ("每天早上八点半把昨天的报表推给我", "/subscriptions", "/subscribe report 昨天 08:30 daily"),
        ("工作日下午6点发我日报", "/subscriptions", "/subscribe report day 18:00"),
        ("send me the late orders every day at 9:05", "/subscriptions", "/subscribe order late 09:05 daily"),
        ("send me the report every workday at 5pm", "/subscriptions", "/subscribe report 17:00"),
        ("帮我订阅日报", "/subscriptions", "/subscribe report day"),
        ("日报别再发了", "/subscriptions", "/unsubscribe report day"),
        ("全部退订", "/subscriptions", "/unsubscribe all"),
        ("低库存的提醒先停两个小时", "/alerts", "/mute stock.low 2h"),
        ("预警先静音半天", "/alerts", "/mute 12h"),
        ("低库存提醒恢复吧", "/alerts", "/unmute stock.low"),
        ("换成英文界面", "/help lang", "/lang en"),
        ("switch to Chinese", "/help lang", "/lang zh"),
        ("绑定我的erp帐号", "/help bind", "/bind"),
    ],
)
def test_a_wish_shows_what_it_is_about(sentence: str, line: str, wish: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line, reading.change) == (line, wish)


@each_row(
    ("sentence", "line"),
    [
        ("SO-1001改交期到下周五", "/order SO-1001"),
        ("帮我取消SO-1001", "/order SO-1001"),
        ("给宏达下单100个SKU123", "/price SKU123 宏达"),
        ("cancel order SO-1001", "/order SO-1001"),
    ],
)
def test_what_only_the_erp_does_is_said(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line, reading.change, reading.wants_erp) == (line, "", True)


@each_row(
    ("sentence", "line"),
    [
        ("麻烦告诉我SKU123还有多少", "/stock SKU123"),
        ("tell me which invoices are overdue", "/invoice overdue"),
        ("SO-1001的交期是哪天", "/order SO-1001"),
        ("每天卖多少", "/chart sales"),
        ("我关注了哪些", "/watches"),
    ],
)
def test_a_question_is_no_wish(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line, reading.change, reading.wants_erp) == (line, "", False)


def test_a_wish_may_be_about_what_is_there(grammar: Grammar) -> None:
    last = LastQuestion(line="/stock SKU123", at=datetime(2026, 3, 2, 9, tzinfo=UTC))
    reading = follow(grammar, "低于50提醒我", last)
    assert reading is not None
    assert (reading.line, reading.change) == ("/stock SKU123", "/watch SKU123 < 50")


@each_row(
    ("before", "sentence", "done"),
    [
        ("/report yesterday", "每天早上九点发给我", "/subscribe report yesterday 09:00 daily"),
        ("/invoice overdue", "工作日下午四点推给我", "/subscribe invoice overdue 16:00"),
        ("/stock SKU124", "算了不要提醒了", "/unwatch SKU124"),
    ],
)
def test_what_is_there_comes_every_day_or_is_watched_no_more(
    before: str, sentence: str, done: str, grammar: Grammar
) -> None:
    reading = follow(grammar, sentence, LastQuestion(line=before, at=datetime(2026, 3, 2, 9, tzinfo=UTC)))
    assert reading is not None
    assert reading.change == done


def test_what_only_the_erp_does_is_said_of_the_document_that_is_there(grammar: Grammar) -> None:
    last = LastQuestion(line="/delivery SO-1001", at=datetime(2026, 3, 2, 9, tzinfo=UTC))
    reading = follow(grammar, "这单帮我取消", last)
    assert reading is not None
    assert (reading.line, reading.wants_erp) == ("/order SO-1001", True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"change": "/watch SKU123 < 50"},
            "Read as /stock SKU123. A sentence changes nothing: send /watch SKU123 < 50",
        ),
        ({"wants_erp": True}, "Read as /stock SKU123. I change nothing there: please do it in the ERP"),
    ],
)
def test_the_card_says_how_it_is_done(answer: dict[str, str | bool], said: str) -> None:
    prepared = PreparedAnswer(WithheldNotice(), "stock", "answered", read_as="/stock SKU123", **answer)  # type: ignore[arg-type]
    assert str(prepared.reading) == said


@pytest.mark.parametrize(
    "text",
    [
        '[wishes.stock]\nalone = ["数一下"]\n',
        '[wishes.watch]\nsome = ["盯"]\n',
        "wishes = 1\n",
        "[wishes]\nwatch = 1",
    ],
)
def test_a_mistake_in_a_table_of_wishes_is_named(text: str, tmp_path: Path, commands: Commands) -> None:
    own = tmp_path / "sentences.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="wishes"):
        Sentences.load(commands, (own,))
