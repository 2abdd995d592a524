"""Days as people type them, and the periods they mean."""

from __future__ import annotations

from datetime import date

import pytest

from bot.chat.day_grammar import day_grammar
from bot.chat.day_meanings import DayMeanings
from bot.chat.days import DayRange, Days, DaysOrMonth, find_days, names_days, names_days_ahead, read_days
from bot.chat.errors import BadArgument
from bot.erp.port import Period
from tests.rows import each_row

FRIDAY = date(2026, 11, 27)


def span(first: str, last: str = "", *, due: bool = False) -> DayRange:
    return DayRange(Period(date.fromisoformat(first), date.fromisoformat(last or first)), due=due)


def test_a_month_in_digits_is_meant_where_no_number_can_be() -> None:
    words = ["2026-10"]
    days = DaysOrMonth.take_marked(words)
    assert (words, days and days.within(FRIDAY)) == ([], span("2026-10-01", "2026-10-31"))
    assert DaysOrMonth("2026/9").within(FRIDAY) == span("2026-09-01", "2026-09-30")
    assert DaysOrMonth("上上个月").within(FRIDAY) == span("2026-09-01", "2026-09-30")
    assert DaysOrMonth.take_marked(["2026-13"]) is None


@each_row(
    ("text", "meant"),
    [
        ("今天", span("2026-11-27")),
        ("昨天", span("2026-11-26")),
        ("大后天", span("2026-11-30")),
        ("本周", span("2026-11-23", "2026-11-29")),
        ("上个星期", span("2026-11-16", "2026-11-22")),
        ("上上周", span("2026-11-09", "2026-11-15")),
        ("这周末", span("2026-11-28", "2026-11-29")),
        ("周三", span("2026-11-25")),
        ("周日", span("2026-11-22")),
        ("上周五", span("2026-11-20")),
        ("下周一", span("2026-11-30")),
        ("本月", span("2026-11-01", "2026-11-30")),
        ("上个月", span("2026-10-01", "2026-10-31")),
        ("10月", span("2026-10-01", "2026-10-31")),
        ("十二月份", span("2025-12-01", "2025-12-31")),
        ("去年2月", span("2025-02-01", "2025-02-28")),
        ("2024年2月29日", span("2024-02-29")),
        ("3号", span("2026-11-03")),
        ("30号", span("2026-10-30")),
        ("31日", span("2026-10-31")),
        ("月初", span("2026-11-01", "2026-11-10")),
        ("10月底", span("2026-10-21", "2026-10-31")),
        ("上个月中旬", span("2026-10-11", "2026-10-20")),
        ("上个月最后一周", span("2026-10-25", "2026-10-31")),
        ("10月的第一周", span("2026-10-01", "2026-10-07")),
        ("十月上半月", span("2026-10-01", "2026-10-15")),
        ("上月后半个月", span("2026-10-16", "2026-10-31")),
        ("11月20号以后", span("2026-11-20", "2026-11-27")),
        ("11月20日至今", span("2026-11-20", "2026-11-27")),
        ("上个月以后", span("2026-11-01", "2026-11-27")),
        ("今年以来", span("2026-01-01", "2026-11-27")),
        ("since monday", span("2026-11-23", "2026-11-27")),
        ("after 20 November", span("2026-11-21", "2026-11-27")),
        ("from monday on", span("2026-11-23", "2026-11-27")),
        ("20号之后到期", span("2026-12-20", "2036-12-31", due=True)),
        ("去年同期", span("2025-11-01", "2025-11-27")),
        ("上月同期", span("2026-10-01", "2026-10-27")),
        ("上周同期", span("2026-11-16", "2026-11-20")),
        ("上季度同期", span("2026-07-01", "2026-08-27")),
        ("去年今天", span("2025-11-27")),
        ("上个月同一天", span("2026-10-27")),
        ("去年同月", span("2025-11-01", "2025-11-30")),
        ("same period last year", span("2025-11-01", "2025-11-27")),
        ("this month last year", span("2025-11-01", "2025-11-30")),
        ("本周去年同期", span("2025-11-23", "2025-11-27")),
        ("上个月的去年同期", span("2025-10-01", "2025-10-31")),
        ("last 7 days same period last year", span("2025-11-21", "2025-11-27")),
        ("the last week of last month", span("2026-10-25", "2026-10-31")),
        ("second half of October", span("2026-10-16", "2026-10-31")),
        ("上季度", span("2026-07-01", "2026-09-30")),
        ("去年第四季度", span("2025-10-01", "2025-12-31")),
        ("q2", span("2026-04-01", "2026-06-30")),
        ("上半年", span("2026-01-01", "2026-06-30")),
        ("去年", span("2025-01-01", "2025-12-31")),
        ("2025年", span("2025-01-01", "2025-12-31")),
        ("二零二五年十月", span("2025-10-01", "2025-10-31")),
        ("最近7天", span("2026-11-21", "2026-11-27")),
        ("近三个月", span("2026-08-28", "2026-11-27")),
        ("未来三天", span("2026-11-27", "2026-11-30")),
        ("2026-10-03", span("2026-10-03")),
        ("2026-10-03..2026-11-02", span("2026-10-03", "2026-11-02")),
        ("10月1号到15号", span("2026-10-01", "2026-10-15")),
        ("9月至10月", span("2026-09-01", "2026-10-31")),
        ("昨天到今天", span("2026-11-26", "2026-11-27")),
        ("last week", span("2026-11-16", "2026-11-22")),
        ("last friday", span("2026-11-20")),
        ("monday", span("2026-11-23")),
        ("october", span("2026-10-01", "2026-10-31")),
        ("Oct 2025", span("2025-10-01", "2025-10-31")),
        ("this quarter", span("2026-10-01", "2026-12-31")),
        ("past 2 weeks", span("2026-11-14", "2026-11-27")),
        ("15 november", span("2026-11-15")),
        ("1st of March", span("2026-03-01")),
        ("Dec 3rd", span("2025-12-03")),
        ("November 3, 2025", span("2025-11-03")),
        ("between 1 and 15 November", span("2026-11-01", "2026-11-15")),
        ("between 30 october and 3 november", span("2026-10-30", "2026-11-03")),
        ("the week before last", span("2026-11-09", "2026-11-15")),
        ("the month before last", span("2026-09-01", "2026-09-30")),
        ("去年十二月", span("2025-12-01", "2025-12-31")),
        ("月初到现在", span("2026-11-01", "2026-11-27")),
        ("月底前", span("2026-11-27", "2026-11-30")),
        ("周三之前", span("2026-11-27", "2026-12-02")),
        ("by monday", span("2026-11-27", "2026-11-30")),
        ("by end of month", span("2026-11-27", "2026-11-30")),
        ("before the end of the year", span("2026-11-27", "2026-12-31")),
        ("end of this week", span("2026-11-23", "2026-11-29")),
        ("end of october", span("2026-10-22", "2026-10-31")),
        ("the first half of the year", span("2026-01-01", "2026-06-30")),
        ("second half of last quarter", span("2026-08-16", "2026-09-30")),
        ("due by the end of the month", span("2026-11-27", "2026-11-30", due=True)),
        ("30号前到期", span("2026-11-27", "2026-11-30", due=True)),
        ("11月20日以后", span("2026-11-20", "2026-11-27")),
        ("11月20号之后", span("2026-11-20", "2026-11-27")),
        ("从11月20日开始", span("2026-11-20", "2026-11-27")),
        ("上周以来", span("2026-11-16", "2026-11-27")),
        ("since 20 november", span("2026-11-20", "2026-11-27")),
        ("after 20 november", span("2026-11-21", "2026-11-27")),
        ("12月5日以后到期", span("2026-12-05", "2036-12-31", due=True)),
        ("2026-12-05以后", span("2026-12-05", "2036-12-31")),
        ("明天到期", span("2026-11-28", due=True)),
        ("下周要交", span("2026-11-30", "2026-12-06", due=True)),
        ("3号到期", span("2026-12-03", due=True)),
        ("1月到期", span("2027-01-01", "2027-01-31", due=True)),
        ("due tomorrow", span("2026-11-28", due=True)),
        ("due next 7 days", span("2026-11-27", "2026-12-04", due=True)),
        ("falling due next week", span("2026-11-30", "2026-12-06", due=True)),
        ("11月20到25号", span("2026-11-20", "2026-11-25")),
        ("28到5号", span("2026-10-28", "2026-11-05")),
        ("9-10月", span("2026-09-01", "2026-10-31")),
        ("上个月20号到25号", span("2026-10-20", "2026-10-25")),
        ("去年10月到今年2月", span("2025-10-01", "2026-02-28")),
        ("上周一到上周五", span("2026-11-16", "2026-11-20")),
        ("monday to friday", span("2026-11-23", "2026-11-27")),
        ("3 to 5 november", span("2026-11-03", "2026-11-05")),
        ("nov 3 to 10, 2025", span("2025-11-03", "2025-11-10")),
        ("11/20到11/25", span("2026-11-20", "2026-11-25")),
        ("3/5到3/8", span("2026-03-05", "2026-03-08")),
        ("10/28-11/5", span("2026-10-28", "2026-11-05")),
        ("25/12", span("2025-12-25")),
        ("28/10 to 05/11", span("2026-10-28", "2026-11-05")),
        ("11/5号", span("2026-11-05")),
        ("25/12/2026", span("2026-12-25")),
        ("10.8号", span("2026-10-08")),
        ("10.8到10.12号", span("2026-10-08", "2026-10-12")),
        ("近半个月", span("2026-11-13", "2026-11-27")),
        ("最近半年", span("2026-05-28", "2026-11-27")),
        ("last two weeks", span("2026-11-14", "2026-11-27")),
        ("past week", span("2026-11-21", "2026-11-27")),
        ("q3 2025", span("2025-07-01", "2025-09-30")),
        ("国庆期间", span("2026-10-01", "2026-10-07")),
        ("去年国庆", span("2025-10-01", "2025-10-08")),
        ("春节到现在", span("2026-02-15", "2026-11-27")),
        ("双十一", span("2026-11-11")),
        ("national day holiday", span("2026-10-01", "2026-10-07")),
        ("元旦到期", span("2027-01-01", due=True)),
    ],
)
def test_days_are_read_as(text: str, meant: DayRange) -> None:
    assert read_days(text, FRIDAY) == meant


@each_row(
    "text",
    [
        "",
        "上海",
        "五月花",
        "2月30号",
        "十三月",
        "may",
        "0号",
        "到期",
        "2026-10",
        "SKU123",
        "3号仓",
        "due",
        "昨天到",
        "1/2",
        "05/11",
        "05/11 to 08/11",
        "3/4寸",
        "10.5到11.5",
        "十一",
        "十十一号",
        "2035年春节",
        "国庆前",
        "x" * 60,
    ],
)
def test_everything_else_names_no_days(text: str) -> None:
    assert not names_days(text)


@each_row("text", ["昨天", "10月1号到15号", "due tomorrow", "最近7天"])
def test_the_typed_form_means_the_same_on_any_later_day(text: str) -> None:
    meant = read_days(text, FRIDAY)
    assert meant is not None
    assert read_days(meant.typed, date(2027, 5, 1)) == meant


def test_a_range_that_ends_before_it_begins_is_none() -> None:
    assert read_days("2026-10-03..2026-10-01", FRIDAY) is None


@each_row(
    ("text", "ahead"),
    [("明天", True), ("下个月", True), ("未来三天", True), ("今天", False), ("本周", False), ("10月", False)],
)
def test_some_days_lie_ahead_whenever_they_are_said(text: str, ahead: bool) -> None:
    assert names_days_ahead(text) is ahead


@each_row(
    ("text", "found"),
    [
        ("上个月和10月1号到15号的订单，不是3号仓的，也不是五月花的", ["上个月", "10月1号到15号"]),
        ("11月20到25号到的货", ["11月20到25号"]),
        ("国庆发了多少货", ["国庆"]),
        ("国庆前的订单，中秋礼盒还有多少", []),
        ("螺丝3/4寸的库存", []),
        ("一千零二十三号订单，10.5到11.5元的螺丝", []),
        ("昨天前", ["昨天"]),
        ("11/20的订单", ["11/20"]),
        ("orders from 25/11 to 28/11", ["25/11 to 28/11"]),
        ("orders of 05/11", []),
        ("did it ship last month on time", ["last month"]),
    ],
)
def test_days_are_found_in_a_sentence(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in find_days(text)] == found


def test_days_are_taken_from_anywhere_in_a_line() -> None:
    words = ["Acme", "last", "week", "Tools"]
    assert Days.take_marked(words) == "last week"
    assert words == ["Acme", "Tools"]
    assert Days.take_marked(words) is None


@each_row("word", ["2月31号", "2月30日到3月5日", "13月5号", "2026-02-30", "2025年2月29日", "2月31号到期"])
def test_days_that_do_not_exist_are_told_apart_from_names(word: str) -> None:
    with pytest.raises(BadArgument, match=word):
        Days.take_marked(["Acme", word])


@each_row("word", ["SO-1001", "300号", "3号仓", "2月花", "11-31", "2026-10"])
def test_what_is_no_day_stays_a_name(word: str) -> None:
    assert Days.take_marked([word]) is None


def test_the_29th_of_february_exists_in_leap_years_only() -> None:
    typed = Days.take_marked(["2月29号"])
    assert typed is not None
    assert typed.within(date(2028, 3, 1)) == span("2028-02-29")
    with pytest.raises(BadArgument, match="2月29号"):
        typed.within(FRIDAY)


def test_each_way_to_say_days_has_a_meaning() -> None:
    named = {rule.alias or rule.origin.name for rule in day_grammar().rules if not rule.options.expand1 or rule.alias}
    said_alone = {name for name in named if not name.startswith("_")}
    assert {name for name in said_alone if not hasattr(DayMeanings, name)} == set()
