"""How amounts are written in approval rules: exact, and never without their currency."""

from __future__ import annotations

import re
from decimal import Decimal

from babel.core import get_global

from bot.erp.model import Money
from bot.rulefiles.values import read_texts

_MONEY = re.compile(r"(\d{1,15}(?:\.\d{1,6})?) ([A-Z]{3})")
_RANGE = re.compile(r"(?:from (?P<low>.+?))?(?:(?:^| )(?:to )?below (?P<high>.+))?")
_YUAN = frozenset(("RMB", "YUAN", "元", "人民币", "¥", "￥"))
_EXAMPLE = 'an example is "5000 CNY"'
_BOUNDS = 'examples are "below 5000 CNY", "from 5000 to below 50000 CNY", "from 50000 CNY"'


def read_money(value: object) -> Money:
    """Return an amount with its currency, such as ``5000 CNY``; none is negative."""
    if not isinstance(value, str):
        raise ValueError(f"an amount stands in quotes with its currency, {_EXAMPLE}")
    text = " ".join(value.split())
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError(_complaint(text))
    currencies = get_global("all_currencies")
    if match[2] not in currencies:
        known = "write CNY" if match[2] in _YUAN else "usual ones are CNY, USD, EUR, JPY, HKD"
        raise ValueError(f"no currency {match[2]!r}; {known}")
    return Money(Decimal(match[1]), match[2])


def read_limit(value: object) -> Money:
    """Return an amount that is a limit: zero would forbid everything."""
    found = read_money(value)
    if not found.amount:
        raise ValueError(f"the limit is zero; {_EXAMPLE}")
    return found


def read_limits(value: object) -> tuple[Money, ...]:
    """Return limits, one for each currency; a single one is a list of one."""
    if not isinstance(value, str | list):
        raise ValueError('limits are a list of amounts, an example is ["20000 CNY", "3000 USD"]')
    found = tuple(map(read_limit, [value] if isinstance(value, str) else value))
    if not found:
        raise ValueError('the list is empty; leave the key out for no limit, an example is ["20000 CNY"]')
    currencies = [money.currency for money in found]
    twice = next((one for one in currencies if currencies.count(one) > 1), "")
    if twice:
        raise ValueError(f"two limits in {twice}; write one for each currency")
    return found


def read_bounds(value: object) -> tuple[Money | None, Money | None]:
    """Return from which amount on (itself included) and below which amount (itself not): two rules can meet exactly."""
    if not isinstance(value, str):
        raise ValueError(f"amounts stand in quotes with their currency, {_BOUNDS}")
    text = " ".join(value.split())
    match = _RANGE.fullmatch(text)
    if not text or match is None:
        raise ValueError(f'an amount is bounded by "from" (itself included) and "below" (itself not), {_BOUNDS}')
    low, high = match["low"], match["high"]
    if low is not None and high is not None and " " not in low:
        low = f"{low} {high.rpartition(' ')[2]}"
    at_least, below = (None if bound is None else read_money(bound) for bound in (low, high))
    if below is not None and not below.amount:
        raise ValueError(f"nothing is below zero; {_BOUNDS}")
    if at_least is not None and below is not None:
        if at_least.currency != below.currency:
            raise ValueError(f"both bounds are in one currency, {_BOUNDS}")
        if at_least.amount >= below.amount:
            raise ValueError(f"no amount is from {written(at_least)} and below {written(below)}; {_BOUNDS}")
    return at_least, below


def read_currencies(value: object) -> frozenset[str]:
    """Return ISO codes of currencies."""
    found = read_texts(value)
    if not found:
        raise ValueError('the list is empty, so that nothing would fit; an example is ["USD", "EUR"]')
    return frozenset(read_money(f"0 {code}").currency for code in found)


def written(money: Money) -> str:
    """Return an amount as `read_money` reads it."""
    return f"{money.amount:f} {money.currency}"


def _complaint(text: str) -> str:
    number = text.partition(" ")[0]
    currency = text.partition(" ")[2]
    if text.startswith("-"):
        return f"{text[:40]!r} is negative; {_EXAMPLE}"
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f'{text[:40]} of which currency? An example is "{text[:40]} CNY"'
    if re.fullmatch(r"\d{1,3}([,'_]\d{3})+(\.\d+)?", number):
        return f"the number stands without separators, {_EXAMPLE}"
    if any(sign in text.upper() for sign in _YUAN) or currency.islower():
        return f"the currency is an ISO code of three capitals after the number, {_EXAMPLE}"
    if re.fullmatch(r"\d+\.\d{7,} [A-Z]{3}", text):
        return f"up to six digits stand after the point, {_EXAMPLE}"
    return f"{text[:40]!r} is no amount: all digits, a point if needed, a blank, the currency; {_EXAMPLE}"
