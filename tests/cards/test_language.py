"""Numbers, amounts, dates and words as people of each language write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cards.language import LANGUAGE_CODES, Language, choose_language, load_languages
from bot.cards.layout import plain_markdown
from bot.cards.presenter import Presenter
from bot.cards.status_labels import _COLOURS, _LABELS, status_colour, status_label
from bot.erp.model import Currency, InvoiceStatus, Money, OrderStatus
from bot.words.errors import ConfigurationError
from bot.words.phrase import phrase
from tests.rows import each_row


@each_row(
    ("code", "chosen"),
    [
        ("zh_CN", "zh_CN"),
        ("en", "en"),
        ("en_US", "en"),
        ("en-GB", "en"),
        ("zh-Hans", "zh_CN"),
        ("fr", "zh_CN"),
        ("", "zh_CN"),
    ],
)
def test_any_code_finds_a_language(languages: Mapping[str, Language], code: str, chosen: str) -> None:
    assert choose_language(languages, code).code == chosen


def test_numbers(languages: Mapping[str, Language]) -> None:
    english = languages["en"]
    assert english.number(Decimal("1234567.500")) == "1,234,567.5"
    assert english.number(Decimal("0.00012")) == "0.00012"
    assert english.number(Decimal("-3")) == "-3"
    assert english.number(None) == "–"
    assert english.quantity(Decimal("12.0"), "pcs") == "12 pcs"
    assert english.quantity(Decimal("12"), "") == "12"
    assert english.quantity(None, "pcs") == "–"
    assert english.number(Decimal("1E+26")) == "100,000,000,000,000,000,000,000,000"


@pytest.mark.parametrize("zero", ["-0", "-0.00", "-0E+3"])
def test_zero_has_no_sign(chinese: Presenter, zero: str) -> None:
    negative = Decimal(zero)
    assert chinese.number(negative) == chinese.number(Decimal(0)) == "0"
    assert chinese.quantity(negative, "个") == "0 个"
    assert chinese.money(Money(negative, "CNY")) == chinese.money(Money(Decimal(0), "CNY")) == "¥0.00"
    assert not Money(negative, "CNY").amount.is_signed()


@each_row(
    ("amount", "currency", "text"),
    [("-0.004", "CNY", "¥0.00"), ("-0.4", "JPY", "JP¥0"), ("-0.004", "", "0.00"), ("-0.006", "CNY", "-¥0.01")],
)
def test_an_amount_that_rounds_to_zero_has_no_sign(
    languages: Mapping[str, Language], amount: str, currency: str, text: str
) -> None:
    assert languages["zh_CN"].money(Money(Decimal(amount), currency)) == text


@each_row(
    ("code", "money", "text"),
    [
        ("zh_CN", Money(Decimal("1234.5"), "CNY"), "¥1,234.50"),
        ("zh_CN", Money(Decimal("-5"), "USD"), "-US$5.00"),
        ("en", Money(Decimal("1234.5"), "CNY"), "CN¥1,234.50"),
        ("en", Money(Decimal("1234"), "JPY"), "¥1,234"),
        ("en", Money(Decimal("7"), ""), "7.00"),
        ("en", Money(Decimal("1E+26"), "USD"), "$100,000,000,000,000,000,000,000,000.00"),
    ],
)
def test_money(languages: Mapping[str, Language], code: str, money: Money, text: str) -> None:
    assert languages[code].money(money) == text


def test_dates(languages: Mapping[str, Language]) -> None:
    day = date(2026, 1, 3)
    assert (languages["zh_CN"].date(day), languages["en"].date(day)) == ("2026年1月3日", "Jan 3, 2026")
    assert (languages["zh_CN"].day(day), languages["en"].day(day)) == ("1月3日", "Jan 3")
    assert (languages["zh_CN"].days(1), languages["en"].days(1), languages["en"].days(3)) == ("1 天", "1 day", "3 days")


def test_times_are_told_in_the_readers_zone(chinese: Presenter, english: Presenter) -> None:
    moment = datetime(2026, 1, 3, 20, 5, tzinfo=UTC)
    assert chinese.present(moment) == "2026年1月4日 04:05"
    assert english.present(moment) == "Jan 4, 2026 04:05"
    assert english.time(moment) == "04:05"


def test_a_phrase_is_said_with_its_parameters_shown_by_type(chinese: Presenter, english: Presenter) -> None:
    nested = phrase("Nothing was found for “%(what)s”.", what=phrase("Stock"))
    assert english.present(nested) == "Nothing was found for “Stock”."
    assert chinese.present(nested) == "没有找到“库存”。"
    injected = phrase("Nothing was found for “%(what)s”.", what="**x**\n" + "y" * 500)
    assert "＊＊x＊＊ yyy" in english.present(injected)
    assert len(english.present(injected)) < 130


def test_values_are_shown_by_type(chinese: Presenter, english: Presenter) -> None:
    assert [english.present(value) for value in (None, True, 1234, Decimal("2.50"), OrderStatus.PARTLY_DELIVERED)] == [
        "–",
        "yes",
        "1,234",
        "2.5",
        "Partly delivered",
    ]
    assert chinese.present(OrderStatus.PARTLY_DELIVERED) == "部分发货"


def test_every_state_of_every_document_has_a_word() -> None:
    for kind, words in _LABELS.items():
        assert set(words) == set(kind)
    assert all(set(colours) <= set(kind) for kind, colours in _COLOURS.items())
    assert status_label(OrderStatus.DRAFT) == phrase("Draft")
    assert (status_colour(InvoiceStatus.PAID), status_colour(InvoiceStatus.VOID)) == ("green", "gray")


def test_a_missing_catalogue_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="catalogue"):
        load_languages(tmp_path)


def test_a_broken_catalogue_is_a_matter_of_configuration(tmp_path: Path) -> None:
    for code in LANGUAGE_CODES:
        folder = tmp_path / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "messages.po").write_text("this is no catalogue", "utf-8")
    with pytest.raises(ConfigurationError, match="catalogue"):
        load_languages(tmp_path)


def test_dates_of_this_year_say_no_year(languages: Mapping[str, Language]) -> None:
    clock = [datetime(2026, 11, 24, 9, 0, tzinfo=UTC)]
    shown = Presenter(languages["zh_CN"], ZoneInfo("Asia/Shanghai"), lambda: clock[0])
    day, moment = date(2026, 11, 4), datetime(2026, 11, 4, 2, 5, tzinfo=UTC)
    assert (shown.present(day), shown.present(moment)) == ("11月4日", "11月4日 10:05")
    assert shown.show(phrase("until %(time)s", time=moment)) == "到 11月4日 10:05"
    assert shown.present(date(2025, 11, 4)) == "2025年11月4日"
    clock[0] = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert (shown.present(day), shown.present(moment)) == ("2026年11月4日", "2026年11月4日 10:05"), "it is 2027 there"


def test_a_day_is_never_broken(chinese: Presenter, english: Presenter) -> None:
    day = date(2026, 11, 4)
    assert (chinese.day(day), english.day(day)) == ("11\u2060月\u20604\u2060日", "Nov\xa04")
    assert plain_markdown([chinese.day(day), english.day(day)]) == "11月4日  \n  Nov 4"


def test_lists_and_currencies_are_words_of_the_language(languages: Mapping[str, Language]) -> None:
    said = phrase("it is for amounts in %(currencies)s", currencies=(Currency("CNY"), Currency("USD")))
    assert languages["zh_CN"].say(said) == "适用于币种：人民币、美元"
    assert languages["en"].say(said) == "it is for amounts in Chinese yuan, US dollars"
    assert str(said) == "it is for amounts in CNY, USD"


@each_row(
    ("number", "chinese", "english"),
    [
        ("0", "0", "0"),
        ("12.34", "12.3", "12.3"),
        ("6691.62", "6692", "6.7K"),
        ("123456", "12.3万", "123.5K"),
        ("-20000", "-2万", "-20K"),
    ],
)
def test_numbers_in_few_signs(languages: Mapping[str, Language], number: str, chinese: str, english: str) -> None:
    amount = Decimal(number)
    assert (languages["zh_CN"].compact(amount), languages["en"].compact(amount)) == (chinese, english)


def test_a_counted_word_has_the_form_of_its_number_and_stays_english_without_a_translation(tmp_path: Path) -> None:
    counted = 'msgid "%(num)d lot"\nmsgid_plural "%(num)d lots"\n'
    for code, forms in {"zh_CN": ["%(num)d 批"], "en": ["%(num)d batch", "%(num)d batches"]}.items():
        folder = tmp_path / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        said = "".join(f'msgstr[{number}] "{form}"\n' for number, form in enumerate(forms))
        head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        (folder / "messages.po").write_text(head + counted + said, "utf-8")
    languages = load_languages(tmp_path)
    english, chinese = languages["en"], languages["zh_CN"]
    assert [english.ngettext("%(num)d lot", "%(num)d lots", num) for num in (1, 2)] == [
        "%(num)d batch",
        "%(num)d batches",
    ]
    assert chinese.ngettext("%(num)d lot", "%(num)d lots", 2) == "%(num)d 批"
    assert [english.ngettext("a day", "days", num) for num in (1, 2)] == ["a day", "days"]
    assert english.gettext("%(num)d lot") == "%(num)d batch"
    assert english.gettext("no such words") == "no such words"
