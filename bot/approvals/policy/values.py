"""How amounts and people are written in approval rules: ``5000 CNY``, ``role:purchasing``, ``manager:1``."""

from __future__ import annotations

import re
from decimal import Decimal

from babel.core import get_global

from bot.approvals.policy.rules import ApproverSelector, SelectorKind
from bot.erp.model import Money
from bot.rulefiles.errors import did_you_mean
from bot.rulefiles.values import read_text, read_texts

_MONEY = re.compile(r"(\d{1,15}(?:\.\d{1,6})?) ([A-Z]{3})")
_RANGE = re.compile(r"(?:from (?P<low>.+?))?(?:(?:^| )(?:to )?below (?P<high>.+))?")
_YUAN = frozenset(("RMB", "YUAN", "元", "人民币", "¥", "￥"))
_EXAMPLE = 'an example is "5000 CNY"'
_BOUNDS = 'examples are "below 5000 CNY", "from 5000 to below 50000 CNY", "from 50000 CNY"'


def read_money(value: object) -> Money:
    """Return an amount with its currency, such as ``5000 CNY``; never a negative one."""
    if not isinstance(value, str):
        raise ValueError(f"an amount stands in quotes with its currency, {_EXAMPLE}")
    text = " ".join(value.split())
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError(_explain_bad_amount(text))
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
    twice = next((currency for currency in currencies if currencies.count(currency) > 1), "")
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
            raise ValueError(f"no amount is from {format_money(at_least)} and below {format_money(below)}; {_BOUNDS}")
    return at_least, below


def read_currencies(value: object) -> frozenset[str]:
    """Return ISO codes of currencies."""
    found = read_texts(value)
    if not found:
        raise ValueError('the list is empty, so that nothing would fit; an example is ["USD", "EUR"]')
    return frozenset(read_money(f"0 {code}").currency for code in found)


def format_money(money: Money) -> str:
    """Return an amount as `read_money` reads it."""
    return f"{money.amount:f} {money.currency}"


def _explain_bad_amount(text: str) -> str:
    number = text.partition(" ")[0]
    currency = text.partition(" ")[2]
    if text.startswith("-"):
        return f"{text[:40]!r} is negative; {_EXAMPLE}"
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f'{text[:40]} of which currency? An example is "{text[:40]} CNY"'
    if re.fullmatch(r"\d{1,3}([,'_]\d{3})+(\.\d+)?", number):
        return f"the number stands without separators, {_EXAMPLE}"
    if any(char in text.upper() for char in _YUAN) or currency.islower():
        return f"the currency is an ISO code of three capitals after the number, {_EXAMPLE}"
    if re.fullmatch(r"\d+\.\d{7,} [A-Z]{3}", text):
        return f"up to six digits stand after the point, {_EXAMPLE}"
    return f"{text[:40]!r} is no amount: all digits, a point if needed, a blank, the currency; {_EXAMPLE}"


_EXAMPLES = 'examples are "role:purchasing", "person:manager01", "manager:1", "field:buyer"'
_BUYER = "buyer"
_HIGHEST = 20
"""Managers above the requester; longer chains are a slip of the pen."""


def read_approvers(value: object) -> tuple[ApproverSelector, ...]:
    """Return who is named, at least one."""
    found = tuple(_selector(text) for text in read_texts(value))
    if not found:
        raise ValueError(f"the list is empty, so that nobody could decide; {_EXAMPLES}")
    return tuple(dict.fromkeys(found))


def read_requesters(value: object) -> tuple[ApproverSelector, ...]:
    """Return the people whose documents a rule is for."""
    found = read_approvers(value)
    for selector in found:
        if selector.by not in (SelectorKind.PERSON, SelectorKind.ROLE):
            raise ValueError(
                f'{selector}: requesters are persons or roles, examples are "role:sales", "person:sales01"'
            )
    return found


def read_person(value: object) -> str:
    """Return the userId of one person, without anything in front."""
    text = read_text(value)
    if ":" in text:
        raise ValueError(f'{text[:60]!r}: the userId alone is expected, an example is "manager01"')
    return text


def _selector(text: str) -> ApproverSelector:
    kind, colon, name = (part.strip() for part in text.partition(":"))
    kinds = [by.value for by in SelectorKind]
    if not colon:
        raise ValueError(f'{text[:60]!r}: write "person:{text[:60]}" or "role:{text[:60]}"; {_EXAMPLES}')
    if kind not in kinds:
        raise ValueError(f"{text[:60]!r}: nobody is named by {kind[:20]!r}; {did_you_mean(kind, kinds)}")
    if not name:
        raise ValueError(f"{text[:60]!r} names nobody; {_EXAMPLES}")
    match SelectorKind(kind):
        case SelectorKind.MANAGER:
            return ApproverSelector(SelectorKind.MANAGER, _level(name))
        case SelectorKind.FIELD:
            return ApproverSelector(SelectorKind.FIELD, _field(name))
        case by:
            return ApproverSelector(by, name)


def _level(name: str) -> str:
    if not name.isascii() or not name.isdigit() or len(name) > 3 or not 1 <= int(name) <= _HIGHEST:
        raise ValueError(
            f'manager:{name[:20]}: "manager:1" is the requester\'s manager, "manager:2" the manager of that one,'
            f" up to {_HIGHEST}"
        )
    return str(int(name))


def _field(name: str) -> str:
    if name == "requester":
        raise ValueError('field:requester: nobody decides what they requested; an example is "manager:1"')
    if name != _BUYER:
        raise ValueError(f'field:{name[:40]}: the document\'s field that names somebody is the buyer, "field:buyer"')
    return name
