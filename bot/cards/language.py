"""The reader's language: words from the catalogues, numbers, amounts and dates by Babel.

Catalogues are read from their ``.po`` files, so there is nothing to compile and nothing that can be out of step.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from enum import Enum
from functools import lru_cache
from gettext import c2py
from pathlib import Path
from types import MappingProxyType

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    get_currency_name,
    get_currency_precision,
)

from bot.cards.status_labels import status_label
from bot.erp.model import Currency, Money
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
LOCALES = TEMPLATES / "locales"
LANGUAGE_CODES = ("zh_CN", "en")
DEFAULT_LANGUAGE = "zh_CN"
_WIDE = Context(prec=60)
"""Babel rounds in the context at hand; in the usual one a number of more than 25 digits before its point raises."""
_ROUNDED_FROM = 100
"""From here on a number in few characters has no decimals of its own."""
UNKNOWN_VALUE = "–"
"""What is shown for ``None``: the ERP does not say."""


@dataclass(frozen=True, slots=True)
class Translations:
    """What a catalogue says for the words in the code; what it has no words for stays English."""

    words: Mapping[str, str]
    plurals: Mapping[str, Sequence[str]]
    """The singular → the forms of the language."""
    form_of: Callable[[int], int]
    """Which form goes with a number."""

    def gettext(self, msgid: str) -> str:
        """Return the words for ``msgid``."""
        return self.words.get(msgid) or msgid

    def ngettext(self, one: str, many: str, num: int) -> str:
        """Return the words for ``one`` or ``many`` that go with a number."""
        forms = self.plurals.get(one, ())
        form = self.form_of(num)
        return (forms[form] if form < len(forms) else "") or (one if num == 1 else many)


class Language:
    """One language with its catalogue. All methods return plain text: not markdown, not escaped."""

    def __init__(self, code: str, catalogue: Translations) -> None:
        self.code = code
        self.colon = "：" if code.startswith("zh") else ": "
        self.gettext: Callable[[str], str] = lru_cache(maxsize=2048)(catalogue.gettext)
        self.ngettext: Callable[[str, str, int], str] = catalogue.ngettext

    def say(self, text: Phrase | str, show: Callable[[object], str] | None = None) -> str:
        """Return a phrase in this language, its parameters put in by ``show``; plain text passes unchanged."""
        if isinstance(text, str):
            return text
        words = self.gettext(text.msgid)
        return fill_params(words, text.params, show or self.show) if text.params else words

    def show(self, value: object) -> str:
        """Return any value of a view as text, by its type."""
        match value:
            case None:
                return UNKNOWN_VALUE
            case Phrase():
                return self.say(value)
            case Enum():
                return self.say(status_label(value))
            case bool():
                return self.gettext("yes") if value else self.gettext("no")
            case int() | Decimal():
                return self.number(value)
            case Money():
                return self.money(value)
            case Currency():
                return _currency(self.code, value.code)
            case tuple():
                return self.gettext(", ").join(map(self.show, value))
            case dt.datetime():
                return self.datetime(value)
            case dt.date():
                return self.date(value)
            case _:
                return str(value)

    def number(self, value: Decimal | int | None) -> str:
        """Return a number with its groups parted and without idle zeros."""
        return UNKNOWN_VALUE if value is None else _number(self.code, value)

    def quantity(self, value: Decimal | int | None, unit: str = "") -> str:
        """Return a quantity with the unit as the ERP spells it."""
        if value is None:
            return UNKNOWN_VALUE
        return f"{_number(self.code, value)} {unit}" if unit else _number(self.code, value)

    def compact(self, value: Decimal) -> str:
        """Return a number in few characters, rounded to a tenth of its unit: 12.3万, 123.5K."""
        with localcontext(_WIDE):
            # Below its first unit a language writes a number in full.
            shown = round(value, 0 if abs(value) >= _ROUNDED_FROM else 1)
            return format_compact_decimal(shown, locale=_locale(self.code), fraction_digits=1)

    def month(self, value: dt.date) -> str:
        """Return the month of a date with its year, in few characters."""
        return format_skeleton("yMMM", value, locale=_locale(self.code))

    def money(self, value: Money | None) -> str:
        """Return an amount with the symbol and the decimals of its currency."""
        return UNKNOWN_VALUE if value is None else _money(self.code, value.amount, value.currency)

    def price(self, value: Money | None) -> str:
        """Return what one unit costs, with all its digits: an amount is rounded to the cents."""
        return UNKNOWN_VALUE if value is None else _price(self.code, value.amount, value.currency)

    def date(self, value: dt.date | None, year: int | None = None) -> str:
        """Return a date with its year, without it in ``year``: the one that everybody thinks of."""
        if value is None:
            return UNKNOWN_VALUE
        return _day(self.code, value) if value.year == year else _date(self.code, value)

    def day(self, value: dt.date | None, year: int | None = None) -> str:
        """Return a date for narrow places: with its year only where that is another than ``year``."""
        return _day(self.code, value) if value is not None and year is None else self.date(value, year)

    def datetime(self, value: dt.datetime | None, year: int | None = None) -> str:
        """Return date and time of day, without the year in ``year``; ``value`` is in the reader's time zone already."""
        return UNKNOWN_VALUE if value is None else f"{self.date(value.date(), year)} {value:%H:%M}"

    def days(self, count: int) -> str:
        """Return a number of days in words."""
        return self.ngettext("%(num)d day", "%(num)d days", count) % {"num": count}


def fill_params(words: str, params: Mapping[str, object], show: Callable[[object], str]) -> str:
    """Put parameters into a translated text; whole numbers stay numbers, for ``%(count)d``."""
    return words % {name: value if type(value) is int else show(value) for name, value in params.items()}


def load_languages(folder: Path = LOCALES) -> Mapping[str, Language]:
    """Read all catalogues that changed since; raises `ConfigurationError` when one is missing or broken."""
    return MappingProxyType(
        {code: _load(folder, code, _written(catalogue_path(folder, code))) for code in LANGUAGE_CODES}
    )


def choose_language(languages: Mapping[str, Language], code: str) -> Language:
    """Return the language for a code of any spelling (``en-US``, ``zh-Hans``), else the default one."""
    if code in languages:
        return languages[code]
    family = code.replace("-", "_").lower().partition("_")[0]
    fits = (language for known, language in languages.items() if known.lower().partition("_")[0] == family)
    return next(fits, languages[DEFAULT_LANGUAGE])


def catalogue_path(folder: Path, code: str) -> Path:
    """Return where the catalogue of a language is."""
    return folder / code / "LC_MESSAGES" / "messages.po"


def _written(path: Path) -> tuple[int, int] | None:
    """Return what is different after a file was written; None where `_read` will say what is wrong."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


# To read a catalogue takes 12 ms, and a bot asks for them again with each part that has words.
@lru_cache(maxsize=8)
def _load(folder: Path, code: str, written: tuple[int, int] | None) -> Language:
    return Language(code, _read(folder, code))


def _read(folder: Path, code: str) -> Translations:
    path = catalogue_path(folder, code)
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=code, abort_invalid=True)
    except (OSError, ValueError, PoFileError) as problem:
        raise ConfigurationError(f"no usable catalogue at {path}: {problem}") from problem
    return _translations(catalogue)


def _translations(catalogue: Catalog) -> Translations:
    # Babel would write a file for the standard library to read: that takes longer than reading the catalogue.
    words: dict[str, str] = {}
    plurals: dict[str, Sequence[str]] = {}
    form_of = c2py(catalogue.plural_expr)
    for message in catalogue:
        said = message.string
        if message.fuzzy or not message.id or not said:
            continue
        if isinstance(message.id, str):
            words[message.id] = said if isinstance(said, str) else said[0]
        else:
            plurals[message.id[0]] = said
            words[message.id[0]] = said[form_of(1)]
    return Translations(words, plurals, form_of)


# Equal figures come again and again; formatting one costs 5 to 11 µs. Zeros are equal whatever their sign.
@lru_cache(maxsize=8192)
def _number(code: str, value: Decimal | int) -> str:
    with localcontext(_WIDE):
        return format_decimal(value or 0, locale=_locale(code), decimal_quantization=False)


@lru_cache(maxsize=8192)
def _money(code: str, amount: Decimal, currency: str) -> str:
    with localcontext(_WIDE):
        places = get_currency_precision(currency) if currency else 2
        shown = amount if round(amount, places) else Decimal()
        if currency:
            return format_currency(shown, currency, locale=_locale(code))
        return format_decimal(shown, format="#,##0.00", locale=_locale(code))


@lru_cache(maxsize=8192)
def _price(code: str, amount: Decimal, currency: str) -> str:
    if not currency:
        return _number(code, amount)
    with localcontext(_WIDE):
        return format_currency(amount, currency, locale=_locale(code), decimal_quantization=False)


@lru_cache(maxsize=64)
def _currency(code: str, currency: str) -> str:
    # By a count English writes it within a sentence: US dollars, not US Dollar.
    return get_currency_name(currency, 10, locale=_locale(code))


@lru_cache(maxsize=1024)
def _date(code: str, value: dt.date) -> str:
    return format_date(value, "medium", locale=_locale(code))


@lru_cache(maxsize=1024)
def _day(code: str, value: dt.date) -> str:
    return format_skeleton("MMMd", value, locale=_locale(code))


@lru_cache(maxsize=8)
def _locale(code: str) -> Locale:
    return Locale.parse(code)
